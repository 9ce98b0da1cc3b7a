package function

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/tracing"
)

const (
	maxBatch       = 32               // events in one transaction
	batchesAtATime = 2                // in all functions of a process
	retriesAtATime = 2                // of events whose batch failed, and of those that failed alone
	maxTries       = 3                // of an event in place, before it is delivered again
	batchTimeout   = 20 * time.Second // for one transaction
	lockTimeout    = "250ms"          // for each lock: an event that waits for one delays its batch by no more
	// of the first retry alone: the others of a failed batch wait no longer for each other
	shortLockTimeout = "50ms"
)

// errBatchFailed reports that a batch failed. Which of its events is at fault shows when each is retried alone.
var errBatchFailed = errors.New("the batch failed")

// phase is a part of the handling that is one transaction.
type phase struct {
	name    string
	claim   func(string, eventstore.Options, []cloudevent.Message, func([]eventstore.Received) error) pgbatch.Statement
	handle  func(*Handler) func(context.Context, pgx.Tx, []item) error
	pending func(*delivery) bool // reports whether the event is not done after this phase
}

// An event is recorded in one transaction; where an outside service is called, another one prepares that.
var (
	prepare = &phase{
		name:    "prepare",
		claim:   eventstore.CheckUnclaimed,
		handle:  func(h *Handler) func(context.Context, pgx.Tx, []item) error { return h.call.prepare },
		pending: func(d *delivery) bool { return d.h.call.pending(d.item) },
	}
	record = &phase{
		name:    "record",
		claim:   eventstore.Claim,
		handle:  func(h *Handler) func(context.Context, pgx.Tx, []item) error { return h.handle },
		pending: func(*delivery) bool { return false },
	}
)

// run runs a phase of an event in a batch. When the batch fails, the event is retried alone: once for a short time, so
// that those which are not at fault get done, and then, like an event that failed alone before, as long as a lock may
// take.
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

// sameBatch reports whether an event may join a batch: it holds events of one type, and one of each order or other
// subject. Two of one order would both read its current version, and the second write would roll back the work of all.
func sameBatch(batch []*delivery, next *delivery) bool {
	return len(batch) < maxBatch && batch[0].h == next.h && !slices.ContainsFunc(batch, func(d *delivery) bool {
		return d.key() == next.key() || d.message.ID == next.message.ID
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

// runAlone runs a phase of an event in a transaction of its own, in a lane beside the slots of batches. It returns the
// error of the transaction; d.err is what becomes of the event.
func (rt *Runtime) runAlone(
	ctx context.Context, p *phase, d *delivery, lane pgbatch.Slots, lockTimeout string, tries int,
) error {
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

// errNotAsStored reports that an event is not in the event store as it was received, or was handled before.
var errNotAsStored = errors.New("an event is not as it is stored")

// transact runs a phase of a batch in one transaction. It begins with the events as they were received, so that the
// claim travels with the handler's first query. When the claim returns that one of them is stored otherwise, is unknown
// or a duplicate, nothing of that is kept, and the phase runs again with what is stored: a duplicate or unknown event
// gets its error, and the others go on without it.
func (rt *Runtime) transact(ctx context.Context, p *phase, batch []*delivery, lockTimeout string) error {
	ctx, cancel := context.WithTimeout(rt.grouped(ctx, batch), batchTimeout)
	defer cancel()
	err := rt.transactAsReceived(ctx, p, batch, lockTimeout)
	if errors.Is(err, errNotAsStored) {
		err = rt.transactAsStored(ctx, p, batch, lockTimeout)
	}
	switch {
	case err == nil || !eventstore.IsClaimed(err):
		return err
	case len(batch) > 1:
		return errBatchFailed
	}
	return errDuplicate
}

// grouped returns a context whose statements are spans of each event of a batch.
func (rt *Runtime) grouped(ctx context.Context, batch []*delivery) context.Context {
	if rt.Tracer == nil {
		return ctx
	}
	traces := make([]context.Context, len(batch))
	for i, d := range batch {
		traces[i] = d.trace
	}
	return tracing.Group(ctx, traces)
}

// traceparent returns that of what the event causes, with the span of its handling.
func (rt *Runtime) traceparent(d *delivery) string {
	if rt.Tracer == nil {
		return cloudevent.ChildTrace(d.message.TraceParent, d.f.Name, d.message.ID)
	}
	return cloudevent.Trace(d.trace)
}

func (rt *Runtime) transactAsReceived(ctx context.Context, p *phase, batch []*delivery, lockTimeout string) error {
	for _, d := range batch {
		if err := d.open(d.message); err != nil {
			return errNotAsStored
		}
	}
	batch = inKeyOrder(batch)
	claim := rt.claim(p, batch, lockTimeout, func(received []eventstore.Received) error {
		for i, r := range received {
			if r.State != eventstore.Fresh || !sameContent(r.Message, batch[i].message) {
				return errNotAsStored
			}
			batch[i].verified = true
		}
		return nil
	})
	return pgbatch.Transact(ctx, rt.Pool, []pgbatch.Statement{claim}, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		return rt.handleBatch(ctx, tx, p, batch)
	})
}

func (rt *Runtime) transactAsStored(ctx context.Context, p *phase, batch []*delivery, lockTimeout string) error {
	var fresh []*delivery
	claim := rt.claim(p, batch, lockTimeout, func(received []eventstore.Received) (err error) {
		fresh, err = openStored(batch, received)
		return err
	})
	return pgbatch.Transact(ctx, rt.Pool, []pgbatch.Statement{claim}, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		if err := tx.Flush(ctx); err != nil || len(fresh) == 0 {
			return nil, err
		}
		return rt.handleBatch(ctx, tx, p, inKeyOrder(fresh))
	})
}

func (rt *Runtime) claim(
	p *phase, batch []*delivery, lockTimeout string, then func([]eventstore.Received) error,
) pgbatch.Statement {
	f := batch[0].f
	messages := make([]cloudevent.Message, len(batch))
	for i, d := range batch {
		messages[i] = d.message
	}
	return p.claim(f.Name, eventstore.Options{AsyncCommit: !f.SyncCommit, LockTimeout: lockTimeout}, messages, then)
}

func (rt *Runtime) handleBatch(
	ctx context.Context, tx *pgbatch.Tx, p *phase, batch []*delivery,
) ([]pgbatch.Statement, error) {
	items := make([]item, len(batch))
	for i, d := range batch {
		items[i] = d.item
	}
	err := rt.recovered(batch[0].f, func() error { return p.handle(batch[0].h)(ctx, tx, items) })
	if err != nil {
		return nil, err
	}
	return rt.tail(p, batch)
}

// tail returns the statements that end a transaction: what is done is claimed and what is emitted is stored.
func (rt *Runtime) tail(p *phase, batch []*delivery) (statements []pgbatch.Statement, err error) {
	f := batch[0].f
	var done, emitted []cloudevent.Message
	for _, d := range batch {
		if d.done = !p.pending(d); d.done {
			done = append(done, d.message)
		}
		d.emitted, err = eventstore.Emitted(f.Name, d.message.ID, rt.traceparent(d), d.item.results())
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
