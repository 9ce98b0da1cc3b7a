package local

import (
	"context"

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
