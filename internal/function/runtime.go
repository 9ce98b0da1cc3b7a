package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/tracing"
)

const (
	callerWaits = 300 * time.Millisecond // for what a call emits to be published
	// for all of it to be published, after the response; then it is left to the sweeper
	callEmits = 10 * time.Second
)

// ErrOverloaded is returned when a function has more to do than it can.
var ErrOverloaded = pgbatch.ErrOverloaded

// MaxEventData is the largest data of an event, in bytes.
const MaxEventData = eventstore.MaxEventBytes

// ErrTooLarge reports an event whose data are larger than MaxEventData.
var ErrTooLarge = errors.New("the data of an event are larger than 64 KiB")

// Runtime is what functions run on: one per process.
type Runtime struct {
	Pool         *pgxpool.Pool
	Sink         cloudevent.Publisher
	Log          *slog.Logger
	Tracer       *tracing.Tracer // nil: no traces
	Revision     string          // of the program, stored with its dead letters
	Dependencies Dependencies
	Stopping     <-chan struct{} // closed when the program begins to stop: long responses end then; nil: never

	// Gateway returns the shop's entry point, in a program that contains it; nil elsewhere.
	Gateway func() http.Handler

	arming sync.Mutex
	// the functions of the schedule that wait for a time, and where they receive another one
	armed map[string]chan time.Time

	once     sync.Once
	slots    pgbatch.Slots // of batches
	retry    pgbatch.Slots // of events whose batch failed
	patient  pgbatch.Slots // of events that failed alone
	batchers sync.Map      // by function and phase
	failed   failedEvents

	publishing sync.WaitGroup // of what calls emitted

	sent atomic.Int64
}

// Sent returns how many messages the functions of this runtime gave to the broker.
func (rt *Runtime) Sent() int64 { return rt.sent.Load() }

// countingSink is the sink of a runtime, with a count of what is published.
type countingSink struct{ *Runtime }

// Publish implements [cloudevent.Publisher].
func (s countingSink) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	s.sent.Add(int64(len(messages)))
	return s.Sink.Publish(ctx, messages)
}

// batcherKey identifies a batcher.
type batcherKey struct {
	f *Function
	p *phase
}

// batcher returns the batcher of a phase of a function. All of them share the slots of the process.
func (rt *Runtime) batcher(f *Function, p *phase) *pgbatch.Batcher[*delivery] {
	rt.init()
	key := batcherKey{f, p}
	if b, ok := rt.batchers.Load(key); ok {
		return b.(*pgbatch.Batcher[*delivery])
	}
	b, _ := rt.batchers.LoadOrStore(key, pgbatch.NewBatcher(rt.slots, sameBatch,
		func(ctx context.Context, batch []*delivery) func() {
			return rt.runBatch(ctx, p, batch)
		}))
	return b.(*pgbatch.Batcher[*delivery])
}

func (rt *Runtime) init() {
	rt.once.Do(func() {
		rt.slots = pgbatch.NewSlots(batchesAtATime)
		rt.retry, rt.patient = pgbatch.NewSlots(retriesAtATime), pgbatch.NewSlots(retriesAtATime)
	})
}

// Do runs what an HTTP caller requested in one transaction with the events that it causes, and publishes these as far
// as a caller's patience allows; the sweeper publishes the rest. COMMIT waits for the disk. The transaction starts with
// scope. Do returns ErrTooLarge, and changes nothing, when one of the events is too large to store.
func (rt *Runtime) Do(
	ctx context.Context, function, traceparent string, scope pgbatch.Statement, do func(pgx.Tx) ([]events.Event, error),
) error {
	cause, err := uuid.NewV7()
	if err != nil {
		return err
	}
	var emitted []cloudevent.Message
	err = pgbatch.Retry(ctx, maxTries, pgbatch.IsRetryable, func() error {
		return pgbatch.Transact(ctx, rt.Pool, headOf(scope), func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
			results, err := do(tx)
			if err != nil || len(results) == 0 {
				return nil, err
			}
			emitted, err = eventstore.Emitted(function, cause.String(), traceparent, results)
			if i := slices.IndexFunc(emitted, tooLarge); i >= 0 {
				return nil, fmt.Errorf("emit %s: %w", emitted[i].Type, ErrTooLarge)
			}
			return []pgbatch.Statement{eventstore.Append(emitted, func([]string) {})}, err
		})
	})
	if err != nil {
		return err
	}
	rt.publishForCaller(ctx, function, published(emitted))
	return nil
}

// publishForCaller publishes what a call emitted and blocks while a caller is patient. Publishing goes on after the
// response: the first connection of a program that has just started can take longer.
func (rt *Runtime) publishForCaller(ctx context.Context, function string, messages []cloudevent.Message) {
	if len(messages) == 0 {
		return
	}
	done := make(chan struct{})
	rt.publishing.Go(func() {
		defer close(done)
		if err := errors.Join(rt.publish(context.WithoutCancel(ctx), messages, callEmits)...); err != nil {
			rt.Log.WarnContext(ctx, "events left to the sweeper", "function", function, "error", err)
		}
	})
	patience := time.NewTimer(callerWaits)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}

// Wait blocks until everything that calls emitted is published or left to the sweeper.
func (rt *Runtime) Wait() { rt.publishing.Wait() }

func tooLarge(m cloudevent.Message) bool { return len(m.Data) > MaxEventData }

// Reader returns a reader whose queries start with scope.
func (rt *Runtime) Reader(scope pgbatch.Statement) pgbatch.Reader {
	return pgbatch.Reader{Pool: rt.Pool, Head: headOf(scope)}
}

func headOf(scope pgbatch.Statement) []pgbatch.Statement {
	if scope.SQL == "" {
		return nil
	}
	return []pgbatch.Statement{scope}
}

// StoreDeadLetter passes an event that could not be delivered to the function that stores them.
func (rt *Runtime) StoreDeadLetter(ctx context.Context, f *Function, dead cloudevent.DeadLetter) error {
	return pgbatch.Retry(ctx, maxTries, pgbatch.IsRetryable, func() error {
		return pgbatch.Transact(ctx, rt.Pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
			return nil, f.DeadLetters(ctx, tx, dead)
		})
	})
}

// publish publishes messages within a time and returns an error for each that the broker did not store.
func (rt *Runtime) publish(ctx context.Context, messages []cloudevent.Message, within time.Duration) []error {
	if len(messages) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return countingSink{rt}.Publish(ctx, messages)
}

// published returns the messages that have a consumer; the others are only stored.
func published(messages []cloudevent.Message) []cloudevent.Message {
	all := messages[:0:0]
	for _, m := range messages {
		if !events.IsStoreOnly(m.Type) {
			all = append(all, m)
		}
	}
	return all
}

// failedEvents remembers events that failed alone, so that they do not fail another batch.
type failedEvents struct {
	mu  sync.Mutex
	ids map[string]bool
}

// maxFailedEvents bounds what is remembered; beyond it all is forgotten, which costs a few batches.
const maxFailedEvents = 10_000

func (f *failedEvents) has(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids[id]
}

func (f *failedEvents) set(id string, failed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !failed {
		delete(f.ids, id)
		return
	}
	if f.ids == nil || len(f.ids) >= maxFailedEvents {
		f.ids = map[string]bool{}
	}
	f.ids[id] = true
}

func (d *delivery) failedKey() string { return fmt.Sprint(d.f.Name, " ", d.message.ID) }
