package local

import (
	"context"

	nats "github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/internal/jetstream"
)

// Join has an engine deliver from the broker of another one that runs, as every copy of a program does.
func (e *Engine) Join(other *Engine) {
	folder := other.files.path(other.Dir)
	e.files.elsewhere.Store(&folder)
	e.broker.Store(other.broker.Load())
}

// Leave gives the broker back: the other one closes it.
func (e *Engine) Leave() { e.broker.Store(nil) }

// Consumer is what the broker reports about the events of a Trigger.
func (e *Engine) Consumer(ctx context.Context, t jetstream.Trigger) (*nats.ConsumerInfo, error) {
	return e.broker.Load().Info(ctx, t.Name)
}

// Process is what delivers now: another one after a crash.
func (e *Engine) Process() any { return e.process.Load() }

// StopAll stops all programs.
func (a *Processes) StopAll() { a.stop(func(*program) bool { return true }) }
