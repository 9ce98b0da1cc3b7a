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
	failuresInTurn = 5
	restsFor       = 10 * time.Second
)

// upstream is a route of a function, with a breaker of its own. After five calls in turn without a response nothing is sent
// to it for ten seconds; then one call tries. Any response counts as one, whatever its status: a caller can provoke a 5xx,
// and must not close a route to all others with it.
type upstream struct {
	to      http.Handler
	breaker *gobreaker.TwoStepCircuitBreaker[any]
}

func newUpstream(route function.Route, to http.Handler) *upstream {
	return &upstream{to, gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: route.Method + " " + route.Path, Timeout: restsFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresInTurn },
	})}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, err := u.breaker.Allow()
	if err != nil {
		resting := problem.New(http.StatusServiceUnavailable, "dependency-down", "a part of the shop fails right now; try again with the same key")
		resting.RetryAfter = int(restsFor / time.Second)
		resting.Write(w, r)
		return
	}
	response := &statusRecorder{ResponseWriter: w}
	defer func() {
		p := recover()
		left := r.Context().Err() != nil || response.cut // a caller who left reveals nothing about the function
		done(left || p != http.ErrAbortHandler && response.ofFunction())
		if p != nil {
			panic(p)
		}
	}()
	u.to.ServeHTTP(response, r)
}

// works reports whether calls are let through.
func (u *upstream) works() bool { return u.breaker.State() != gobreaker.StateOpen }

// ofFunction reports whether a function gave the response. A 5xx or a 404 that is no problem comes from something between the
// gateway and the function, such as an ingress that does not know it.
func (r *statusRecorder) ofFunction() bool {
	if r.unreachable {
		return false
	}
	doubtful := r.status >= http.StatusInternalServerError || r.status == http.StatusNotFound
	return !doubtful || r.Header().Get("Content-Type") == problem.ContentType
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
