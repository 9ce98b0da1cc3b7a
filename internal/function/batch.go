package function

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
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
)

// errBatchFailed says that a batch failed, whichever of its events is at fault: that shows when each is retried alone.
var errBatchFailed = errors.New("the batch failed")

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
		key := r.Message.Key()
		if keys[key] { // what came over the wire named another
			return nil, errBatchFailed
		}
		keys[key] = true
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
