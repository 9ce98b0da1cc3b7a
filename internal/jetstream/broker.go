package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/internal/deliverymetrics"
)

// Stream is where the events of a Broker are stored.
type Stream struct {
	Name     string
	Replicas int           // copies of each event, on as many servers; 0: 1
	MaxBytes int64         // stored at most; 0: no limit
	MaxAge   time.Duration // an event stays at most; 0: seven days
	FromNow  bool          // a new Trigger receives only what is published after it, not what waits for others
}

// Broker stores events in one stream, and has one durable consumer in it for each Trigger.
type Broker struct {
	stream Stream
	js     jetstream.JetStream

	restoring sync.RWMutex // while it is held nothing is published: a stream without its consumers keeps nothing
	mu        sync.Mutex
	triggers  map[string]Trigger            // by name
	unused    map[string]jetstream.Consumer // that Add made and no dispatcher has taken yet
}

// duplicateWindow is how long an event that is published again with Once is recognised.
const duplicateWindow = 30 * time.Second

// Open returns the broker of a stream, which is made if there is none.
func Open(ctx context.Context, conn *nats.Conn, s Stream) (*Broker, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	b := &Broker{stream: s, js: js, triggers: map[string]Trigger{}, unused: map[string]jetstream.Consumer{}}
	return b, b.makeStream(ctx)
}

func (b *Broker) makeStream(ctx context.Context) error {
	maxAge := b.stream.MaxAge
	if maxAge == 0 {
		maxAge = 7 * 24 * time.Hour
	}
	_, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: b.stream.Name, Subjects: []string{b.stream.Name + ".>"}, Storage: jetstream.FileStorage, Retention: jetstream.InterestPolicy,
		Discard: jetstream.DiscardOld, MaxAge: maxAge, MaxBytes: max(b.stream.MaxBytes, 0), Replicas: max(b.stream.Replicas,
			1),
		Duplicates: duplicateWindow,
	})
	if err != nil {
		return fmt.Errorf("make stream: %w", err)
	}
	return nil
}

// Ready returns an error when the stream can't be reached.
func (b *Broker) Ready(ctx context.Context) error {
	_, err := b.js.Stream(ctx, b.stream.Name)
	return err
}

// Add makes the durable consumer of a Trigger, or finds it where it stopped. What is published from now on is kept for
// it.
func (b *Broker) Add(ctx context.Context, t Trigger) error {
	b.mu.Lock()
	b.triggers[t.Name] = t
	delete(b.unused, t.Name)
	b.mu.Unlock()
	consumer, err := b.consumer(ctx, t)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unused[t.Name] = consumer
	return nil
}

// take returns the consumer that Add made for a Trigger, once; otherwise it makes one.
func (b *Broker) take(ctx context.Context, t Trigger) (jetstream.Consumer, error) {
	b.mu.Lock()
	consumer, ok := b.unused[t.Name]
	delete(b.unused, t.Name)
	b.mu.Unlock()
	if ok {
		return consumer, nil
	}
	return b.consumer(ctx, t)
}

// Make is Add for a Trigger that another process delivers: Restore leaves its consumer out.
func (b *Broker) Make(ctx context.Context, t Trigger) error {
	_, err := b.consumer(ctx, t)
	return err
}

// Consumers returns the names of all consumers.
func (b *Broker) Consumers(ctx context.Context) (names []string, err error) {
	stream, err := b.js.Stream(ctx, b.stream.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, b.Restore(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("list consumers: %w", err)
	}
	list := stream.ConsumerNames(ctx)
	for name := range list.Name() {
		names = append(names, name)
	}
	return names, list.Err()
}

// Remove deletes the consumer of a Trigger, and what waits for it.
func (b *Broker) Remove(ctx context.Context, name string) error {
	b.Forget(name)
	err := b.js.DeleteConsumer(ctx, b.stream.Name, name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("delete consumer %s: %w", name, err)
	}
	return nil
}

// Forget has the broker make no consumer for a Trigger any more.
func (b *Broker) Forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.triggers, name)
	delete(b.unused, name)
}

// Delete deletes the stream with all its events and consumers.
func (b *Broker) Delete(ctx context.Context) error {
	if err := b.js.DeleteStream(ctx, b.stream.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("delete stream: %w", err)
	}
	time.Sleep(deletion)
	return nil
}

// deletion is how long a server may go on deleting the files of a stream that it does not have any more. A new one of
// the same name that is made meanwhile stores nothing.
const deletion = 500 * time.Millisecond

// Restore makes the stream and its consumers again where the server lost them with its disk.
func (b *Broker) Restore(ctx context.Context) error {
	b.restoring.Lock()
	defer b.restoring.Unlock()
	if errors.Is(b.Ready(ctx), jetstream.ErrStreamNotFound) {
		time.Sleep(deletion)
	}
	if err := b.makeStream(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	triggers := slices.Collect(maps.Values(b.triggers))
	clear(b.unused)
	b.mu.Unlock()
	for _, t := range triggers {
		if _, err := b.consumer(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *Broker) consumer(ctx context.Context, t Trigger) (jetstream.Consumer, error) {
	settings := jetstream.ConsumerConfig{
		Durable: t.Name, FilterSubjects: t.subjects(b.stream.Name), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: t.Delivery.timeout() + 5*time.Second, MaxAckPending: 5000, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	if b.stream.FromNow {
		settings.DeliverPolicy = jetstream.DeliverNewPolicy
	}
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, b.stream.Name, settings)
	if err != nil {
		return nil, fmt.Errorf("make consumer %s: %w", t.Name, err)
	}
	return consumer, nil
}

// Info returns what the server reports about the consumer of a Trigger.
func (b *Broker) Info(ctx context.Context, trigger string) (*jetstream.ConsumerInfo, error) {
	consumer, err := b.js.Consumer(ctx, b.stream.Name, trigger)
	if err != nil {
		return nil, err
	}
	return consumer.Info(ctx)
}

// State returns what the server reports about the stream and the Triggers that were added.
func (b *Broker) State(ctx context.Context) (s deliverymetrics.BrokerState, err error) {
	stream, err := b.js.Stream(ctx, b.stream.Name)
	if err != nil {
		return s, err
	}
	info := stream.CachedInfo()
	s = deliverymetrics.BrokerState{Members: 1, Events: info.State.Msgs, Bytes: info.State.Bytes, Lag: map[string]uint64{}}
	if info.Cluster != nil {
		for _, replica := range info.Cluster.Replicas {
			if replica.Current {
				s.Members++
			}
		}
	}
	b.mu.Lock()
	names := slices.Collect(maps.Keys(b.triggers))
	b.mu.Unlock()
	for _, name := range names {
		info, err := b.Info(ctx, name)
		if err != nil {
			return s, err
		}
		s.Lag[name] = info.NumPending + uint64(info.NumAckPending)
	}
	return s, nil
}
