package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
)

const (
	publishEach = time.Second            // for one event
	publishAll  = 3 * time.Second        // for all events of a cause
	publishHTTP = 300 * time.Millisecond // for all events of a call: its caller waits, and the sweeper does not
	acquireIn   = 2 * time.Second        // for a connection; then the function is overloaded
	triesInTurn = 3                      // for what passes by itself
	stayAwake   = 55 * time.Second       // how long a clock stays for what is due soon
)

// ErrOverloaded says that a function has more to do than it can.
var ErrOverloaded = errors.New("overloaded")

// MaxEventData is the largest data of an event, in bytes.
const MaxEventData = 64 << 10

// ErrTooLarge reports an event whose data are larger than MaxEventData.
var ErrTooLarge = errors.New("the data of an event are larger than 64 KiB")

// Publisher hands an event to the broker. It returns once the broker has stored it.
type Publisher interface {
	Publish(ctx context.Context, m Message) error
}

// Runtime is what functions run on: one per process.
type Runtime struct {
	Pool     *pgxpool.Pool
	Sink     Publisher
	Log      *slog.Logger
	Revision string // of the program, kept with what it parks
	Outside  Outside

	waking sync.Mutex
	awake  map[string]chan time.Time // the functions of the clock that are awake, and where they hear of another time

	queues sync.Map // of turns, by the function and whether they may ask
	once   sync.Once
	slots  chan struct{}
}

// Deliver tells a function one event: nil means done, known before, or parked; any error means try again. It returns only
// after everything said is stored and with the broker.
func (rt *Runtime) Deliver(ctx context.Context, f *Function, m Message) error {
	if f.Clock != nil || f.Upkeep != nil { // struck by a schedule, or armed by an event
		return rt.Tick(ctx, f)
	}
	began := time.Now()
	said, err := rt.handle(ctx, f, m)
	switch {
	case errors.Is(err, errDuplicate):
		said, err = rt.unheard(ctx, f.Name, m.ID)
	case errors.Is(err, errUnknown):
		err = rt.park(ctx, f, m, "unknown", err)
	case isPermanent(err):
		err = rt.park(ctx, f, m, "poison", err)
	}
	if err == nil {
		err = rt.publish(ctx, said, publishAll)
	}
	rt.note(ctx, f, m, began, err)
	return err
}

func (rt *Runtime) note(ctx context.Context, f *Function, m Message, began time.Time, err error) {
	level, text := slog.LevelInfo, "handled"
	if err != nil {
		level, text = slog.LevelWarn, "will be tried again"
	}
	if !rt.Log.Enabled(ctx, level) {
		return
	}
	rt.Log.Log(ctx, level, text, "function", f.Name, "type", m.Type, "event", m.ID, "order", m.OrderID,
		"trace", m.TraceParent, "ms", time.Since(began).Milliseconds(), "error", err)
}

// handle runs the handler and stores what it says.
func (rt *Runtime) handle(ctx context.Context, f *Function, m Message) ([]Message, error) {
	i := slices.IndexFunc(f.On, func(h Handler) bool { return h.Event.EventType() == m.Type })
	if i < 0 {
		return nil, Permanent(fmt.Errorf("%s is not told %s", f.Name, m.Type))
	}
	if _, err := uuid.Parse(m.ID); err != nil {
		return nil, errUnknown
	}
	said, err := rt.attempt(ctx, f, f.On[i], m)
	return said, refused(err)
}

func (rt *Runtime) attempt(ctx context.Context, f *Function, h Handler, m Message) (said []Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			rt.Log.Error("panic", "function", f.Name, "type", m.Type, "event", m.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	step, err := h.open(m.Data)
	if err != nil {
		return nil, err
	}
	if step.asks() {
		if said, asked, err := rt.ask(ctx, f, step, m); !asked || err != nil {
			return said, err
		}
	}
	return rt.inCompany(ctx, &turn{f: f, told: m, do: func(tx pgx.Tx) ([]events.Event, bool, error) {
		said, err := step.record(ctx, tx)
		return said, true, err
	}})
}

// ask prepares and makes the call of a step that asks outside. asked is false when nobody had to be asked; then the event is
// done. What was prepared is on disk before the call is made.
func (rt *Runtime) ask(ctx context.Context, f *Function, step step, m Message) (said []Message, asked bool, err error) {
	said, err = rt.inCompany(ctx, &turn{f: f, told: m, mayAsk: true, do: func(tx pgx.Tx) (said []events.Event, done bool, err error) {
		said, asked, err = step.prepare(ctx, tx)
		return said, !asked, err
	}})
	if !asked || err != nil {
		return said, false, err
	}
	key, err := id.Derive(f.Name, m.ID, "call")
	if err != nil {
		return nil, false, err
	}
	cause := step.call(ctx, key)
	if cause == nil {
		return nil, true, nil
	}
	err = rt.transact(ctx, nil, func(tx *pipeline) ([]statement, error) { return nil, step.failed(ctx, tx, cause) })
	if !isPermanent(cause) {
		cause = Away(cause)
	}
	return nil, false, errors.Join(cause, err)
}

func acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, acquireIn)
	defer cancel()
	conn, err := pool.Acquire(waiting)
	switch {
	case err == nil:
		return conn, nil
	case waiting.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w: no connection to the database in %s", ErrOverloaded, acquireIn)
	}
	return nil, fmt.Errorf("connect to the database: %w", err)
}

// transact runs one transaction: head is sent with the first statement of do, what do returns with COMMIT.
func (rt *Runtime) transact(ctx context.Context, head []statement, do func(*pipeline) ([]statement, error)) error {
	conn, err := acquire(ctx, rt.Pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer rollback(conn)
	tx := begin(conn, head...)
	last, err := do(tx)
	if err != nil { // an event that is not ours to handle counts before what the handler made of it
		tx.flush(ctx)
	}
	if tx.err != nil { // the claim was refused: whatever the handler made of that
		return tx.err
	}
	if err != nil {
		return err
	}
	return tx.end(ctx, last...)
}

// Do runs what an HTTP caller asked for in one transaction with what is said about it, and publishes that as far as a
// caller's patience allows; the sweeper sees to the rest. The commit waits for the disk. The transaction begins with scope.
// It returns ErrTooLarge, and changes nothing, when one of the events is too large to store.
func (rt *Runtime) Do(ctx context.Context, speaker, traceparent string, scope Scope, do func(pgx.Tx) ([]events.Event, error)) error {
	cause, err := uuid.NewV7()
	if err != nil {
		return err
	}
	var said []Message
	err = inTurn(ctx, triesInTurn, func() error {
		return rt.transact(ctx, scope.head(), func(tx *pipeline) (last []statement, err error) {
			results, err := do(tx)
			if err != nil || len(results) == 0 {
				return nil, err
			}
			said, err = messages(speaker, cause.String(), traceparent, results)
			if i := slices.IndexFunc(said, func(m Message) bool { return len(m.Data) > MaxEventData }); i >= 0 {
				return nil, fmt.Errorf("emit %s: %w", said[i].Type, ErrTooLarge)
			}
			return []statement{say(said, func([]string) {})}, err
		})
	})
	if err != nil {
		return err
	}
	if err := rt.publish(ctx, said, publishHTTP); err != nil {
		rt.Log.Warn("left to the sweeper", "function", speaker, "error", err)
	}
	return nil
}

// Tick runs a function of the clock. When something is due soon, it stays awake for it after the answer: another Tick
// makes it look again at once.
func (rt *Runtime) Tick(ctx context.Context, f *Function) error {
	if f.Upkeep != nil {
		return f.Upkeep(ctx, rt.Pool, rt.Sink)
	}
	next, err := rt.tickOnce(ctx, f, time.Now())
	if err != nil || next.IsZero() || time.Until(next) > stayAwake {
		return err
	}
	if again, asleep := rt.wake(f.Name, next); asleep {
		go rt.stayAwake(f, next, again)
	}
	return nil
}

// wake tells a function of the clock that is awake to look at a time too, or says that it sleeps: then it is awake from now
// on, and hears of other times on again.
func (rt *Runtime) wake(name string, next time.Time) (again chan time.Time, asleep bool) {
	rt.waking.Lock()
	defer rt.waking.Unlock()
	if awake := rt.awake[name]; awake != nil {
		select {
		case waiting := <-awake:
			if waiting.Before(next) {
				next = waiting
			}
		default:
		}
		awake <- next
		return awake, false
	}
	if rt.awake == nil {
		rt.awake = map[string]chan time.Time{}
	}
	rt.awake[name] = make(chan time.Time, 1)
	return rt.awake[name], true
}

// sleep ends the waking of a function, unless it was told another time meanwhile.
func (rt *Runtime) sleep(name string) (asleep bool) {
	rt.waking.Lock()
	defer rt.waking.Unlock()
	if len(rt.awake[name]) > 0 {
		return false
	}
	delete(rt.awake, name)
	return true
}

// stayAwake ticks at each time that the clock names, until nothing is due soon.
func (rt *Runtime) stayAwake(f *Function, next time.Time, again <-chan time.Time) {
	until := time.Now().Add(stayAwake)
	for soon := true; soon || !rt.sleep(f.Name); soon = !next.IsZero() && next.Before(until) {
		var due <-chan time.Time
		if soon {
			due = time.After(max(time.Until(next), 10*time.Millisecond))
		}
		select {
		case sooner := <-again:
			until = time.Now().Add(stayAwake)
			if !soon || sooner.Before(next) {
				next = sooner
			}
			continue
		case <-due:
		}
		next = rt.strike(f)
	}
}

// strike ticks once and says when to tick again; after an error the next schedule tries.
func (rt *Runtime) strike(f *Function) (next time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), stayAwake)
	defer cancel()
	next, err := rt.tickOnce(ctx, f, time.Now())
	if err != nil {
		rt.Log.Warn("clock stopped", "function", f.Name, "error", err)
		return time.Time{}
	}
	return next
}

// tickOnce stores what is due and was not said before; the id of a tick is that of the thing that is due.
func (rt *Runtime) tickOnce(ctx context.Context, f *Function, now time.Time) (next time.Time, err error) {
	var due []Message
	var fresh []string
	err = rt.transact(ctx, nil, func(tx *pipeline) ([]statement, error) {
		var said []events.Event
		said, next, err = f.Clock(ctx, tx, now)
		if err != nil || len(said) == 0 {
			return nil, err
		}
		due, err = ticks(f.Name, said)
		return []statement{commitSoon, say(due, func(ids []string) { fresh = ids })}, err
	})
	if err != nil {
		return next, err
	}
	due = slices.DeleteFunc(due, func(m Message) bool { return !slices.Contains(fresh, m.ID) })
	return next, rt.publish(ctx, due, publishAll)
}

func ticks(speaker string, said []events.Event) ([]Message, error) {
	var due []Message
	for n, e := range said {
		m, err := message("", speaker, e.About().Subject, newTrace(), e)
		if err != nil {
			return nil, err
		}
		m.N = n
		if m.ID, err = id.Derive(speaker, m.Subject, m.Type+string(m.Data)); err != nil {
			return nil, err
		}
		due = append(due, m)
	}
	return due, nil
}

// Bury hands a dead letter to the function that keeps them.
func (rt *Runtime) Bury(ctx context.Context, f *Function, dead DeadLetter) error {
	return inTurn(ctx, triesInTurn, func() error {
		return rt.transact(ctx, nil, func(tx *pipeline) ([]statement, error) { return nil, f.Dead(ctx, tx, dead) })
	})
}

func (rt *Runtime) park(ctx context.Context, f *Function, m Message, kind string, why error) error {
	rt.Log.Error("parked", "function", f.Name, "type", m.Type, "event", m.ID, "kind", kind, "error", why)
	return rt.transact(ctx, nil, func(tx *pipeline) ([]statement, error) {
		return []statement{park(f.Name, rt.Revision, kind, why.Error(), m)}, nil
	})
}

// publish hands messages to the broker, in order, each in at most a second.
func (rt *Runtime) publish(ctx context.Context, said []Message, budget time.Duration) error {
	if len(said) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	for _, m := range said {
		each, cancel := context.WithTimeout(ctx, publishEach)
		err := rt.Sink.Publish(each, m)
		cancel()
		if err != nil {
			return fmt.Errorf("publish %s %s: %w", m.Type, m.ID, err)
		}
	}
	return nil
}

// passes says that an error passes by itself: a serialisation failure, a deadlock, a lock that is not free.
func passes(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.Contains("40001 40P01 55P03", pg.Code)
}

// inTurn tries again at once, with jitter, what passes by itself.
func inTurn(ctx context.Context, tries int, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == tries || !passes(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(rand.IntN(20*try)) * time.Millisecond):
		}
	}
}
