package function

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// armedFor is how long a schedule waits for the next thing that is due; then the next tick from outside takes over.
const armedFor = 55 * time.Second

// Tick runs a function of the schedule. When something is due soon, the function stays armed for it after Tick returns; another
// Tick makes it look again at once.
func (rt *Runtime) Tick(ctx context.Context, f *Function) error {
	if f.Upkeep != nil {
		return f.Upkeep(ctx, rt.Pool, countingSink{rt})
	}
	next, err := rt.tickOnce(ctx, f, time.Now())
	if err != nil || next.IsZero() || time.Until(next) > armedFor {
		return err
	}
	if again, ok := rt.arm(f.Name, next); ok {
		go rt.stayArmed(f, next, again)
	}
	return nil
}

// arm has a function that is armed look at a time, too. ok reports that it was not armed: then it is from now on, and receives other
// times on again.
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

// tickArmed ticks once and returns when to tick again; after an error the next tick from outside takes over.
func (rt *Runtime) tickArmed(f *Function) (next time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), armedFor)
	defer cancel()
	next, err := rt.tickOnce(ctx, f, time.Now())
	if err != nil {
		rt.Log.Warn("schedule stopped", "function", f.Name, "error", err)
		return time.Time{}
	}
	return next
}

// tickOnce emits what is due and was not emitted before; the id of a tick is derived from what is due.
func (rt *Runtime) tickOnce(ctx context.Context, f *Function, now time.Time) (next time.Time, err error) {
	var due []cloudevent.Message
	var fresh []string
	err = pgbatch.Transact(ctx, rt.Pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
		var emitted []events.Event
		emitted, next, err = f.Clock(ctx, tx, now)
		if err != nil || len(emitted) == 0 {
			return nil, err
		}
		due, err = ticks(f.Name, emitted)
		return []pgbatch.Statement{eventstore.CommitAsync, eventstore.Append(due, func(ids []string) { fresh = ids })}, err
	})
	if err != nil {
		return next, err
	}
	due = slices.DeleteFunc(due, func(m cloudevent.Message) bool { return !slices.Contains(fresh, m.ID) })
	for i, err := range rt.publish(ctx, due, publishTimeout) {
		if err != nil {
			return next, fmt.Errorf("publish %s %s: %w", due[i].Type, due[i].ID, err)
		}
	}
	return next, nil
}

func ticks(function string, emitted []events.Event) ([]cloudevent.Message, error) {
	var due []cloudevent.Message
	for n, e := range emitted {
		m, err := eventstore.NewMessage("", function, e.About().Subject, cloudevent.NewTrace(), e)
		if err != nil {
			return nil, err
		}
		m.N = n
		if m.ID, err = id.Derive(function, m.Subject, m.Type+string(m.Data)); err != nil {
			return nil, err
		}
		due = append(due, m)
	}
	return due, nil
}
