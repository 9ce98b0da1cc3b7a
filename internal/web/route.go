package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
)

// Route is an HTTP route with its handler.
type Route struct {
	function.Route
	register    func(api huma.API, s *server)
	table       func(api huma.API, s *server) // of a list: registers its path as CSV
	settings    any                           // of WithSettings
	represented string                        // path of the GET whose ETag If-Match is compared with; "": the route's own
	undeclared  bool
	redirects   bool
}

func newRoute(declared function.Route, register func(api huma.API, s *server)) Route {
	return Route{Route: declared, register: register}
}

// TxHandler handles a request in one transaction, which also stores the events that it returns. It may run again before the commit.
type TxHandler[I, O any] func(ctx context.Context, tx pgx.Tx, in *I) (*O, []events.Event, error)

// Get returns a route that reads.
func Get[I, O any](path string, a access.Access, read func(ctx context.Context, db Reader, in *I) (*O, error)) Route {
	route := function.Route{Method: http.MethodGet, Path: path, Access: a}
	return newRoute(route, func(api huma.API, s *server) {
		huma.Register(api, s.operation(route, http.StatusOK), func(ctx context.Context, in *I) (*O, error) {
			out, err := read(ctx, s.reader(ctx), in)
			return out, s.problem(ctx, err)
		})
	})
}

// GetTx returns a route that reads and may have to write first.
func GetTx[I, O any](path string, a access.Access, handle TxHandler[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodGet, Path: path, Access: a}, http.StatusOK, handle)
}

// Post returns a POST route without an idempotency key, for requests that may be repeated.
func Post[I, O any](path string, a access.Access, status int, handle TxHandler[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodPost, Path: path, Access: a}, status, handle)
}

// Put returns a PUT route.
func Put[I, O any](path string, a access.Access, handle TxHandler[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodPut, Path: path, Access: a}, 0, handle)
}

// Delete returns a DELETE route.
func Delete[I, O any](path string, a access.Access, handle TxHandler[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodDelete, Path: path, Access: a}, 0, handle)
}

func inTransaction[I, O any](route function.Route, status int, handle TxHandler[I, O]) Route {
	return newRoute(route, func(api huma.API, s *server) {
		if changes(route) {
			handle = whenUnchanged(s, handle)
		}
		huma.Register(api, s.operation(route, status), func(ctx context.Context, in *I) (out *O, err error) {
			err = s.transact(ctx, func(tx pgx.Tx) (emitted []events.Event, err error) {
				out, emitted, err = handle(ctx, tx, in)
				return emitted, err
			})
			return out, s.problem(ctx, err)
		})
	})
}

// changes reports whether requests to a route change an object that a caller may have read, so that If-Match is honoured.
func changes(route function.Route) bool {
	return route.Method == http.MethodPut || route.Method == http.MethodDelete
}

// IdempotentCall handles a request that moves stock or money. Do runs in one transaction with the events it returns and the claim of
// the idempotency key; what it returns as S is stored under the key. Show runs after the commit, for the first request and for a
// repeated one alike, and makes the response. Whether the caller may make the request is decided in Do's transaction; Show's
// response does not depend on changes to the caller since.
type IdempotentCall[I Keyed, S, O any] struct {
	Status int   // of the response, unless Show returns another
	Also   []int // the other statuses that Show may return
	Do     func(ctx context.Context, tx pgx.Tx, in I) (S, []events.Event, error)
	Show   func(ctx context.Context, db Reader, in I, done S) (*O, error)
}

// PostIdempotent returns a POST route that requires an idempotency key. Its input embeds Key.
func PostIdempotent[I any, P interface {
	*I
	Keyed
}, S, O any](path string, a access.Access, c IdempotentCall[P, S, O]) Route {
	route := function.Route{Method: http.MethodPost, Path: path, Access: a}
	return newRoute(route, func(api huma.API, s *server) {
		o := s.operation(route, c.Status)
		o.Metadata["also"] = c.Also
		huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
			done, replayed, err := idempotent(ctx, s, P(in), c.Do)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			out, err := c.Show(ctx, s.readerAfterCommit(ctx, replayed), P(in), done)
			return out, s.problem(ctx, err)
		})
	})
}

// StagedCall handles a request with work that takes long, such as hashing a password. Prepare reads what the work needs, in a
// transaction that is committed whatever follows. Work runs without a connection. Do is a TxHandler.
type StagedCall[I, Q, O any] struct {
	Status  int
	Slots   chan struct{} // its capacity is how many requests run at a time; others are rejected with 429. nil: no limit
	Prepare func(ctx context.Context, tx pgx.Tx, in *I) (*Q, error)
	Delay   func(q *Q) time.Duration // how long a request waits before Work, without a slot. nil: it does not wait
	Work    func(ctx context.Context, in *I, q *Q) error
	Do      func(ctx context.Context, tx pgx.Tx, in *I, q *Q) (*O, []events.Event, error)
}

// Staged returns a route for a StagedCall.
func Staged[I, Q, O any](method, path string, a access.Access, c StagedCall[I, Q, O]) Route {
	route := function.Route{Method: method, Path: path, Access: a}
	return newRoute(route, func(api huma.API, s *server) {
		huma.Register(api, s.operation(route, c.Status), func(ctx context.Context, in *I) (*O, error) {
			place := slot{of: c.Slots}
			defer place.leave()
			out, err := c.run(ctx, s, in, &place)
			return out, s.problem(ctx, err)
		})
	})
}

func (c StagedCall[I, Q, O]) run(ctx context.Context, s *server, in *I, place *slot) (out *O, err error) {
	if err := place.take(); err != nil {
		return nil, err
	}
	var q *Q
	err = s.transact(ctx, func(tx pgx.Tx) (_ []events.Event, err error) {
		q, err = c.Prepare(ctx, tx, in)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx, q, place); err != nil {
		return nil, err
	}
	if err := c.Work(ctx, in, q); err != nil {
		return nil, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) (emitted []events.Event, err error) {
		do := TxHandler[I, O](func(ctx context.Context, tx pgx.Tx, in *I) (*O, []events.Event, error) { return c.Do(ctx, tx, in, q) })
		if changes(s.route.Route) {
			do = whenUnchanged(s, do)
		}
		out, emitted, err = do(ctx, tx, in)
		return emitted, err
	})
	return out, err
}

// wait blocks for the delay of a request.
func (c StagedCall[I, Q, O]) wait(ctx context.Context, q *Q, place *slot) error {
	if c.Delay == nil || c.Delay(q) <= 0 {
		return nil
	}
	place.leave()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(c.Delay(q)):
	}
	return place.take()
}

// slot is one of the places for requests that run at a time.
type slot struct {
	of    chan struct{} // nil: there is no limit
	taken bool
}

// take returns function.ErrOverloaded when all places are taken.
func (s *slot) take() error {
	if s.of == nil {
		return nil
	}
	select {
	case s.of <- struct{}{}:
		s.taken = true
		return nil
	default:
		return function.ErrOverloaded
	}
}

func (s *slot) leave() {
	if s.taken {
		<-s.of
		s.taken = false
	}
}

// WithSettings returns the route with settings that the method Resolve of its input needs.
func WithSettings(settings any, r Route) Route {
	r.settings = settings
	return r
}

// SettingsOf returns the settings that WithSettings gave to the route of a request.
func SettingsOf[S any](ctx huma.Context) S { return ctx.Operation().Metadata["settings"].(S) }

// WithMaxBody returns the route with another limit for the body of a request, in bytes.
func WithMaxBody(bytes int64, r Route) Route {
	r.MaxBody = bytes
	return r
}

// WithRedirects returns the route declared as one that may respond with [problem.Moved].
func WithRedirects(r Route) Route {
	r.redirects = true
	return r
}

// Cached returns the route with responses that the gateway may cache for a time, or until an object changes that SurrogateKeys names.
// Responses without surrogate keys are not cached. It panics on a route whose response depends on the caller.
func Cached(maxAge time.Duration, r Route) Route {
	if r.Method != http.MethodGet || !r.Access.Is(access.All) {
		panic(fmt.Sprintf("%s %s: only a GET that all may use can be cached", r.Method, r.Path))
	}
	r.CacheFor = int(maxAge / time.Second)
	return r
}

// SurrogateKeyHeader carries the names of the objects in a response from a function to the gateway, and no further.
const SurrogateKeyHeader = "Surrogate-Key"

// SurrogateKeys notes that the response to the request of ctx contains objects, by the names of events.Shown.
func SurrogateKeys(ctx context.Context, names ...string) {
	if response := responseFrom(ctx); response != nil {
		response.AppendHeader(SurrogateKeyHeader, strings.Join(names, " "))
	}
}
