// Package local runs the whole shop on one machine: a private Postgres, an embedded broker, a mailbox, and the same functions with
// the same Triggers as on a cluster. It knows no domain.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/deliverymetrics"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
)

// defaultAddress is that of a shop without a public one.
const defaultAddress = "http://localhost:8080"

// Engine delivers events to functions by their Triggers, and calls those with a schedule.
type Engine struct {
	Functions []function.Function
	Triggers  []jetstream.Trigger
	Profile   jetstream.DeliveryProfile
	Dir       string // of the broker
	Address   string // of the shop, which its events name as their source
	Log       *slog.Logger
	Metrics   *deliverymetrics.Metrics // of delivery; may be nil
	Tell      jetstream.Subscriber     // how functions are reached
	Every     time.Duration            // between two ticks of the schedule while events are published
	AtMost    time.Duration            // between two ticks while none are; Every if it is zero
	Copies    int                      // each event is delivered so many times more, for tests

	files   brokerFolder
	broker  atomic.Pointer[broker]
	process atomic.Pointer[jetstream.Process]
	restart sync.Mutex
	active  activity
	stop    context.CancelFunc
	running sync.WaitGroup
}

var errNoBroker = errors.New("the broker is away")

// broker is the broker on its own server.
type broker struct {
	*jetstream.Broker
	server *jetstream.Server
}

// Publish stores events in the broker, if there is one.
func (e *Engine) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	e.active.note()
	if b := e.broker.Load(); b != nil {
		all := make([]jetstream.Event, len(messages))
		for i, m := range messages {
			all[i] = jetstream.Event{Attributes: m.Attributes(e.Address), Data: m.Data}
		}
		errs := b.Publish(ctx, all)
		e.files.note(errs)
		return errs
	}
	errs := make([]error, len(messages))
	for i := range errs {
		errs[i] = errNoBroker
	}
	return errs
}

// AwaitIdle blocks until no event has been published for some time, or ctx ends.
func (e *Engine) AwaitIdle(ctx context.Context, since time.Duration) {
	for ctx.Err() == nil {
		last, _ := e.active.read()
		if idle := time.Since(last); idle < since {
			pause(ctx, since-idle)
			continue
		}
		return
	}
}

// AwaitEvent blocks until an event is published after a time, or ctx ends.
func (e *Engine) AwaitEvent(ctx context.Context, after time.Time) {
	last, next := e.active.read()
	if last.After(after) {
		return
	}
	select {
	case <-ctx.Done():
	case <-next:
	}
}

// SetIdle has the broker rest, or work again. It works in the meantime, too.
func (e *Engine) SetIdle(idle bool) {
	e.restart.Lock()
	defer e.restart.Unlock()
	if b := e.broker.Load(); b != nil {
		b.server.SetIdle(idle)
	}
}

// find returns the broker for a request to its ingress.
func (e *Engine) find(*http.Request) (*jetstream.Broker, error) {
	e.active.note()
	b := e.broker.Load()
	if b == nil {
		return nil, errNoBroker
	}
	return b.Broker, nil
}

// Start opens the broker and delivers until Stop.
func (e *Engine) Start(ctx context.Context) error {
	ctx, e.stop = context.WithCancel(ctx)
	e.Address = cmp.Or(e.Address, defaultAddress)
	if err := e.StartBroker(ctx); err != nil {
		return err
	}
	e.running.Go(func() { watcher{e}.run(ctx) })
	e.process.Store(jetstream.NewProcess(ctx))
	e.active.note() // it is idle a while after it started, at the earliest
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
		b.server.Close()
	}
}

// stream is the name of the broker's stream.
const stream = "shop"

// StartBroker opens the broker on its folder and makes its consumers: what is published from now on is kept for them.
func (e *Engine) StartBroker(ctx context.Context) error {
	e.restart.Lock()
	defer e.restart.Unlock()
	if e.broker.Load() != nil {
		return nil
	}
	b, err := watcher{e}.open(ctx)
	if err != nil {
		return err
	}
	e.broker.Store(b)
	return nil
}

func openBroker(ctx context.Context, dir string, s jetstream.Stream) (*broker, error) {
	server, err := jetstream.StartServer(dir)
	if err != nil {
		return nil, err
	}
	b, err := jetstream.Open(ctx, server.Conn, s)
	if err != nil {
		server.Close()
		return nil, err
	}
	return &broker{b, server}, nil
}

// LoseBroker deletes all that the broker stored while it runs, and starts it again empty.
func (e *Engine) LoseBroker(ctx context.Context) error {
	b := e.broker.Load()
	if b == nil {
		return errNoBroker
	}
	_ = os.RemoveAll(e.files.path(e.Dir)) // it may be writing there; the rest goes below
	e.StopBroker()
	if err := os.RemoveAll(e.files.path(e.Dir)); err != nil {
		return fmt.Errorf("delete the broker's folder: %w", err)
	}
	return e.StartBroker(ctx)
}

// heartbeat is rare: the embedded broker forgets no consumer.
const heartbeat = 30 * time.Second

// trigger delivers the events of one Trigger, and begins again whenever the broker was away or the dispatcher crashed.
func (e *Engine) trigger(ctx context.Context, t jetstream.Trigger) {
	for ctx.Err() == nil {
		process := e.process.Load()
		if b := e.broker.Load(); b != nil {
			d := jetstream.Dispatcher{
				Broker: b.Broker, Trigger: t, Subscriber: e.Tell, Process: process, Profile: e.Profile, Duplicates: e.Copies, Metrics: e.Metrics, Log: e.Log,
				Heartbeat: heartbeat,
			}
			d.Run()
		}
		pause(ctx, 200*time.Millisecond)
		if process.Crashed() { // it is started again
			e.process.CompareAndSwap(process, jetstream.NewProcess(ctx))
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
		r := e.Tell.Deliver(ctx, name, jetstream.Event{Attributes: tick.Attributes(e.Address)})
		if r.Status != http.StatusOK && ctx.Err() == nil {
			e.Log.Warn("schedule failed", "function", name, "status", r.Status, "response", string(r.Body))
		}
		wait = min(2*wait, max(e.AtMost, e.Every))
		pause(ctx, e.Every)
		idle, cancel := context.WithTimeout(ctx, wait-e.Every)
		e.AwaitEvent(idle, began)
		cancel()
		if last, _ := e.active.read(); last.After(began) {
			wait = e.Every
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
