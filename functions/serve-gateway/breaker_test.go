package servegateway_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/problem"
)

// crashed is a function that gives no response until it is well. It counts the requests that reach it.
type crashed struct {
	calls atomic.Int64
	well  atomic.Bool
}

func (c *crashed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.calls.Add(1)
	if !c.well.Load() {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "well")
}

// except serves one path with a handler, and all others with echo.
func except(path string, to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			to.ServeHTTP(w, r)
			return
		}
		echo("any")(w, r)
	})
}

// fails sends five requests that get no response.
func fails(t *testing.T, url string) {
	t.Helper()
	for range 5 {
		status, text, err := try(t, url)
		if err == nil {
			require.Equal(t, http.StatusServiceUnavailable, status, text)
		}
	}
}

// API-10: after five requests without a response the gateway rejects requests for the route at once, and for no other
// route.
func TestBreakerOpensForOneRouteOnly(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"processes", "one process"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			function := &crashed{}
			gateway := gatewayWithout(t, way, except("/v1/products/suggestions", function))
			fails(t, gateway+"/v1/products/suggestions")
			for range 3 {
				response, text := call(t, "GET", gateway+"/v1/products/suggestions", "")
				requireProblem(t, response, text, http.StatusServiceUnavailable, "dependency-down")
				require.Equal(t, "10", response.Header.Get("Retry-After"))
			}
			require.EqualValues(t, 5, function.calls.Load())
			for _, path := range []string{"/v1/products/search", "/v1/products/exports"} {
				got(t, "GET", gateway+path, "", "Authorization", bearer(t, "staff"))
			}
		})
	}
}

// After the timeout one request probes the function; when it gets a response, the breaker closes.
func TestBreakerClosesAfterASuccessfulProbe(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"processes", "one process"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			function := &crashed{}
			gateway := gatewayWithout(t, way, except("/v1/products/suggestions", function))
			fails(t, gateway+"/v1/products/suggestions")
			opened := time.Now()
			function.well.Store(true)
			require.Eventually(t, func() bool {
				status, _, err := try(t, gateway+"/v1/products/suggestions")
				return err == nil && status == http.StatusOK
			}, 20*time.Second, 100*time.Millisecond)
			require.Greater(t, time.Since(opened), 9*time.Second, "the breaker is open for ten seconds")
			require.EqualValues(t, 6, function.calls.Load(), "one request probes")
			for range 5 {
				status, text, err := try(t, gateway+"/v1/products/suggestions")
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status)
				require.Equal(t, "well", text)
			}
		})
	}
}

// No response of a function opens the breaker, whatever its status: one caller could provoke it for all others.
func TestErrorResponsesDoNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"processes", "one process"} {
		for _, status := range []int{
			http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
		} {
			function := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Prefer") == "" {
					_, _ = io.WriteString(w, "well")
					return
				}
				problem.New(status, "busy", "The function is busy.").Write(w, r)
			})
			gateway := gatewayWithout(t, way, function)
			for range 20 {
				response, _ := call(t, "GET", gateway+"/v1/products", "", "Prefer", "wait=1")
				require.Equal(t, status, response.StatusCode, way)
			}
			response, text := call(t, "GET", gateway+"/v1/products", "")
			require.Equal(t, http.StatusOK, response.StatusCode, "%s after %d", way, status)
			require.Equal(t, "well", text, "%s after %d", way, status)
		}
	}
}

// A 5xx or 404 of something between the gateway and a function, such as an ingress, counts as no response of the
// function.
func TestIngressErrorsTripTheBreaker(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusNotFound} {
		var calls atomic.Int64
		gateway := gatewayWithout(t, "processes", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			http.Error(w, "no such host", status)
		}))
		for n := range 8 {
			response, _ := call(t, "GET", gateway+"/v1/products", "")
			want := status
			if n >= 5 {
				want = http.StatusServiceUnavailable
			}
			require.Equal(t, want, response.StatusCode, n)
		}
		require.EqualValues(t, 5, calls.Load(), status)
	}
}

// A 404 of a function itself, such as for a product that does not exist, is a response.
func TestNotFoundOfAFunctionDoesNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	gateway := gatewayWithout(t, "processes", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		problem.New(http.StatusNotFound, "not-found", "This product does not exist.").Write(w, r)
	}))
	for range 8 {
		response, _ := call(t, "GET", gateway+"/v1/products", "")
		require.Equal(t, http.StatusNotFound, response.StatusCode)
	}
	require.EqualValues(t, 8, calls.Load())
}

// A function that cannot be reached gives no response either.
func TestUnreachableFunctionTripsTheBreaker(t *testing.T) {
	t.Parallel()
	stopped := httptest.NewServer(nil)
	stopped.Close()
	gateway := apart(t, config.Gateway{Upstream: stopped.URL})
	fails(t, gateway+"/v1/products")
	l, err := net.Listen("tcp", stopped.Listener.Addr().String())
	require.NoError(t, err)
	defer l.Close()
	response, text := call(t, "GET", gateway+"/v1/products", "")
	requireProblem(t, response, text, http.StatusServiceUnavailable, "dependency-down")
	require.Equal(t, "10", response.Header.Get("Retry-After"))
}

// gatewayWithout returns a gateway without a cache in front of one function for all routes.
func gatewayWithout(t testing.TB, way string, to http.Handler) string {
	t.Helper()
	if way == "one process" {
		return copyOf(t, nil, config.Gateway{}, to)
	}
	return overHTTP(t, config.Gateway{}, to)
}
