package jetstream

import (
	"slices"
	"time"
)

// Trigger decides which events go to which subscriber, and how delivery is retried.
type Trigger struct {
	Name       string // of its consumer
	Subscriber string
	Filter     Filter
	Delivery   Delivery
}

// Filter decides which events pass.
type Filter interface {
	// Pass reports whether an event with these attributes passes.
	Pass(attributes map[string]string) bool
	// Types returns the types of the events that may pass; nil when any may.
	Types() []string
}

// passes reports whether the Trigger wants an event.
func (t Trigger) passes(attributes map[string]string) bool {
	return t.Filter == nil || t.Filter.Pass(attributes)
}

// subjects returns what the Trigger's consumer receives, each subject once.
func (t Trigger) subjects(prefix string) []string {
	var types []string
	if t.Filter != nil {
		types = slices.Compact(slices.Sorted(slices.Values(t.Filter.Types())))
	}
	if len(types) == 0 {
		return []string{prefix + ".>"}
	}
	subjects := make([]string, len(types))
	for i, eventType := range types {
		subjects[i] = subjectOf(prefix, eventType)
	}
	return subjects
}

// Backoff is how the delay between attempts grows.
type Backoff string

// Ways of growing.
const (
	Linear      Backoff = "linear"
	Exponential Backoff = "exponential"
)

// Delivery is how an event is retried, and where it ends. A part of it may be missing.
type Delivery struct {
	DeadLetterSink string
	Retry          int
	Backoff        Backoff
	Delay          time.Duration
	Timeout        time.Duration
	MaxRetryAfter  time.Duration // of a response's Retry-After that counts; 0: a minute
}

// IgnoreRetryAfter is the MaxRetryAfter with which no Retry-After counts.
const IgnoreRetryAfter = time.Duration(-1)

const (
	maxRetryAfter  = time.Minute
	maxBackoff     = time.Hour
	defaultTimeout = 30 * time.Second
)

// Wait returns how long to wait before the attempt after this one, counted from 1: not at all without a policy.
func (d Delivery) Wait(attempt int) time.Duration {
	switch d.Backoff {
	case Linear:
		return min(d.Delay*time.Duration(attempt), maxBackoff)
	case Exponential:
		return min(d.Delay<<min(attempt-1, 16), maxBackoff)
	}
	return 0
}

// timeout returns how long a subscriber has to respond.
func (d Delivery) timeout() time.Duration {
	if d.Timeout == 0 {
		return defaultTimeout
	}
	return d.Timeout
}

// retryAfter returns how much of a response's Retry-After counts.
func (d Delivery) retryAfter(asked time.Duration) time.Duration {
	if d.MaxRetryAfter == 0 {
		return min(asked, maxRetryAfter)
	}
	return min(asked, d.MaxRetryAfter)
}
