package jetstreambroker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"

	"github.com/popup-shop/popup/internal/deliverymetrics"
	"github.com/popup-shop/popup/internal/jetstream"
)

// Class is the class of the Brokers that this program serves.
const Class = "JetStream"

// plane delivers the events of all Brokers of our class, in every replica.
type plane struct {
	conn       *nats.Conn
	settings   Settings
	brokers    eventinglisters.BrokerLister
	triggers   eventinglisters.TriggerLister
	subscriber jetstream.Subscriber
	log        *slog.Logger
	metrics    *deliverymetrics.Metrics
	changed    chan struct{}

	syncing sync.Mutex // held by sync: a Trigger is started once

	mu      sync.Mutex
	open    map[types.NamespacedName]*jetstream.Broker
	running map[types.NamespacedName]*delivery // by Trigger
}

// delivery is a Trigger whose events are delivered.
type delivery struct {
	broker *jetstream.Broker
	spec   string // what it was made of
	name   string // of its consumer
	stop   context.CancelFunc
	done   chan struct{}
}

func newPlane(
	conn *nats.Conn, s Settings, brokers eventinglisters.BrokerLister, triggers eventinglisters.TriggerLister, log *slog.Logger,
) *plane {
	p := &plane{
		conn: conn, settings: s, brokers: brokers, triggers: triggers, subscriber: newPoster(), log: log, changed: make(chan struct{}, 1),
		open: map[types.NamespacedName]*jetstream.Broker{}, running: map[types.NamespacedName]*delivery{},
	}
	p.metrics = deliverymetrics.New(nil, p.state)
	return p
}

// state returns the state of all Brokers together.
func (p *plane) state(ctx context.Context) (sum deliverymetrics.BrokerState, err error) {
	p.mu.Lock()
	open := slices.Collect(maps.Values(p.open))
	p.mu.Unlock()
	sum.Lag = map[string]uint64{}
	for _, b := range open {
		s, err := b.State(ctx)
		if err != nil {
			return sum, err
		}
		sum.Members, sum.Events, sum.Bytes = max(sum.Members, s.Members), sum.Events+s.Events, sum.Bytes+s.Bytes
		for name, lag := range s.Lag {
			sum.Lag[name] += lag
		}
	}
	return sum, nil
}

func newPoster() poster {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return poster{&http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConns: 1000, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
	}}}
}

// poster delivers events over HTTP.
type poster struct{ client *http.Client }

func (p poster) Deliver(ctx context.Context, destination string, e jetstream.Event) jetstream.Response {
	r, err := jetstream.Post(ctx, p.client, destination, e)
	if err != nil {
		r.Body = []byte(err.Error())
	}
	return r
}

func key(object interface{ GetNamespace() string }, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: object.GetNamespace(), Name: name}
}

// streamOf returns the name of a Broker's stream. Names of Kubernetes have no underscore, so that no two Brokers share
// one.
func streamOf(k types.NamespacedName) string {
	return "BROKER_" + consumerOf(k.Namespace) + "_" + consumerOf(k.Name)
}

// consumerOf returns the name of a Trigger's consumer.
func consumerOf(trigger string) string { return strings.ReplaceAll(trigger, ".", "_") }

// broker returns the stream of a Broker, which is made if there is none.
func (p *plane) broker(ctx context.Context, k types.NamespacedName) (*jetstream.Broker, error) {
	p.mu.Lock()
	b, ok := p.open[k]
	p.mu.Unlock()
	if ok {
		return b, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	b, err := jetstream.Open(ctx, p.conn, jetstream.Stream{
		Name: streamOf(k), Replicas: p.settings.Replicas, MaxBytes: p.settings.MaxBytes,
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.open[k]; ok {
		return other, nil
	}
	p.open[k] = b
	return b, nil
}

// find returns the broker that the path of a request names: /namespace/name.
func (p *plane) find(r *http.Request) (*jetstream.Broker, error) {
	namespace, name, ok := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	k := types.NamespacedName{Namespace: namespace, Name: name}
	b, err := p.brokers.Brokers(namespace).Get(name)
	if !ok || err != nil || !ours(b) {
		return nil, jetstream.ErrUnknownBroker
	}
	return p.broker(r.Context(), k)
}

func ours(b *eventingv1.Broker) bool {
	return b.Annotations[brokerreconciler.ClassAnnotationKey] == Class && b.DeletionTimestamp.IsZero()
}

// notify has the plane look at Brokers and Triggers again.
func (p *plane) notify() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run delivers what Brokers and Triggers ask for until ctx ends, then waits for the deliveries in hand.
func (p *plane) run(ctx context.Context) {
	again := time.NewTicker(10 * time.Second)
	defer again.Stop()
	for ctx.Err() == nil {
		p.sync(ctx)
		select {
		case <-ctx.Done():
		case <-p.changed:
		case <-again.C:
		}
	}
	for _, d := range p.keep(nil) {
		<-d.done
	}
}

// handover is how long a delivery that is stopped may hold up the others.
const handover = 2 * time.Second

// await waits until deliveries have ended, but not for long: their subscribers may take as long as their Triggers
// allow.
func await(stopped []*delivery) {
	enough := time.After(handover)
	for _, d := range stopped {
		select {
		case <-d.done:
		case <-enough:
			return
		}
	}
}

// sync starts the deliveries that are asked for, and stops all others.
func (p *plane) sync(ctx context.Context) {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	all, err := p.triggers.List(labels.Everything())
	if err != nil {
		p.log.Error("list triggers", "error", err)
		return
	}
	wanted := map[types.NamespacedName]string{}
	for _, t := range all {
		if b, ok := p.deliverable(t); ok {
			wanted[key(t, t.Name)] = specOf(b, t)
		}
	}
	await(p.keep(wanted))
	p.forgetDeleted()
	for _, t := range all {
		if spec, ok := wanted[key(t, t.Name)]; ok {
			if err := p.start(ctx, t, spec); err != nil {
				p.log.Warn("events of a trigger are not delivered", "trigger", key(t, t.Name).String(), "error", err)
			}
		}
	}
}

// deliverable returns the Broker of a Trigger; ok is false while its events are not delivered.
func (p *plane) deliverable(t *eventingv1.Trigger) (b *eventingv1.Broker, ok bool) {
	b, err := p.brokers.Brokers(t.Namespace).Get(t.Spec.Broker)
	return b, err == nil && ours(b) && t.DeletionTimestamp.IsZero() && t.Status.SubscriberURI != nil
}

// specOf returns all that a delivery is made of, as text.
func specOf(b *eventingv1.Broker, t *eventingv1.Trigger) string {
	return fmt.Sprint(b.UID, b.Generation, t.UID, t.Generation, t.Status.SubscriberURI, t.Status.DeadLetterSinkURI)
}

// keep stops every delivery that is not wanted as it is, and returns those: each ends with what it has in hand.
func (p *plane) keep(wanted map[types.NamespacedName]string) (stopped []*delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, d := range p.running {
		if wanted[k] != d.spec {
			d.stop()
			stopped = append(stopped, d)
			delete(p.running, k)
			if _, ok := wanted[k]; !ok {
				d.broker.Forget(d.name)
			}
		}
	}
	return stopped
}
