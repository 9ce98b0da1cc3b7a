package jetstreambroker

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/popup-shop/popup/internal/jetstream"
)

// start begins the delivery of a Trigger that is not running.
func (p *plane) start(ctx context.Context, t *eventingv1.Trigger, spec string) error {
	k := key(t, t.Name)
	p.mu.Lock()
	_, ok := p.running[k]
	p.mu.Unlock()
	if ok {
		return nil
	}
	b, err := p.brokers.Brokers(t.Namespace).Get(t.Spec.Broker)
	if err != nil {
		return err
	}
	open, err := p.broker(ctx, key(b, b.Name))
	if err != nil {
		return err
	}
	filter, err := filterOf(t)
	if err != nil {
		return err
	}
	trigger, err := triggerOf(b, t, filter)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	d := &delivery{broker: open, spec: spec, name: trigger.Name, stop: stop, done: make(chan struct{})}
	p.mu.Lock()
	p.running[k] = d
	p.mu.Unlock()
	go func() {
		defer filter.close()
		p.deliver(ctx, d, trigger)
	}()
	return nil
}

// deliver delivers until ctx ends, and begins again whenever NATS was away or lost its disk.
func (p *plane) deliver(ctx context.Context, d *delivery, t jetstream.Trigger) {
	defer close(d.done)
	for ctx.Err() == nil {
		if err := d.broker.Add(ctx, t); err != nil {
			_ = d.broker.Restore(ctx) // the next attempt reports what is wrong
		}
		dispatcher := jetstream.Dispatcher{
			Broker: d.broker, Trigger: t, Subscriber: p.subscriber, Process: jetstream.NewProcess(ctx), Profile: jetstream.Spec,
			Metrics: p.metrics, Log: p.log,
		}
		dispatcher.Run()
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// forgetDeleted closes the Brokers that are deleted. Only the leader deletes their streams.
func (p *plane) forgetDeleted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.open {
		if b, err := p.brokers.Brokers(k.Namespace).Get(k.Name); err != nil || !ours(b) {
			delete(p.open, k)
		}
	}
}

// forget closes a Broker that is deleted.
func (p *plane) forget(k types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, k)
}
