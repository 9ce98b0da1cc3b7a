package local

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Join has an engine deliver from the broker of another one that runs, as every copy of a program does.
func (e *Engine) Join(other *Engine) { e.broker.Store(other.broker.Load()) }

// Leave gives the broker back: it is the other one's to close.
func (e *Engine) Leave() { e.broker.Store(nil) }

// Consumer is what the broker says about the events of a Trigger.
func (e *Engine) Consumer(ctx context.Context, t Trigger) (*jetstream.ConsumerInfo, error) {
	consumer, err := e.broker.Load().js.Consumer(ctx, stream, t.Name)
	if err != nil {
		return nil, err
	}
	return consumer.Info(ctx)
}

// Filter is the process that delivers now: another one after a crash.
func (e *Engine) Filter() any { return e.filter.Load() }

// Again says that delivery is tried again after such an answer.
func (p Profile) Again(status int) bool { return p.again(answer{status: status}) }

// Wait is how long a profile waits before the attempt after this one, or that it crashes.
func (p Profile) Wait(d Delivery, attempt int) (delay time.Duration, crash bool) {
	return p.wait(d, attempt)
}

// StopAll stops all programs.
func (a *Apart) StopAll() { a.stop(func(*program) bool { return true }) }
