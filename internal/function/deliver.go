package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/pgbatch"
)

const (
	maxBatch         = 32               // events in one transaction
	batchesAtATime   = 2                // in all functions of a process
	retriesAtATime   = 2                // of events whose batch failed, and of those that failed alone
	maxTries         = 3                // of an event in place, before it is delivered again
	batchTimeout     = 20 * time.Second // for one transaction
	lockTimeout      = "250ms"          // for each lock: an event that waits for one delays its batch by no more
	shortLockTimeout = "50ms"           // of the first retry alone: the others of a failed batch wait no longer for each other
	publishTimeout   = 3 * time.Second  // for all events of a batch
)

var (
	errUnknown   = errors.New("the event store does not know the event")
	errDuplicate = errors.New("the event was handled before")
	errPanic     = errors.New("panic")

	// errBatchFailed says that a batch failed, whichever of its events is at fault: that shows when each is retried alone.
	errBatchFailed = errors.New("the batch failed")
)

// Deliver has a function handle one event. nil means that it is done, was done before, or is a dead letter; after any other
// error the event is to be delivered again. Deliver returns once everything that the event caused is stored and published.
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
	err := rt.handle(ctx, f, m)
	switch {
	case errors.Is(err, errDuplicate):
		err = rt.publishUndelivered(ctx, f, m.ID)
	case errors.Is(err, errUnknown):
		err = rt.quarantine(ctx, f, m, "unknown", err)
	case isPermanent(err):
		err = rt.quarantine(ctx, f, m, "poison", err)
	}
	rt.log(ctx, f, m, began, err)
	return err
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
		"trace", m.TraceParent, "ms", time.Since(began).Milliseconds(), "error", err)
}

// delivery is an event on its way through a function.
type delivery struct {
	f       *Function
	h       *Handler
	message cloudevent.Message // as received; as stored once it is claimed
	item    item
	done    bool // claimed
	emitted []cloudevent.Message
	err     error
}

func (rt *Runtime) handle(ctx context.Context, f *Function, m cloudevent.Message) error {
	i := slices.IndexFunc(f.On, func(h Handler) bool { return h.Event.EventType() == m.Type })
	if i < 0 {
		return Permanent(fmt.Errorf("%s does not consume %s", f.Name, m.Type))
	}
	if !id.Valid(m.ID) {
		return errUnknown
	}
	d := &delivery{f: f, h: &f.On[i], message: m}
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
	cause := rt.recovered(d.f, func() error { return d.h.call.call(ctx, key, d.item) })
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

// phase is a part of the handling that is one transaction.
type phase struct {
	name    string
	receive func(context.Context, pgx.Tx, string, eventstore.Options, []cloudevent.Message) ([]eventstore.Received, error)
	handle  func(*Handler) func(context.Context, pgx.Tx, []item) error
	pending func(*delivery) bool // reports whether the event is not done after this phase
}

// An event is recorded in one transaction; where an outside service is called, another one prepares that.
var (
	prepare = &phase{
		name:    "prepare",
		receive: eventstore.CheckUnclaimed,
		handle:  func(h *Handler) func(context.Context, pgx.Tx, []item) error { return h.call.prepare },
		pending: func(d *delivery) bool { return d.h.call.pending(d.item) },
	}
	record = &phase{
		name:    "record",
		receive: eventstore.Claim,
		handle:  func(h *Handler) func(context.Context, pgx.Tx, []item) error { return h.handle },
		pending: func(*delivery) bool { return false },
	}
)

// run runs a phase of an event in a batch. When the batch fails, the event is retried alone: once for a short time, so that those
// which are not at fault get done, and then, like an event that failed alone before, as long as a lock may take.
func (rt *Runtime) run(ctx context.Context, p *phase, d *delivery) {
	if rt.failed.has(d.failedKey()) {
		_ = rt.runAlone(ctx, p, d, rt.patient, lockTimeout, maxTries)
	} else if rt.batcher(d.f, p).Do(ctx, d); errors.Is(d.err, errBatchFailed) {
		if err := rt.runAlone(ctx, p, d, rt.retry, shortLockTimeout, 1); retryableAlone(err) {
			_ = rt.runAlone(ctx, p, d, rt.patient, lockTimeout, maxTries-2)
		}
	} else {
		return // published with its batch
	}
	if d.err == nil {
		rt.publishEmitted(ctx, []*delivery{d})
	}
}

// sameBatch reports whether an event may join a batch: it holds events of one type, and one of each order or other subject. Two of
// one order would both read its current version, and the second write would roll back the work of all.
func sameBatch(batch []*delivery, next *delivery) bool {
	return len(batch) < maxBatch && batch[0].h == next.h && !slices.ContainsFunc(batch, func(d *delivery) bool {
		return d.message.Key() == next.message.Key() || d.message.ID == next.message.ID
	})
}

// runBatch runs a phase of a batch in a slot. After the slot is free, it publishes what the batch emits.
func (rt *Runtime) runBatch(ctx context.Context, p *phase, batch []*delivery) (after func()) {
	for _, d := range batch {
		d.err = nil
	}
	err := rt.transact(ctx, p, batch, lockTimeout)
	if err == nil {
		return func() { rt.publishEmitted(ctx, batch) }
	}
	retry := len(batch) > 1 || pgbatch.IsRetryable(err) || errors.Is(err, errBatchFailed)
	for _, d := range batch {
		switch {
		case d.err != nil: // a duplicate or unknown, whatever became of the others
		case retry:
			d.err = errBatchFailed
		default:
			d.err = verdict(err)
		}
	}
	return func() {}
}

// runAlone runs a phase of an event in a transaction of its own, in a lane beside the slots of batches. It returns the error of the
// transaction; d.err is what becomes of the event.
func (rt *Runtime) runAlone(ctx context.Context, p *phase, d *delivery, lane pgbatch.Slots, lockTimeout string, tries int) error {
	lane <- struct{}{}
	err := pgbatch.Retry(ctx, tries, retryableAlone, func() error {
		d.err = nil
		return rt.transact(ctx, p, []*delivery{d}, lockTimeout)
	})
	<-lane
	rt.failed.set(d.failedKey(), err != nil)
	if err != nil && d.err == nil {
		d.err = verdict(err)
	}
	return err
}

func retryableAlone(err error) bool { return pgbatch.IsRetryable(err) || pgbatch.IsConstraint(err) }

// transact runs a phase of a batch in one transaction. An event that is a duplicate or unknown gets its error; the others go on
// without it.
func (rt *Runtime) transact(ctx context.Context, p *phase, batch []*delivery, lockTimeout string) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	f := batch[0].f
	err := pgbatch.Transact(ctx, rt.Pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		fresh, err := rt.receive(ctx, tx, p, batch, lockTimeout)
		if err != nil || len(fresh) == 0 {
			return nil, err
		}
		items := make([]item, len(fresh))
		for i, d := range fresh {
			items[i] = d.item
		}
		err = rt.recovered(f, func() error { return p.handle(fresh[0].h)(ctx, tx, items) })
		if err != nil {
			return nil, err
		}
		return tail(p, fresh)
	})
	if err != nil && eventstore.IsClaimed(err) {
		if len(batch) > 1 {
			return errBatchFailed
		}
		return errDuplicate
	}
	return err
}

// receive reads what is stored of the events and returns those to handle, ordered by their keys.
func (rt *Runtime) receive(ctx context.Context, tx *pgbatch.Tx, p *phase, batch []*delivery, lockTimeout string) ([]*delivery, error) {
	f := batch[0].f
	messages := make([]cloudevent.Message, len(batch))
	for i, d := range batch {
		messages[i] = d.message
	}
	options := eventstore.Options{AsyncCommit: !f.SyncCommit, LockTimeout: lockTimeout}
	received, err := p.receive(ctx, tx, f.Name, options, messages)
	if err != nil {
		return nil, err
	}
	fresh := make([]*delivery, 0, len(batch))
	keys := map[string]bool{}
	for i, r := range received {
		d := batch[i]
		switch r.State {
		case eventstore.Unknown:
			d.err = errUnknown
			continue
		case eventstore.Duplicate:
			d.err = errDuplicate
			continue
		}
		if key := r.Message.Key(); keys[key] { // what came over the wire named another
			return nil, errBatchFailed
		} else {
			keys[key] = true
		}
		if err := d.open(r.Message); err != nil {
			return nil, err
		}
		fresh = append(fresh, d)
	}
	slices.SortStableFunc(fresh, func(a, b *delivery) int { return strings.Compare(a.message.Key(), b.message.Key()) })
	return fresh, nil
}

// open reads the stored event. One that was prepared before keeps its request and response.
func (d *delivery) open(m cloudevent.Message) (err error) {
	m.Time = d.message.Time
	m.TraceParent = cmp.Or(m.TraceParent, d.message.TraceParent)
	d.message, d.emitted, d.done = m, nil, false
	if d.item != nil {
		d.item.reset()
		return nil
	}
	d.item, err = d.h.open(m.Data)
	if err != nil {
		d.item = nil
	}
	return err
}

// tail returns the statements that end a transaction: what is done is claimed and what is emitted is stored.
func tail(p *phase, batch []*delivery) (statements []pgbatch.Statement, err error) {
	f := batch[0].f
	var done, emitted []cloudevent.Message
	for _, d := range batch {
		if d.done = !p.pending(d); d.done {
			done = append(done, d.message)
		}
		d.emitted, err = eventstore.Emitted(f.Name, d.message.ID, d.message.TraceParent, d.item.results())
		if err != nil {
			return nil, err
		}
		emitted = append(emitted, d.emitted...)
	}
	if p == prepare && len(done) > 0 {
		statements = append(statements, eventstore.ClaimChecked(f.Name, done))
	}
	switch {
	case len(done) < len(batch): // what is prepared is on disk before the call
		statements = append(statements, eventstore.CommitSync)
	case f.SyncCommit && len(emitted) == 0:
		statements = append(statements, eventstore.CommitAsync)
	}
	if len(emitted) > 0 {
		statements = append(statements, eventstore.Append(emitted, func([]string) {}))
	}
	return statements, nil
}

// publishEmitted publishes what the events of a batch emit, all at once. What the broker does not store is the error of its cause.
func (rt *Runtime) publishEmitted(ctx context.Context, batch []*delivery) {
	var all []cloudevent.Message
	var cause []*delivery
	for _, d := range batch {
		for _, m := range published(d.emitted) {
			all, cause = append(all, m), append(cause, d)
		}
	}
	for i, err := range rt.publish(ctx, all, publishTimeout) {
		if err != nil && cause[i].err == nil {
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
	rt.Log.Error("dead letter", "function", f.Name, "type", m.Type, "event", m.ID, "kind", kind, "error", why)
	return pgbatch.Transact(ctx, rt.Pool, nil, func(*pgbatch.Tx) ([]pgbatch.Statement, error) {
		return []pgbatch.Statement{eventstore.Quarantine(f.Name, rt.Revision, kind, why.Error(), m)}, nil
	})
}
