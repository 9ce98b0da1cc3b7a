package local

import (
	"sync"
	"time"
)

// activity is when the last event was published. Its zero value is ready to use.
type activity struct {
	mu   sync.Mutex
	last time.Time
	next chan struct{} // closed by the next event; nil when nothing waits for it
}

// note notes that an event is published now.
func (a *activity) note() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = time.Now()
	if a.next != nil {
		close(a.next)
		a.next = nil
	}
}

// read returns when the last event was published, and a channel that is closed by the next one.
func (a *activity) read() (last time.Time, next <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next = make(chan struct{})
	}
	return a.last, a.next
}
