package function

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
)

// Handler is what a function does with one type of event.
type Handler struct {
	Event  events.Event // its zero value
	open   func(data []byte) (item, error)
	handle func(ctx context.Context, tx pgx.Tx, batch []item) error
	call   *externalCall // nil for a handler that calls no outside service
}

// Delivery is one event of a batch, with the events that it causes.
type Delivery[E events.Event] struct {
	Event   E
	emitted []events.Event
}

// Emit adds an event that this one causes. They are numbered, stored together and published in the order of the calls.
func (d *Delivery[E]) Emit(e events.Event) { d.emitted = append(d.emitted, e) }

func (d *Delivery[E]) results() []events.Event { return d.emitted }

func (d *Delivery[E]) reset() { d.emitted = nil }

func (d *Delivery[E]) about() events.About { return d.Event.About() }

// OrderIDs returns the order that each event of a batch is about.
func OrderIDs[E events.Event](batch []*Delivery[E]) []string {
	ids := make([]string, len(batch))
	for i, d := range batch {
		ids[i] = d.Event.About().OrderID
	}
	return ids
}

// item is a delivery of any type.
type item interface {
	about() events.About
	results() []events.Event
	reset()
}

// On declares what a function does with events of type E. They come in batches of one or more, never two of one order;
// all that handle writes is one transaction. It may be run again, with the same events or some of them, before that is
// committed.
func On[E events.Event](handle func(ctx context.Context, tx pgx.Tx, batch []*Delivery[E]) error) Handler {
	var zero E
	return Handler{
		Event: zero,
		open: func(data []byte) (item, error) {
			d := &Delivery[E]{}
			return d, read(data, &d.Event)
		},
		handle: func(ctx context.Context, tx pgx.Tx, batch []item) error {
			return handle(ctx, tx, typed[*Delivery[E]](batch))
		},
	}
}

// Each returns a handler of batches that calls handle for one event after the other; what it returns is emitted, unless
// it is nil. It suits every function that is not on each order's path.
func Each[E events.Event](
	handle func(ctx context.Context, tx pgx.Tx, e E) (events.Event, error),
) func(ctx context.Context, tx pgx.Tx, batch []*Delivery[E]) error {
	return func(ctx context.Context, tx pgx.Tx, batch []*Delivery[E]) error {
		for _, d := range batch {
			emitted, err := handle(ctx, tx, d.Event)
			if err != nil {
				return err
			}
			if emitted != nil {
				d.Emit(emitted)
			}
		}
		return nil
	}
}

// Call is one event of a batch whose handling needs an outside service: its request, if there is one to make, and the
// response.
type Call[E events.Event, Q, A any] struct {
	Delivery[E]
	Request  *Q // nil: nothing to ask for
	Response A
	local    bool
}

// ExternalCall is a handler that calls an outside service. Prepare decides in a transaction what to request. Call makes
// one request outside any transaction, with a key that is the same on every attempt. Record stores the responses in
// another transaction. Local, if set, answers a request without a call; then Record follows in the transaction of
// Prepare. OnError, if set, notes a failed call; the event is retried all the same.
type ExternalCall[E events.Event, Q, A any] struct {
	Prepare func(ctx context.Context, tx pgx.Tx, batch []*Call[E, Q, A]) error
	Local   func(request Q) (response A, ok bool)
	Call    func(ctx context.Context, key string, request Q) (A, error)
	Record  func(ctx context.Context, tx pgx.Tx, batch []*Call[E, Q, A]) error
	OnError func(ctx context.Context, tx pgx.Tx, e E, request Q, cause error) error
}

// externalCall is an ExternalCall of any type.
type externalCall struct {
	prepare func(ctx context.Context, tx pgx.Tx, batch []item) error
	pending func(item) bool // reports whether the call is to be made
	call    func(ctx context.Context, key string, i item) error
	onError func(ctx context.Context, tx pgx.Tx, i item, cause error) error
}

// OnCall declares a handler of events of type E that calls an outside service.
func OnCall[E events.Event, Q, A any](c ExternalCall[E, Q, A]) Handler {
	var zero E
	one := func(i item) *Call[E, Q, A] { return i.(*Call[E, Q, A]) }
	record := func(ctx context.Context, tx pgx.Tx, batch []item) error {
		return c.Record(ctx, tx, typed[*Call[E, Q, A]](batch))
	}
	return Handler{
		Event: zero,
		open: func(data []byte) (item, error) {
			d := &Call[E, Q, A]{}
			return d, read(data, &d.Event)
		},
		handle: record,
		call: &externalCall{
			prepare: func(ctx context.Context, tx pgx.Tx, batch []item) error {
				calls := typed[*Call[E, Q, A]](batch)
				for _, d := range calls {
					d.Request, d.local = nil, false
				}
				if err := c.Prepare(ctx, tx, calls); err != nil {
					return err
				}
				local := c.answerLocally(calls)
				if len(local) == 0 {
					return nil
				}
				return c.Record(ctx, tx, local)
			},
			pending: func(i item) bool { return one(i).Request != nil && !one(i).local },
			call: func(ctx context.Context, key string, i item) (err error) {
				one(i).Response, err = c.Call(ctx, key, *one(i).Request)
				return err
			},
			onError: func(ctx context.Context, tx pgx.Tx, i item, cause error) error {
				if c.OnError == nil {
					return nil
				}
				return c.OnError(ctx, tx, one(i).Event, *one(i).Request, cause)
			},
		},
	}
}

// answerLocally returns the calls that need no outside service, with their responses.
func (c ExternalCall[E, Q, A]) answerLocally(calls []*Call[E, Q, A]) (local []*Call[E, Q, A]) {
	if c.Local == nil {
		return nil
	}
	for _, d := range calls {
		if d.Request == nil {
			continue
		}
		if d.Response, d.local = c.Local(*d.Request); d.local {
			local = append(local, d)
		}
	}
	return local
}

// EachCall returns a Prepare or Record that calls handle for one event after the other.
func EachCall[E events.Event, Q, A any](
	handle func(ctx context.Context, tx pgx.Tx, c *Call[E, Q, A]) error,
) func(ctx context.Context, tx pgx.Tx, batch []*Call[E, Q, A]) error {
	return func(ctx context.Context, tx pgx.Tx, batch []*Call[E, Q, A]) error {
		for _, c := range batch {
			if err := handle(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

func read[E events.Event](data []byte, into *E) error {
	if err := json.Unmarshal(data, into); err != nil {
		return Permanent(fmt.Errorf("read %s: %w", (*into).EventType(), err))
	}
	return nil
}

func typed[D item](batch []item) []D {
	all := make([]D, len(batch))
	for i, b := range batch {
		all[i] = b.(D)
	}
	return all
}
