package local

import (
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// Profile is how faithfully events are delivered.
type Profile string

const (
	// Spec keeps the contract of Knative: tried again as the Trigger says, then sent to the dead-letter sink.
	Spec Profile = "spec"
	// NATSS has the faults of the NATS broker for Knative: an answer of 4xx ends delivery without a dead letter, a
	// dead letter that its sink does not take is gone, a new Trigger hears only what comes after it, traceparent is blanked,
	// a retry without a backoff crashes the filter, an exponential delay can overflow to none.
	NATSS Profile = "natss"
	// Hostile delivers twice, late, out of order, and loses what it acknowledged.
	Hostile Profile = "hostile"
)

// Profiles lists them.
func Profiles() []Profile { return []Profile{Spec, NATSS, Hostile} }

// mischief is what a hostile broker does with one delivery.
type mischief struct {
	lose   bool
	delay  time.Duration
	copies int // beside the one
}

func (p Profile) mischief() (m mischief) {
	if p != Hostile {
		return m
	}
	m.lose = rand.IntN(100) < 2
	m.copies = rand.IntN(10) / 8
	if rand.IntN(100) < 30 {
		m.delay = time.Duration(rand.IntN(50)) * time.Millisecond
	}
	return m
}

// spoil is what a profile does to an event's attributes on its way.
func (p Profile) spoil(attributes map[string]string) {
	if p == NATSS {
		delete(attributes, "traceparent")
	}
}

// again says that delivery is tried again after an answer. Knative does so after some that the NATS broker gives up on.
func (p Profile) again(a answer) bool {
	switch a.status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotFound, http.StatusConflict, http.StatusTooEarly:
		return p != NATSS
	}
	return a.status/100 == 5 || a.status/100 == 3 && p != NATSS
}

// wait is how long to wait before the attempt after this one, counted from 1. crash says that the filter does not survive
// the question: that of the NATS broker reads policy and delay without asking whether they are there, and doubles the
// delay for as long as it is told to.
func (p Profile) wait(d Delivery, attempt int) (delay time.Duration, crash bool) {
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
