package servegateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/popup-shop/popup/internal/web"
)

const (
	failuresInTurn = 5
	restsFor       = 10 * time.Second
)

// line is the way to one function. After five failures in turn nothing is sent along it for ten seconds; then one call tries.
type line struct {
	to      http.Handler
	breaker *gobreaker.TwoStepCircuitBreaker[any]
}

func newLine(function string, to http.Handler) *line {
	return &line{to, gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: function, Timeout: restsFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresInTurn },
	})}
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done, err := l.breaker.Allow()
	if err != nil {
		resting := web.NewProblem(http.StatusServiceUnavailable, "dependency-down", "a part of the shop fails right now; try again with the same key")
		resting.RetryAfter = int(restsFor / time.Second)
		resting.Write(w, r)
		return
	}
	answer := &recorder{ResponseWriter: w}
	ok := false
	defer func() { done(ok || r.Context().Err() != nil) }() // a caller who left says nothing about the function
	l.to.ServeHTTP(answer, r)
	ok = answer.status < http.StatusInternalServerError
}

// works says whether calls are let through.
func (l *line) works() bool { return l.breaker.State() != gobreaker.StateOpen }

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
