package servegateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const (
	heartbeatEvery = 15 * time.Second // so that proxies keep the connection, and a gone reader is noticed
	recheckEvery   = 4                // heartbeats between two looks at the caller's account
	retryAfter     = time.Second      // after a failed query
	maxStreams     = 5000             // of an instance
)

// opening begins a stream: a reader that loses the connection comes back after two seconds.
const opening = "retry: 2000\n"

// streams serves server-sent events. A stream holds a goroutine and its connection, and no function: what it shows comes from queries
// that all streams share.
type streams struct {
	rt     *function.Runtime
	log    *slog.Logger
	events *eventHub
	orders *orderHub
	open   atomic.Int64
	beat   time.Duration
}

func newStreams(rt *function.Runtime) *streams {
	s := &streams{rt: rt, log: rt.Log, beat: heartbeatEvery}
	if rt.Pool != nil {
		s.events, s.orders = newEventHub(rt.Pool, rt.Log), newOrderHub(rt.Pool, rt.Log)
	}
	return s
}

// register adds the metrics of streams to a registry.
func (s *streams) register(registry prometheus.Registerer) {
	open := prometheus.GaugeOpts{Name: "popup_streams_open", Help: "Open streams of server-sent events."}
	registry.MustRegister(prometheus.NewGaugeFunc(open, func() float64 { return float64(s.open.Load()) }))
}

// feeder is what one stream shows.
type feeder interface {
	// authorize returns a problem once the caller may not see the stream any more.
	authorize(ctx context.Context) error
	// next returns what to send now, which may be nothing, and a channel that is closed when there is more.
	next(ctx context.Context) (text []byte, more <-chan struct{}, err error)
	// position returns a line that names the place after which a new stream goes on, or nothing.
	position() string
	close()
}

// opener makes the feeder of a request. Its error is the response.
type opener func(r *http.Request, request auth.Request) (feeder, error)

// openers returns the streams by the paths of their routes.
func (s *streams) openers() map[string]opener {
	return map[string]opener{"/v1/events/stream": s.openEvents, "/v1/orders/{id}/stream": s.openOrder}
}

// handler returns the handler of a route whose response is a stream. It panics on one that the gateway does not have.
func (s *streams) handler(route function.Route) http.Handler {
	open := s.openers()[route.Path]
	if open == nil {
		panic(fmt.Sprintf("there is no stream %s", route.Path))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.events == nil {
			respondUnreachable().ServeHTTP(w, r)
			return
		}
		defer s.open.Add(-1)
		if s.open.Add(1) > maxStreams {
			problem.Overloaded().Write(w, r)
			return
		}
		request := streamRequest(r, route)
		f, err := open(r, request)
		if err != nil {
			s.problem(r.Context(), err).For(r.Header.Get).Write(w, r)
			return
		}
		defer f.close()
		s.serve(w, r, f, request.Expires)
	})
}

// streamRequest returns what is known about a request for a stream, for the scope of its queries.
func streamRequest(r *http.Request, route function.Route) auth.Request {
	request := auth.RequestFrom(r.Context())
	request.Access, request.Route, request.Path = route.Access, route.Method+" "+route.Path, r.URL.Path
	request.ID, request.Header = r.Header.Get("X-Request-ID"), r.Header.Get
	return request
}

func (s *streams) problem(ctx context.Context, err error) *problem.Problem {
	var p *problem.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, pgbatch.ErrOverloaded):
		return problem.Overloaded()
	}
	s.log.ErrorContext(ctx, "stream failed", "function", name, "error", err)
	return problem.FromDatabase(err)
}

// serve sends a stream until its reader, its token or the program ends, or the reader is too slow, who then resumes.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, f feeder, expires time.Time) {
	out := &sender{w: w, control: http.NewResponseController(w)}
	out.begin()
	if r.Method == http.MethodHead || out.send([]byte(opening+f.position()+"\n")) != nil {
		return
	}
	heartbeat := time.NewTicker(s.beat)
	defer heartbeat.Stop()
	expired, stop := expiry(expires)
	defer stop()
	for beats := 1; ; {
		text, more, err := f.next(r.Context())
		if ended(err) || err == nil && len(text) > 0 && out.send(text) != nil {
			return
		}
		if err != nil {
			s.log.WarnContext(r.Context(), "stream could not be read, and will be again", "function", name, "error", err)
			more = after(retryAfter)
		}
		select {
		case <-more:
		case <-heartbeat.C:
			beats++
			if beats%recheckEvery == 0 && ended(f.authorize(r.Context())) || out.send([]byte(":\n"+f.position()+"\n")) != nil {
				return
			}
		case <-expired:
			return
		case <-s.rt.Stopping:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// ended reports whether an error ends a stream: the caller may not see it any more, or has gone.
func ended(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && p.Status < http.StatusInternalServerError && p.Status != http.StatusTooManyRequests ||
		errors.Is(err, context.Canceled)
}

// expiry returns a channel that receives when a token expires; nil for a caller without one.
func expiry(at time.Time) (expired <-chan time.Time, stop func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(at))
	return timer.C, func() { timer.Stop() }
}

// after returns a channel that is closed after a time.
func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

// closed is a channel for more that is there already.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// sender writes a stream.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// begin sends the head of the response.
func (s *sender) begin() {
	h := s.w.Header()
	h.Set("Content-Type", web.TypeStream)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
}

// send writes a text and flushes it. It fails when the reader does not receive it in the time that function.Bound gives a piece of a
// response.
func (s *sender) send(text []byte) error {
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.control.Flush()
}

// scoped returns a reader of what the caller of a request may see.
func scoped(rt *function.Runtime, request auth.Request) pgbatch.Reader {
	return rt.Reader(request.Scope(name))
}

// checkAccount returns a problem if the caller's account may not use the route any more.
func checkAccount(ctx context.Context, rt *function.Runtime, request auth.Request) error {
	return auth.CheckAccount(ctx, scoped(rt, request))
}

// poller calls poll again and again while it has users.
type poller struct {
	poll  func(ctx context.Context) (pause time.Duration)
	users int
	stop  context.CancelFunc
}

// add counts a user. The lock of the poller's owner is held.
func (p *poller) add() {
	p.users++
	if p.users > 1 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go p.run(ctx)
}

// remove counts a user less. The lock of the poller's owner is held.
func (p *poller) remove() {
	if p.users--; p.users == 0 {
		p.stop()
	}
}

func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.NewTimer(p.poll(ctx))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}
