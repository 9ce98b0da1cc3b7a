package local

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Profile is how faithfully events are delivered.
type Profile string

const (
	// Spec keeps the contract of Knative: tried again as the Trigger says, then sent to the dead-letter sink.
	Spec Profile = "spec"
	// NATSS has the faults of the NATS broker for Knative: an answer of 4xx ends delivery without a dead letter, a
	// dead letter that its sink does not take is gone, a new Trigger hears only what comes after it, traceparent is blanked.
	NATSS Profile = "natss"
	// Hostile delivers twice, late, out of order, and loses what it acknowledged.
	Hostile Profile = "hostile"
)

// Profiles lists them.
func Profiles() []Profile { return []Profile{Spec, NATSS, Hostile} }

// ParseProfile reads a profile's name.
func ParseProfile(text string) (Profile, error) {
	for _, p := range Profiles() {
		if string(p) == text {
			return p, nil
		}
	}
	return "", fmt.Errorf("delivery profile %q: must be spec, natss or hostile", text)
}

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
