package servegateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	maxFailures = 5
	openTimeout = 10 * time.Second
)

// upstream is a route of a function with its own circuit breaker. After five consecutive requests without a response
// the breaker opens for ten seconds; then one request probes the function. A response counts as a success whatever its
// status: otherwise a caller who provokes a 5xx could close the route for all others.
type upstream struct {
	to      http.Handler
	breaker *gobreaker.TwoStepCircuitBreaker[any]
}

func newUpstream(route function.Route, to http.Handler) *upstream {
	return &upstream{to, gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: route.Method + " " + route.Path, Timeout: openTimeout,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= maxFailures },
	})}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, err := u.breaker.Allow()
	if err != nil {
		resting := problem.New(http.StatusServiceUnavailable, "dependency-down",
			"A part of the shop is not available right now. Try again, with the same Idempotency-Key.")
		resting.RetryAfter = int(openTimeout / time.Second)
		resting.Write(w, r)
		return
	}
	response := &statusRecorder{ResponseWriter: w}
	defer func() {
		p := recover()
		left := r.Context().Err() != nil || response.disconnected // a disconnected caller is not a failure of the function
		done(left || p != http.ErrAbortHandler && response.ofFunction())
		if p != nil {
			panic(p)
		}
	}()
	u.to.ServeHTTP(response, r)
}

// works reports whether the breaker lets requests through.
func (u *upstream) works() bool { return u.breaker.State() != gobreaker.StateOpen }

// ofFunction reports whether the response comes from a function. A 5xx or 404 without problem details comes from
// something in between, such as an ingress without a route to the function.
func (r *statusRecorder) ofFunction() bool {
	if r.unreachable {
		return false
	}
	doubtful := r.status >= http.StatusInternalServerError || r.status == http.StatusNotFound
	return !doubtful || r.Header().Get("Content-Type") == problem.ContentType
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
