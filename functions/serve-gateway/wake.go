package servegateway

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	wakeEvery = 30 * time.Second // what was called then is still awake
	wakeIn    = 30 * time.Second
)

// placeOrder is the route whose events wake other functions.
const placeOrder = "POST /v1/orders"

// waker calls sleeping functions before they are needed, so that those on an order's path start at the same time and not one after
// the other.
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

// withWake returns a handler that wakes the functions and passes the request on.
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

func (w *waker) due() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.last) < wakeEvery {
		return false
	}
	w.last = time.Now()
	return true
}

// wake calls a function and ignores its response.
func wake(f http.Handler) {
	defer func() { _ = recover() }() // a response that breaks off panics
	ctx, cancel := context.WithTimeout(context.Background(), wakeIn)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/health", nil)
	if err != nil {
		return
	}
	f.ServeHTTP(&ignored{header: http.Header{}}, r)
}

// ignored is a response that is not read.
type ignored struct{ header http.Header }

func (i *ignored) Header() http.Header         { return i.header }
func (i *ignored) Write(p []byte) (int, error) { return len(p), nil }
func (i *ignored) WriteHeader(int)             {}
