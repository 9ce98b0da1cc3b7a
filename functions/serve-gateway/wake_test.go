package servegateway_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
)

// An order wakes the consumers of its events while place-order still handles it.
func TestOrderWakesTheFunctionsOnItsPath(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	woken := map[string]int{}
	all := func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		found := map[string]int{}
		for name, n := range woken {
			found[name] = n
		}
		return found
	}
	working := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			mu.Lock()
			woken[r.Host]++
			mu.Unlock()
			return
		}
		if r.Method == http.MethodPost {
			<-working
		}
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(upstream.Close)
	gateway := apart(t, config.Gateway{
		Upstream: "http://{function}.shop", Via: upstream.Listener.Addr().String(),
		Wake: []string{"reserve-stock", "create-payment"},
	})
	got(t, "GET", gateway+"/v1/products", "")
	require.Empty(t, all(), "a page wakes none of them")
	var placing sync.WaitGroup
	for range 3 {
		placing.Go(func() { call(t, "POST", gateway+"/v1/orders", "{}") })
	}
	require.Eventually(t, func() bool { return len(all()) == 2 }, 10*time.Second, 5*time.Millisecond, "before place-order responds")
	close(working)
	placing.Wait()
	require.Equal(t, map[string]int{"reserve-stock.shop": 1, "create-payment.shop": 1}, all(), "once")
}

func TestFailedWakeDoesNotStopAnOrder(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(upstream.Close)
	gateway := apart(t, config.Gateway{Upstream: "http://{function}.shop", Via: upstream.Listener.Addr().String(), Wake: []string{"reserve-stock"}})
	got(t, "POST", gateway+"/v1/orders", "{}")
}
