package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
)

const stream = "shop"

// Broker is an embedded NATS JetStream: on disk, not listening. One stream; its subjects are the event types.
type Broker struct {
	dir    string
	shop   string // address of the shop, which its events name as their source
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
}

// OpenBroker starts the broker on its folder, with what was stored in it.
func OpenBroker(ctx context.Context, dir, shop string) (*Broker, error) {
	b := &Broker{dir: dir, shop: shop}
	var err error
	b.server, err = server.NewServer(&server.Options{
		ServerName: "popup", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 8 << 30,
	})
	if err != nil {
		return nil, fmt.Errorf("make broker: %w", err)
	}
	b.server.Start()
	if !b.server.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("start broker: not ready in 10 s")
	}
	if b.conn, err = nats.Connect("", nats.InProcessServer(b.server), nats.MaxReconnects(-1)); err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	if b.js, err = jetstream.New(b.conn); err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	return b, b.makeStream(ctx)
}

func (b *Broker) makeStream(ctx context.Context) error {
	_, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{events.Prefix + ">"}, Storage: jetstream.FileStorage, Retention: jetstream.InterestPolicy,
		Discard: jetstream.DiscardOld, MaxAge: 7 * 24 * time.Hour,
	})
	if err != nil {
		return fmt.Errorf("make stream: %w", err)
	}
	return nil
}

// consumer makes the durable consumer of a trigger, or finds it where it stopped. fromNow is for a broker that gives a new
// Trigger only what comes after it.
func (b *Broker) consumer(ctx context.Context, t Trigger, fromNow bool) (jetstream.Consumer, error) {
	settings := jetstream.ConsumerConfig{
		Durable: t.Name, FilterSubjects: t.Types(), AckPolicy: jetstream.AckExplicitPolicy, AckWait: t.Delivery.Timeout + 5*time.Second,
		MaxAckPending: 5000, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	if fromNow {
		settings.DeliverPolicy = jetstream.DeliverNewPolicy
	}
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, stream, settings)
	if err != nil {
		return nil, fmt.Errorf("make consumer %s: %w", t.Name, err)
	}
	return consumer, nil
}

// Publish stores messages, all at once, and waits until each is stored or ctx ends. It rejects what is not a valid CloudEvent, as the
// ingress of a broker on a cluster does.
func (b *Broker) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	errs := make([]error, len(messages))
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		if errs[i] = m.CloudEvent(b.shop).Validate(); errs[i] == nil {
			acks[i], errs[i] = b.js.PublishMsgAsync(b.encode(m))
		}
	}
	for i, ack := range acks {
		if errs[i] == nil {
			errs[i] = stored(ctx, ack)
		}
	}
	return errs
}

// encode returns an event as a message of NATS: its type is the subject, its attributes are headers.
func (b *Broker) encode(m cloudevent.Message) *nats.Msg {
	msg := &nats.Msg{Subject: events.Prefix + m.Type, Data: m.Data, Header: nats.Header{}}
	for name, value := range m.Attributes(b.shop) {
		msg.Header["ce-"+name] = []string{value}
	}
	return msg
}

func stored(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attributesOf are the attributes of the event in a stored message.
func attributesOf(msg jetstream.Msg) map[string]string {
	attributes := make(map[string]string, len(msg.Headers()))
	for name, values := range msg.Headers() {
		if attribute, is := strings.CutPrefix(name, "ce-"); is && len(values) > 0 {
			attributes[attribute] = values[0]
		}
	}
	return attributes
}

// Close stops the broker; what is stored stays.
func (b *Broker) Close() {
	b.conn.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// Forget deletes all that the broker stored, as a lost disk would.
func (b *Broker) Forget() error { return os.RemoveAll(b.dir) }
