// Package local runs the whole shop on one machine: a private Postgres, an embedded broker, a mailbox, and the same
// functions, told by the same Triggers, as on a cluster. It knows no domain.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/deliverymetrics"
	"github.com/popup-shop/popup/internal/function"
)

// defaultAddress is that of a shop without a public one.
const defaultAddress = "http://localhost:8080"

// Engine delivers events to functions as the Triggers say, and strikes the clock.
type Engine struct {
	Functions []function.Function
	Triggers  []Trigger
	Profile   Profile
	Dir       string // of the broker
	Address   string // of the shop, which its events name as their source
	Log       *slog.Logger
	Metrics   *deliverymetrics.Metrics // of delivery; may be nil
	Tell      functions                // how functions are reached
	Every     time.Duration            // between two ticks of the schedule while events are published
	AtMost    time.Duration            // between two ticks while none are; Every if it is zero
	Copies    int                      // each event is delivered so many times more, for tests

	broker  atomic.Pointer[Broker]
	filter  atomic.Pointer[filter]
	restart sync.Mutex
	active  atomic.Int64 // when the last event was published, in nanoseconds
	stop    context.CancelFunc
	running sync.WaitGroup
}

var errNoBroker = errors.New("the broker is away")

// Publish stores events in the broker, if there is one.
func (e *Engine) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	e.active.Store(time.Now().UnixNano())
	if b := e.broker.Load(); b != nil {
		return b.Publish(ctx, messages)
	}
	errs := make([]error, len(messages))
	for i := range errs {
		errs[i] = errNoBroker
	}
	return errs
}

// IdleFor returns how long no event has been published.
func (e *Engine) IdleFor() time.Duration {
	return time.Duration(time.Now().UnixNano() - e.active.Load())
}

// Answers finds out whether the broker is there and has its stream.
func (e *Engine) Answers(ctx context.Context) error {
	b := e.broker.Load()
	if b == nil {
		return errNoBroker
	}
	_, err := b.js.Stream(ctx, stream)
	return err
}

// Start opens the broker and delivers until Stop.
func (e *Engine) Start(ctx context.Context) error {
	ctx, e.stop = context.WithCancel(ctx)
	e.Address = cmp.Or(e.Address, defaultAddress)
	if err := e.StartBroker(ctx); err != nil {
		return err
	}
	e.filter.Store(newFilter(ctx))
	for _, t := range e.Triggers {
		e.running.Go(func() { e.trigger(ctx, t) })
	}
	for _, f := range e.Functions {
		if f.Schedule != nil || f.Maintenance != nil {
			e.running.Go(func() { e.tick(ctx, f.Name) })
		}
	}
	return nil
}

// Stop finishes what is in hand and closes the broker.
func (e *Engine) Stop() {
	e.stop()
	e.running.Wait()
	e.StopBroker()
}

// StopBroker takes the broker away, and StartBroker brings it back: nothing else ends, and nothing is lost.
func (e *Engine) StopBroker() {
	e.restart.Lock()
	defer e.restart.Unlock()
	if b := e.broker.Swap(nil); b != nil {
		b.Close()
	}
}

// StartBroker opens the broker on its folder and makes its consumers, so that what is said from now on is kept for them.
func (e *Engine) StartBroker(ctx context.Context) error {
	e.restart.Lock()
	defer e.restart.Unlock()
	if e.broker.Load() != nil {
		return nil
	}
	b, err := OpenBroker(ctx, e.Dir, e.Address)
	if err != nil {
		return err
	}
	for _, t := range e.Triggers {
		if _, err := b.consumer(ctx, t, e.Profile == NATSS); err != nil {
			b.Close()
			return err
		}
	}
	e.broker.Store(b)
	return nil
}

// LoseBroker deletes all that the broker stored while it runs, and starts it again empty.
func (e *Engine) LoseBroker(ctx context.Context) error {
	b := e.broker.Load()
	if b == nil {
		return errNoBroker
	}
	_ = b.Forget() // it may be writing there; whatever is left goes below
	e.StopBroker()
	if err := b.Forget(); err != nil {
		return fmt.Errorf("delete the broker's folder: %w", err)
	}
	return e.StartBroker(ctx)
}

// trigger delivers the events of one Trigger, and begins again whenever the broker was away or the filter crashed.
func (e *Engine) trigger(ctx context.Context, t Trigger) {
	for ctx.Err() == nil {
		d := &dispatcher{trigger: t, profile: e.Profile, filter: e.filter.Load(), copies: e.Copies, functions: e.Tell, metrics: e.Metrics, log: e.Log}
		if b := e.broker.Load(); b != nil {
			consumer, err := b.consumer(ctx, t, e.Profile == NATSS)
			if err == nil {
				d.run(consumer)
			}
		}
		pause(ctx, 200*time.Millisecond)
		if d.filter.crashed() { // it is started again
			e.filter.CompareAndSwap(d.filter, newFilter(ctx))
		}
	}
}

// tick calls a function of the schedule, as a cluster's schedule does each minute: often while events are published, and ever more
// rarely while none are. What is due soon the function waits for by itself.
func (e *Engine) tick(ctx context.Context, name string) {
	wait := e.Every
	for ctx.Err() == nil {
		began := time.Now()
		tick := cloudevent.Message{ID: "tick", Type: "dev.knative.sources.ping", Source: "/local/schedule"}
		if a := e.Tell.tell(ctx, name, tick); !a.ok() && ctx.Err() == nil {
			e.Log.Warn("schedule failed", "function", name, "status", a.status, "reason", a.reason)
		}
		wait = min(2*wait, max(e.AtMost, e.Every))
		pause(ctx, e.Every)
		for ctx.Err() == nil && time.Since(began) < wait {
			if e.active.Load() > began.UnixNano() {
				wait = e.Every
			}
			pause(ctx, min(e.Every, max(wait-time.Since(began), 0)))
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Together are functions in this program, called without HTTP.
type Together struct {
	Runtime *function.Runtime
	byName  map[string]*function.Function
	doors   map[string]http.Handler
}

// NewTogether makes the functions ready to be called.
func NewTogether(rt *function.Runtime, all []function.Function) *Together {
	t := &Together{Runtime: rt, byName: map[string]*function.Function{}, doors: map[string]http.Handler{}}
	for i := range all {
		t.byName[all[i].Name] = &all[i]
		t.doors[all[i].Name] = rt.ServeMux(&all[i])
	}
	return t
}

// Handler is the HTTP face of a function.
func (t *Together) Handler(name string) http.Handler { return t.doors[name] }

func (t *Together) tell(ctx context.Context, name string, m cloudevent.Message) answer {
	return answered(t.Runtime.Deliver(ctx, t.byName[name], m))
}

func (t *Together) bury(ctx context.Context, name string, dead cloudevent.DeadLetter) answer {
	return answered(t.Runtime.StoreDeadLetter(ctx, t.byName[name], dead))
}

// answered is what a function's program would answer over HTTP.
func answered(err error) answer {
	switch {
	case err == nil:
		return answer{status: http.StatusOK, responded: true}
	case errors.Is(err, function.ErrOverloaded):
		return answer{status: http.StatusTooManyRequests, responded: true}
	}
	return answer{http.StatusServiceUnavailable, true, function.Reason(err)}
}
