package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// IdempotentCall is a call that moves stock or money: Do runs in one transaction with what is said about it and with the claim of
// its idempotency key; Show runs after the commit, on the first call and on a replay alike, and makes the answer. S is what
// is kept under the key. Whether the caller may make the call is decided in Do's transaction, and Show's response does not
// depend on what has become of the caller since.
type IdempotentCall[I Keyed, S, O any] struct {
	Status int   // when Show names no other
	Also   []int // the others that Show may name
	Do     func(ctx context.Context, tx pgx.Tx, in I) (S, []events.Event, error)
	Show   func(ctx context.Context, db Reader, in I, done S) (*O, error)
}

// PostIdempotent declares a POST that needs an idempotency key. Its input embeds Key.
func PostIdempotent[I any, P interface {
	*I
	Keyed
}, S, O any](path, who string, c IdempotentCall[P, S, O]) Route {
	route := function.Route{Method: http.MethodPost, Path: path, Access: who}
	return Route{route, func(api huma.API, s *server) {
		o := s.operation(route, c.Status)
		o.Metadata["also"] = c.Also
		huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
			done, replayed, err := idempotent(ctx, s, P(in), c.Do)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			out, err := c.Show(ctx, s.readerAfter(ctx, replayed), P(in), done)
			return out, s.problem(ctx, err)
		})
	}}
}

// Do is what a call does in one transaction with what is said about it. It may be run again before it is committed.
type Do[I, O any] func(ctx context.Context, tx pgx.Tx, in *I) (*O, []events.Event, error)

// Post declares a POST that needs no key, since a second one does no harm.
func Post[I, O any](path, who string, status int, do Do[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodPost, Path: path, Access: who}, status, do)
}

// GetTx declares a GET that may have to put something in order before it shows it.
func GetTx[I, O any](path, who string, do Do[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodGet, Path: path, Access: who}, http.StatusOK, do)
}

// Put declares a route that puts something into a state.
func Put[I, O any](path, who string, do Do[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodPut, Path: path, Access: who}, 0, do)
}

// Delete declares a route that takes something away.
func Delete[I, O any](path, who string, do Do[I, O]) Route {
	return inTransaction(function.Route{Method: http.MethodDelete, Path: path, Access: who}, 0, do)
}

func inTransaction[I, O any](route function.Route, status int, do Do[I, O]) Route {
	return Route{route, func(api huma.API, s *server) {
		huma.Register(api, s.operation(route, status), func(ctx context.Context, in *I) (out *O, err error) {
			err = s.do(ctx, func(tx pgx.Tx) (said []events.Event, err error) {
				out, said, err = do(ctx, tx, in)
				return said, err
			})
			return out, s.problem(ctx, err)
		})
	}}
}

// StagedCall is a call with work that takes long, such as hashing: Prepare reads what it takes and notes that it was asked for,
// in a transaction that is committed whatever comes after it; Work does it with no connection in hand; Do is as in Act.
type StagedCall[I, Q, O any] struct {
	Status  int
	Slots   chan struct{} // how many calls may be between their begin and their end; further ones are refused with 429. nil: any number
	Prepare func(ctx context.Context, tx pgx.Tx, in *I) (*Q, error)
	Work    func(ctx context.Context, in *I, q *Q) error
	Do      func(ctx context.Context, tx pgx.Tx, in *I, q *Q) (*O, []events.Event, error)
}

// Staged declares such a route.
func Staged[I, Q, O any](method, path, who string, steps StagedCall[I, Q, O]) Route {
	route := function.Route{Method: method, Path: path, Access: who}
	return Route{route, func(api huma.API, s *server) {
		huma.Register(api, s.operation(route, steps.Status), func(ctx context.Context, in *I) (out *O, err error) {
			if !tryAcquire(steps.Slots) {
				return nil, s.problem(ctx, function.ErrOverloaded)
			}
			defer release(steps.Slots)
			var q *Q
			err = s.do(ctx, func(tx pgx.Tx) (_ []events.Event, err error) {
				q, err = steps.Prepare(ctx, tx, in)
				return nil, err
			})
			if err == nil {
				err = steps.Work(ctx, in, q)
			}
			if err == nil {
				err = s.do(ctx, func(tx pgx.Tx) (said []events.Event, err error) {
					out, said, err = steps.Do(ctx, tx, in, q)
					return said, err
				})
			}
			return out, s.problem(ctx, err)
		})
	}}
}

// tryAcquire reports whether there was a free slot, which is taken now.
func tryAcquire(slots chan struct{}) bool {
	if slots == nil {
		return true
	}
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func release(slots chan struct{}) {
	if slots != nil {
		<-slots
	}
}
