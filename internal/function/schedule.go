package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// armedFor is how long a schedule waits for the next thing that is due; then the next tick from outside takes over.
const armedFor = 55 * time.Second

// Tick runs a function of the schedule. When something is due soon, the function stays armed for it after Tick returns;
// another Tick makes it look again at once.
func (rt *Runtime) Tick(ctx context.Context, f *Function) error {
	if f.Maintenance != nil {
		return f.Maintenance(ctx, rt.Pool, countingSink{rt})
	}
	next, err := rt.tickOnce(ctx, f, time.Now())
	if next.IsZero() || time.Until(next) > armedFor {
		return err
	}
	if again, ok := rt.arm(f.Name, next); ok {
		go rt.stayArmed(f, next, again)
	}
	return err
}

// arm has a function that is armed look at a time, too. ok reports that it was not armed: then it is from now on, and
// receives other times on again.
func (rt *Runtime) arm(name string, next time.Time) (again chan time.Time, ok bool) {
	rt.arming.Lock()
	defer rt.arming.Unlock()
	if armed := rt.armed[name]; armed != nil {
		select {
		case waiting := <-armed:
			if waiting.Before(next) {
				next = waiting
			}
		default:
		}
		armed <- next
		return armed, false
	}
	if rt.armed == nil {
		rt.armed = map[string]chan time.Time{}
	}
	rt.armed[name] = make(chan time.Time, 1)
	return rt.armed[name], true
}

// disarm ends the waiting of a function, unless it was given another time in the meantime.
func (rt *Runtime) disarm(name string) (ok bool) {
	rt.arming.Lock()
	defer rt.arming.Unlock()
	if len(rt.armed[name]) > 0 {
		return false
	}
	delete(rt.armed, name)
	return true
}

// stayArmed ticks at each time that the schedule names, until nothing is due soon.
func (rt *Runtime) stayArmed(f *Function, next time.Time, again <-chan time.Time) {
	until := time.Now().Add(armedFor)
	for soon := true; soon || !rt.disarm(f.Name); soon = !next.IsZero() && next.Before(until) {
		var due <-chan time.Time
		if soon {
			due = time.After(max(time.Until(next), 10*time.Millisecond))
		}
		select {
		case sooner := <-again:
			until = time.Now().Add(armedFor)
			if !soon || sooner.Before(next) {
				next = sooner
			}
			continue
		case <-due:
		}
		next = rt.tickArmed(f)
	}
}

// tickArmed ticks once and returns when to tick again.
func (rt *Runtime) tickArmed(f *Function) (next time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), armedFor)
	defer cancel()
	next, err := rt.tickOnce(ctx, f, time.Now())
	if err != nil {
		rt.Log.Warn("schedule failed", "function", f.Name, "error", err)
	}
	return next
}

// tickOnce emits what is due and was not emitted before; the id of a tick is derived from what is due. What cannot be
// emitted is a dead letter and stops nothing else. next is set despite an error of what is due; without it the next
// tick from outside takes over.
func (rt *Runtime) tickOnce(ctx context.Context, f *Function, now time.Time) (next time.Time, err error) {
	due, next, err := rt.readDue(ctx, f, now)
	if err != nil {
		return time.Time{}, err
	}
	if len(due) == 0 && !next.IsZero() && !next.After(now) { // all that is due is a dead letter
		next = time.Time{}
	}
	fresh, err := rt.storeDue(ctx, f, due)
	for i, failed := range rt.publish(ctx, fresh, publishTimeout) {
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("publish %s %s: %w", fresh[i].Type, fresh[i].ID, failed))
		}
	}
	return next, err
}

// dueItem is the message of what is due, or why there can be none.
type dueItem struct {
	cloudevent.Message
	err error
}

// readDue returns what is due, without what is a dead letter.
func (rt *Runtime) readDue(ctx context.Context, f *Function, now time.Time) (due []dueItem, next time.Time, err error) {
	err = pgbatch.Transact(ctx, rt.Pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		var emitted []events.Event
		emitted, next, err = f.Schedule(ctx, tx, now)
		if err != nil || len(emitted) == 0 {
			return nil, err
		}
		due = make([]dueItem, len(emitted))
		ids := make([]string, len(emitted))
		for n, e := range emitted {
			due[n] = tickOf(f.Name, n, e)
			ids[n] = due[n].ID
		}
		dead, err := eventstore.DeadLetterIDs(ctx, tx, f.Name, ids)
		if err != nil {
			return nil, err
		}
		due = slices.DeleteFunc(due, func(item dueItem) bool { return dead[item.ID] })
		return nil, rt.continueTraces(ctx, tx, due)
	})
	return due, next, err
}

// continueTraces makes what is due a part of its order's trace. Without a collector of traces it is not looked up.
func (rt *Runtime) continueTraces(ctx context.Context, tx pgx.Tx, due []dueItem) error {
	if rt.Tracer == nil {
		return nil
	}
	orders := make([]string, 0, len(due))
	for _, item := range due {
		if item.OrderID != "" {
			orders = append(orders, item.OrderID)
		}
	}
	traces, err := eventstore.FirstTraces(ctx, tx, orders)
	for i, item := range due {
		if trace := traces[item.OrderID]; trace != "" {
			due[i].TraceParent = trace
		}
	}
	return err
}

// storeDue stores what is due and returns what was not stored before: all at once or, when that fails, one by one.
func (rt *Runtime) storeDue(ctx context.Context, f *Function, due []dueItem) (fresh []cloudevent.Message, errs error) {
	var messages []cloudevent.Message
	for _, item := range due {
		if item.err != nil {
			errs = errors.Join(errs, rt.quarantine(ctx, f, item.Message, "poison", item.err))
			continue
		}
		messages = append(messages, item.Message)
	}
	fresh, err := rt.store(ctx, messages)
	if err == nil || !isPermanent(verdict(err)) {
		return fresh, errors.Join(errs, err)
	}
	for i := range messages {
		one, err := rt.store(ctx, messages[i:i+1])
		if isPermanent(verdict(err)) {
			err = rt.quarantine(ctx, f, messages[i], "poison", err)
		}
		fresh, errs = append(fresh, one...), errors.Join(errs, err)
	}
	return fresh, errs
}

// store stores messages and returns those that were not stored before.
func (rt *Runtime) store(ctx context.Context, messages []cloudevent.Message) ([]cloudevent.Message, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	var ids []string
	err := pgbatch.Retry(ctx, maxTries, pgbatch.IsRetryable, func() error {
		return pgbatch.Transact(ctx, rt.Pool, nil, func(*pgbatch.Tx) ([]pgbatch.Statement, error) {
			return []pgbatch.Statement{
				eventstore.CommitAsync, eventstore.Append(messages, func(stored []string) { ids = stored }),
			}, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(messages),
		func(m cloudevent.Message) bool { return !slices.Contains(ids, m.ID) }), nil
}

// tickOf returns the message of what is due. Its id is derived from what is due.
func tickOf(function string, n int, e events.Event) dueItem {
	m, err := eventstore.NewMessage("", function, e.About().Subject, cloudevent.NewTrace(), e)
	if err == nil {
		m.N = n
		m.ID, err = id.Derive(function, m.Subject, m.Type+string(m.Data))
	}
	if err != nil {
		return dueItem{unwritable(function, e), err}
	}
	return dueItem{m, nil}
}

// unwritable returns what is known of an event that cannot be written as a message.
func unwritable(function string, e events.Event) cloudevent.Message {
	about, text := e.About(), fmt.Sprintf("%+v", e)
	hash := sha256.Sum256([]byte(text))
	return cloudevent.Message{
		ID: about.Subject + "#" + hex.EncodeToString(hash[:8]), Type: e.EventType(), Source: cloudevent.SourceOf(function),
		Subject: about.Subject, OrderID: about.OrderID, Data: []byte(text),
	}
}
