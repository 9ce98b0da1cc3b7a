package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/tracing"
)

const publishTimeout = 3 * time.Second // for all events of a batch

var (
	errUnknown   = errors.New("the event store does not know the event")
	errDuplicate = errors.New("the event was handled before")
	errPanic     = errors.New("panic")
)

// Deliver has a function handle one event. nil means that it is done, was done before, or is a dead letter; after any
// other error the event is to be delivered again. Deliver returns once everything that the event caused is stored and
// published.
//
// Events that arrive while others are being handled share the next transaction:
//
//	BEGIN; claim them all in the inbox, which returns their stored data
//	the handler: lock, decide, write
//	store what they emit; COMMIT
//	publish all of that
//
// When anything in a batch fails, nothing of it is committed and each of its events is retried as a batch of its own.
func (rt *Runtime) Deliver(ctx context.Context, f *Function, m cloudevent.Message) error {
	if f.Schedule != nil || f.Maintenance != nil { // by a schedule, or armed by an event
		return rt.Tick(ctx, f)
	}
	began := time.Now()
	ctx, span := rt.startEvent(ctx, f, m)
	err := rt.handle(ctx, f, m)
	switch {
	case errors.Is(err, errDuplicate):
		err = rt.publishUndelivered(ctx, f, m.ID)
	case errors.Is(err, errUnknown):
		err = rt.quarantine(ctx, f, m, "unknown", err)
	case isPermanent(err):
		err = rt.quarantine(ctx, f, m, "poison", err)
	}
	span.End(err)
	rt.log(ctx, f, m, began, err)
	rt.Tracer.Flush(ctx)
	return err
}

// startEvent returns a context with the trace of an event and starts the span of its handling.
func (rt *Runtime) startEvent(ctx context.Context, f *Function, m cloudevent.Message) (context.Context, *tracing.Span) {
	ctx = cloudevent.WithTrace(ctx, m.TraceParent)
	if rt.Tracer == nil {
		return ctx, nil
	}
	return rt.Tracer.Start(ctx, f.Name, f.Name+" "+m.Type, tracing.Consumer,
		attribute.String("cloudevents.event_id", m.ID), attribute.String("cloudevents.event_type", m.Type),
		attribute.String("popup.order_id", m.OrderID))
}

func (rt *Runtime) log(ctx context.Context, f *Function, m cloudevent.Message, began time.Time, err error) {
	level, text := slog.LevelInfo, "event handled"
	if err != nil {
		level, text = slog.LevelWarn, "event will be retried"
	}
	if !rt.Log.Enabled(ctx, level) {
		return
	}
	rt.Log.Log(ctx, level, text, "function", f.Name, "type", m.Type, "event", m.ID, "order", m.OrderID,
		"ms", time.Since(began).Milliseconds(), "error", err)
}

// delivery is an event on its way through a function.
type delivery struct {
	f        *Function
	h        *Handler
	trace    context.Context    // with the span of the event, which what it causes is a part of
	message  cloudevent.Message // as received; as stored once it is verified
	item     item
	verified bool // message and item are those of the event store
	done     bool // claimed
	emitted  []cloudevent.Message
	err      error
}

// key returns what the event is about, according to its data and not to what came with them.
func (d *delivery) key() string {
	if d.item == nil {
		return d.message.Key()
	}
	about := d.item.about()
	return cmp.Or(about.OrderID, about.Subject)
}

func (rt *Runtime) handle(ctx context.Context, f *Function, m cloudevent.Message) error {
	i := slices.IndexFunc(f.On, func(h Handler) bool { return h.Event.EventType() == m.Type })
	if i < 0 {
		return Permanent(fmt.Errorf("%s does not consume %s", f.Name, m.Type))
	}
	if !id.Valid(m.ID) {
		return errUnknown
	}
	d := &delivery{f: f, h: &f.On[i], trace: ctx, message: m}
	_ = d.open(m) // what cannot be read is read from the event store
	if d.h.call != nil {
		rt.run(ctx, prepare, d)
		if d.err != nil || d.done {
			return d.err
		}
		if err := rt.callOutside(ctx, d); err != nil {
			return err
		}
	}
	rt.run(ctx, record, d)
	return d.err
}

// callOutside makes the call of a prepared event. A failed call is noted.
func (rt *Runtime) callOutside(ctx context.Context, d *delivery) error {
	key, err := id.Derive(d.f.Name, d.message.ID, "call")
	if err != nil {
		return err
	}
	calling, span := rt.Tracer.Start(ctx, d.f.Name, d.f.Name+" call", tracing.Client)
	cause := rt.recovered(d.f, func() error { return d.h.call.call(calling, key, d.item) })
	span.End(cause)
	if cause == nil {
		return nil
	}
	err = pgbatch.Transact(ctx, rt.Pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		return nil, d.h.call.onError(ctx, tx, d.item, cause)
	})
	if !isPermanent(cause) && !errors.Is(cause, errPanic) {
		cause = Unavailable(cause)
	}
	return errors.Join(cause, err)
}

// publishEmitted publishes what the events of a batch emit, all at once. What the broker rejects is the error of its
// cause, which is delivered again and published then. What it is too slow for is left to the sweeper: delivering the
// cause again would only make it slower.
func (rt *Runtime) publishEmitted(ctx context.Context, batch []*delivery) {
	var all []cloudevent.Message
	var cause []*delivery
	for _, d := range batch {
		for _, m := range published(d.emitted) {
			all, cause = append(all, m), append(cause, d)
		}
	}
	for i, err := range rt.publish(ctx, all, publishTimeout) {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			rt.Log.WarnContext(cause[i].trace, "event left to the sweeper", "function", cause[i].f.Name, "event", all[i].ID,
				"error", err)
		case err != nil && cause[i].err == nil:
			cause[i].err = Unavailable(fmt.Errorf("publish %s %s: %w", all[i].Type, all[i].ID, err))
		}
	}
}

// publishUndelivered publishes what an event caused and what a consumer has not handled yet.
func (rt *Runtime) publishUndelivered(ctx context.Context, f *Function, cause string) error {
	messages, err := eventstore.Undelivered(ctx, rt.Pool, f.Name, cause)
	if err != nil {
		return err
	}
	if err := errors.Join(rt.publish(ctx, messages, publishTimeout)...); err != nil {
		return Unavailable(fmt.Errorf("publish what %s caused: %w", cause, err))
	}
	return nil
}

// recovered returns the error of do, or its panic as one.
func (rt *Runtime) recovered(f *Function, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			rt.Log.Error("panic", "function", f.Name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return do()
}

// quarantine stores an event as a dead letter.
func (rt *Runtime) quarantine(ctx context.Context, f *Function, m cloudevent.Message, kind string, why error) error {
	rt.Log.ErrorContext(ctx, "dead letter", "function", f.Name, "type", m.Type, "event", m.ID, "kind", kind, "error", why)
	return pgbatch.Transact(ctx, rt.Pool, nil, func(*pgbatch.Tx) ([]pgbatch.Statement, error) {
		return []pgbatch.Statement{eventstore.Quarantine(f.Name, rt.Revision, kind, why.Error(), m)}, nil
	})
}
