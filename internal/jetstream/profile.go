package jetstream

import (
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// DeliveryProfile is how faithfully events are delivered.
type DeliveryProfile string

const (
	// Spec keeps the contract of Knative: retried as the Trigger asks, then sent to the dead-letter sink.
	Spec DeliveryProfile = "spec"
	// NATSS has the faults of the NATS broker for Knative: it delivers one event of a Trigger after the other, a response
	// of 4xx ends delivery without a dead letter, a dead letter that its sink does not accept is gone, a new Trigger
	// receives only what comes after it, traceparent is blanked, a retry without a backoff crashes it, an exponential
	// delay can overflow to none.
	NATSS DeliveryProfile = "natss"
	// Hostile delivers twice, late, out of order, and loses what it acknowledged.
	Hostile DeliveryProfile = "hostile"
)

// Profiles lists them.
func Profiles() []DeliveryProfile { return []DeliveryProfile{Spec, NATSS, Hostile} }

// inFlight returns how many events a Trigger delivers to its subscriber at once: as many as a batch holds, as
// containerConcurrency bounds it on a cluster.
func (p DeliveryProfile) inFlight() int {
	if p == NATSS {
		return 1
	}
	return 32
}

// injectedFault is what a hostile broker does with one delivery.
type injectedFault struct {
	lose       bool
	delay      time.Duration
	duplicates int
}

func (p DeliveryProfile) injectedFault() (f injectedFault) {
	if p != Hostile {
		return f
	}
	f.lose = rand.IntN(100) < 2
	f.duplicates = rand.IntN(10) / 8
	if rand.IntN(100) < 30 {
		f.delay = time.Duration(rand.IntN(50)) * time.Millisecond
	}
	return f
}

// mutate changes an event's attributes on its way, as the profile does.
func (p DeliveryProfile) mutate(attributes map[string]string) {
	if p == NATSS {
		delete(attributes, "traceparent")
	}
}

// Retries reports whether delivery is retried after a response with this status, 0 when there was none. Knative retries
// after some that the NATS broker gives up on.
func (p DeliveryProfile) Retries(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotFound, http.StatusConflict:
		return p != NATSS
	}
	return status/100 == 5 || status/100 == 3 && p != NATSS
}

// Wait returns how long to wait before the attempt after this one, counted from 1. crash reports that the broker does
// not survive the question: that of the NATS broker reads policy and delay without asking whether they are there, and
// doubles the delay without end.
func (p DeliveryProfile) Wait(d Delivery, attempt int) (delay time.Duration, crash bool) {
	if p != NATSS {
		return d.Wait(attempt), false
	}
	switch {
	case d.Delay == 0:
		return 0, true
	case d.Backoff == Linear:
		return d.Delay * time.Duration(attempt), false
	case d.Backoff == Exponential:
		return d.Delay * time.Duration(math.Exp2(float64(attempt))), false
	}
	return 0, true
}
