package servegateway

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	wakeInterval = 30 * time.Second // a function that was called within it is still running
	wakeTimeout  = 30 * time.Second
)

// placeOrder is the route whose events other functions consume.
const placeOrder = "POST /v1/orders"

// waker calls functions that are scaled to zero before they are needed, so that the consumers of an order's events
// start concurrently and not one after the other.
type waker struct {
	functions []http.Handler

	mu   sync.Mutex
	last time.Time
}

func newWaker(names []string, reach func(name string) http.Handler) *waker {
	w := &waker{}
	for _, name := range names {
		w.functions = append(w.functions, reach(name))
	}
	return w
}

// withWake returns a handler that wakes the functions and forwards the request.
func (w *waker) withWake(to http.Handler) http.Handler {
	if len(w.functions) == 0 {
		return to
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.due() {
			for _, f := range w.functions {
				go wake(f)
			}
		}
		to.ServeHTTP(rw, r)
	})
}

// due reports whether to wake the functions now, at most once per interval.
func (w *waker) due() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.last) < wakeInterval {
		return false
	}
	w.last = time.Now()
	return true
}

// wake calls a function and ignores its response.
func wake(f http.Handler) {
	defer func() { _ = recover() }() // a response that breaks off panics
	ctx, cancel := context.WithTimeout(context.Background(), wakeTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/health", nil)
	if err != nil {
		return
	}
	f.ServeHTTP(&ignored{header: http.Header{}}, r)
}

// ignored is a ResponseWriter that discards the response.
type ignored struct{ header http.Header }

func (i *ignored) Header() http.Header         { return i.header }
func (i *ignored) Write(p []byte) (int, error) { return len(p), nil }
func (i *ignored) WriteHeader(int)             {}
