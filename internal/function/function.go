// Package function is the shell that every step of the shop stands on: transaction, inbox, outbox, publish before
// acknowledge, drain. A step is a function of a transaction and an input; the shell does the rest. It knows no domain.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
)

// Function declares a step: what it is told, what it says, which tables it writes.
type Function struct {
	Name   string         // verb-noun: folder, command, image, Service and Trigger bear it too
	On     []Handler      // the events it is told
	Clock  Clock          // or: what it does when the clock strikes
	Upkeep Upkeep         // or: care for the ledger itself
	Dead   DeadLetters    // or: takes what no other function could handle
	Door   Door           // or: the HTTP routes it serves
	Emits  []events.Event // all it may say
	Writes []string       // the tables it may write, beside those of the ledger
	Locks  []string       // the tables whose rows it locks and does not write

	// LockFirst locks what events of different orders may have in common, in one order for all. It is sent before the handlers
	// of events that share a transaction, with their orders as @orders; without it they would lock it in one another's way.
	LockFirst string

	// Durable makes commits that say something wait for the disk. Without it a commit may be lost in a crash of the database,
	// and is made again from the ledger. That is not enough where people act on what is said, nor where several facts meet and
	// the last one is the cause of what is said: made again, another may be the last.
	Durable bool
}

// Clock is called about once a minute. next is the time of the next thing that is due, or zero; within the next minute the
// shell waits for it and calls again.
type Clock func(ctx context.Context, tx pgx.Tx, now time.Time) (said []events.Event, next time.Time, err error)

// Upkeep works on the ledger itself and publishes what it finds there. Only sweep-events has one.
type Upkeep func(ctx context.Context, pool *pgxpool.Pool, sink Publisher) error

// DeadLetters keeps an event that could not be delivered. Only park-event has one.
type DeadLetters func(ctx context.Context, tx pgx.Tx, dead DeadLetter) error

// Door is a set of HTTP routes.
type Door interface {
	Routes() []Route
	Open(mux *http.ServeMux, rt *Runtime)
}

// Route is one declared way in: its method, its path with {wildcards}, and who may take it.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Who    string `json:"who"`

	// CacheFor is how many seconds the gateway may keep an answer; it is the same for all who may have it.
	CacheFor int `json:"cache_for,omitempty"`

	// BodyMost is how many bytes a call may send, where that is more than the limit of all routes.
	BodyMost int64 `json:"body_most,omitempty"`
}

// Handler is what a function does when it is told one type of event.
type Handler struct {
	Event events.Event // its zero value
	open  func(data []byte) (step, error)
}

// step is one handling of one event: prepare and record run in transactions, call runs between them and outside both.
type step interface {
	prepare(ctx context.Context, tx pgx.Tx) (said []events.Event, ask bool, err error)
	call(ctx context.Context, key string) error
	record(ctx context.Context, tx pgx.Tx) ([]events.Event, error)
	failed(ctx context.Context, tx pgx.Tx, cause error) error
	asks() bool
}

// On declares what a function does when it is told E, and the one event it says as a result, or nil.
func On[E events.Event](handle func(context.Context, pgx.Tx, E) (events.Event, error)) Handler {
	return OnBatch(func(ctx context.Context, tx pgx.Tx, e E) ([]events.Event, error) {
		said, err := handle(ctx, tx, e)
		if said == nil || err != nil {
			return nil, err
		}
		return []events.Event{said}, nil
	})
}

// OnBatch is On for a cause that has several results. They are numbered, stored together and published in that order.
func OnBatch[E events.Event](handle func(context.Context, pgx.Tx, E) ([]events.Event, error)) Handler {
	return declare(func(e E) step { return &told[E]{e: e, handle: handle} })
}

// Asking is a step that must ask somebody outside: Prepare decides in a transaction what to ask (nil: nothing), Call asks
// outside any transaction with a key that is the same on every attempt, Record stores the answer. Known, if set, answers
// what nobody outside need be asked: then Record follows in the transaction of Prepare. Failed, if set, notes a call that
// went wrong; the event is tried again all the same.
type Asking[E events.Event, Q, A any] struct {
	Prepare func(context.Context, pgx.Tx, E) (*Q, error)
	Known   func(question Q) (answer A, known bool)
	Call    func(ctx context.Context, key string, question Q) (A, error)
	Record  func(context.Context, pgx.Tx, E, Q, A) ([]events.Event, error)
	Failed  func(context.Context, pgx.Tx, E, Q, error) error
}

// Ask declares a step that asks somebody outside when it is told E.
func Ask[E events.Event, Q, A any](asking Asking[E, Q, A]) Handler {
	return declare(func(e E) step { return &asked[E, Q, A]{e: e, Asking: asking} })
}

func declare[E events.Event](with func(E) step) Handler {
	var zero E
	return Handler{Event: zero, open: func(data []byte) (step, error) {
		var e E
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, Permanent(fmt.Errorf("read %s: %w", zero.EventType(), err))
		}
		return with(e), nil
	}}
}

type told[E events.Event] struct {
	e      E
	handle func(context.Context, pgx.Tx, E) ([]events.Event, error)
}

func (t *told[E]) asks() bool                                  { return false }
func (t *told[E]) call(context.Context, string) error          { return nil }
func (t *told[E]) failed(context.Context, pgx.Tx, error) error { return nil }
func (t *told[E]) prepare(context.Context, pgx.Tx) ([]events.Event, bool, error) {
	return nil, false, nil
}

func (t *told[E]) record(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return t.handle(ctx, tx, t.e)
}

type asked[E events.Event, Q, A any] struct {
	Asking[E, Q, A]
	e        E
	question *Q
	answer   A
}

func (a *asked[E, Q, A]) asks() bool { return true }

func (a *asked[E, Q, A]) prepare(ctx context.Context, tx pgx.Tx) (said []events.Event, ask bool, err error) {
	a.question, err = a.Prepare(ctx, tx, a.e)
	if a.question == nil || err != nil {
		return nil, false, err
	}
	if a.Known != nil {
		if answer, known := a.Known(*a.question); known {
			said, err = a.Record(ctx, tx, a.e, *a.question, answer)
			return said, false, err
		}
	}
	return nil, true, nil
}

func (a *asked[E, Q, A]) call(ctx context.Context, key string) (err error) {
	a.answer, err = a.Call(ctx, key, *a.question)
	return err
}

func (a *asked[E, Q, A]) record(ctx context.Context, tx pgx.Tx) ([]events.Event, error) {
	return a.Record(ctx, tx, a.e, *a.question, a.answer)
}

func (a *asked[E, Q, A]) failed(ctx context.Context, tx pgx.Tx, cause error) error {
	if a.Failed == nil {
		return nil
	}
	return a.Failed(ctx, tx, a.e, *a.question, cause)
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no retry can cure: the event is parked for a person. Every other error is tried again.
func Permanent(err error) error { return permanent{err} }

type away struct{ error }

func (a away) Unwrap() error { return a.error }

// Away marks an error as no verdict on the event: somebody outside does not answer. The event is tried again for as long
// as it takes, and is not parked. What a Call returns is marked by the shell.
func Away(err error) error { return away{err} }

// Reason is what a function has to say against an event: nothing when somebody outside was away.
func Reason(err error) string {
	var a away
	if errors.As(err, &a) {
		return ""
	}
	return err.Error()
}

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}
