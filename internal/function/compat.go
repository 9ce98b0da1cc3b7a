package function

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/pgbatch"
)

type (
	Message    = cloudevent.Message
	DeadLetter = cloudevent.DeadLetter
	Scope      = pgbatch.Statement
	View       = pgbatch.Reader
)

const SelectMessages = eventstore.SelectMessages

var (
	CollectMessages = eventstore.CollectMessages
	Queue           = pgbatch.Enqueue
	Trace           = cloudevent.Trace
	WithTrace       = cloudevent.WithTrace
	Away            = Unavailable
)

func (rt *Runtime) View(scope Scope) View { return rt.Reader(scope) }

func OnOne[E events.Event](h func(context.Context, pgx.Tx, E) (events.Event, error)) Handler {
	return On(Each(h))
}

func OnBatch[E events.Event](h func(context.Context, pgx.Tx, E) ([]events.Event, error)) Handler {
	return On(func(ctx context.Context, tx pgx.Tx, batch []*Delivery[E]) error {
		for _, d := range batch {
			all, err := h(ctx, tx, d.Event)
			if err != nil {
				return err
			}
			for _, e := range all {
				d.Emit(e)
			}
		}
		return nil
	})
}

type Asking[E events.Event, Q, A any] struct {
	Prepare func(context.Context, pgx.Tx, E) (*Q, error)
	Known   func(question Q) (answer A, known bool)
	Call    func(ctx context.Context, key string, question Q) (A, error)
	Record  func(context.Context, pgx.Tx, E, Q, A) ([]events.Event, error)
	Failed  func(context.Context, pgx.Tx, E, Q, error) error
}

func Ask[E events.Event, Q, A any](a Asking[E, Q, A]) Handler {
	return OnCall(ExternalCall[E, Q, A]{
		Prepare: EachCall(func(ctx context.Context, tx pgx.Tx, c *Call[E, Q, A]) (err error) {
			c.Request, err = a.Prepare(ctx, tx, c.Event)
			return err
		}),
		Local: a.Known, Call: a.Call,
		Record: EachCall(func(ctx context.Context, tx pgx.Tx, c *Call[E, Q, A]) error {
			all, err := a.Record(ctx, tx, c.Event, *c.Request, c.Response)
			for _, e := range all {
				c.Emit(e)
			}
			return err
		}),
		OnError: a.Failed,
	})
}
