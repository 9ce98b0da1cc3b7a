package jetstream

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/internal/deliverymetrics"
)

// Response is how a subscriber responded to an event.
type Response struct {
	Status     int // of HTTP; 0 when there was no response
	Body       []byte
	RetryAfter time.Duration
	Reply      *Event // an event that the subscriber responded with
}

func (r Response) ok() bool { return r.Status/100 == 2 }

// Subscriber is where events are delivered to.
type Subscriber interface {
	// Deliver delivers an event to a destination: the subscriber or the dead-letter sink of a Trigger.
	Deliver(ctx context.Context, destination string, e Event) Response
}

// Process is what delivers the events of all Triggers: when it crashes for one, deliveries of all others end
// unacknowledged.
type Process struct {
	running context.Context
	end     context.CancelCauseFunc
}

var errCrashed = errors.New("the dispatcher crashed")

// NewProcess returns a process that runs until ctx ends or it crashes.
func NewProcess(ctx context.Context) *Process {
	running, end := context.WithCancelCause(ctx)
	return &Process{running, end}
}

// Crashed reports whether the process crashed: nothing that it had in hand is acknowledged any more.
func (p *Process) Crashed() bool { return errors.Is(context.Cause(p.running), errCrashed) }

// Dispatcher delivers the events of one Trigger.
type Dispatcher struct {
	Broker     *Broker
	Trigger    Trigger
	Subscriber Subscriber
	Process    *Process
	Profile    DeliveryProfile
	Duplicates int                      // each event is delivered so many times more, for tests
	Metrics    *deliverymetrics.Metrics // by the Trigger's name; may be nil
	Log        *slog.Logger

	// Heartbeat is how often an idle consumer shows that the broker still knows it, at most 30 s; 5 s if it is zero. A
	// consumer that is lost is made again after two. Each heartbeat of each Trigger wakes the program.
	Heartbeat time.Duration
}

// Run delivers until the process ends or the consumer is lost, then waits for the deliveries in hand. It uses the
// consumer that Add made; a lost one is made again by the next Run.
func (d *Dispatcher) Run() {
	ctx := d.Process.running
	consumer, err := d.Broker.take(ctx, d.Trigger)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = d.Broker.Restore(ctx)
	}
	if err != nil || consumer == nil {
		d.warn("trigger has no consumer", err)
		return
	}
	n := d.Profile.inFlight()
	messages, err := consumer.Messages(
		jetstream.PullMaxMessages(4*n), jetstream.PullHeartbeat(cmp.Or(d.Heartbeat,
			5*time.Second)), jetstream.PullExpiry(time.Minute))
	if err != nil {
		d.warn("trigger stopped", err)
		return
	}
	defer context.AfterFunc(ctx, messages.Drain)()
	d.deliverAll(ctx, messages, n)
}

func (d *Dispatcher) warn(what string, err error) {
	if err != nil && d.Process.running.Err() == nil {
		d.Log.Warn(what, "trigger", d.Trigger.Name, "error", err)
	}
}

// deliverAll delivers n messages at a time until there are no more.
func (d *Dispatcher) deliverAll(ctx context.Context, messages jetstream.MessagesContext, n int) {
	var delivering sync.WaitGroup
	defer delivering.Wait()
	slots := make(chan struct{}, n)
	for {
		msg, err := messages.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return
		}
		if err != nil {
			if !errors.Is(err, jetstream.ErrNoHeartbeat) {
				d.warn("trigger lost its consumer", err)
			}
			messages.Stop()
			return
		}
		slots <- struct{}{}
		if ctx.Err() != nil { // another process delivers it
			d.giveBack(msg)
			<-slots
			continue
		}
		delivering.Go(func() {
			defer func() { <-slots }()
			d.deliver(context.WithoutCancel(ctx), msg)
		})
	}
}

func (d *Dispatcher) giveBack(msg jetstream.Msg) {
	if !d.Process.Crashed() {
		_ = msg.Nak()
	}
}

// deliver delivers one event, and acknowledges it, gives it back for later, or sends it to the dead-letter sink.
func (d *Dispatcher) deliver(ctx context.Context, msg jetstream.Msg) {
	e := eventOf(msg.Headers(), msg.Data())
	d.Profile.mutate(e.Attributes)
	if !d.Trigger.passes(e.Attributes) {
		_ = msg.Ack()
		return
	}
	fault := d.Profile.injectedFault()
	if fault.lose {
		_ = msg.Ack()
		return
	}
	time.Sleep(fault.delay)
	var duplicates sync.WaitGroup
	defer duplicates.Wait()
	for range fault.duplicates + d.Duplicates {
		duplicates.Go(func() {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			d.attempt(ctx, e)
		})
	}
	d.settle(ctx, msg, e, d.attempt(ctx, e))
}

func (d *Dispatcher) attempt(ctx context.Context, e Event) Response {
	ctx, cancel := context.WithTimeout(ctx, d.Trigger.Delivery.timeout())
	defer cancel()
	began := time.Now()
	defer func() { d.Metrics.Observe(d.Trigger.Name, time.Since(began)) }()
	return d.Subscriber.Deliver(ctx, d.Trigger.Subscriber, e)
}

// settle does with a delivered event what the response asks for.
func (d *Dispatcher) settle(ctx context.Context, msg jetstream.Msg, e Event, r Response) {
	if d.Process.Crashed() {
		return
	}
	attempt := 1
	if metadata, err := msg.Metadata(); err == nil {
		attempt = int(metadata.NumDelivered)
	}
	retries, last := d.Profile.Retries(r.Status), attempt > d.Trigger.Delivery.Retry
	switch {
	case r.ok():
		d.finish(ctx, msg, attempt, r)
	case retries && !last:
		d.retry(msg, attempt, r)
	case !last && d.Profile == NATSS:
		d.count(deliverymetrics.Dropped)
		_ = msg.Ack()
	default:
		d.toDeadLetterSink(ctx, msg, attempt, e, r)
	}
}

// finish acknowledges an event once the reply to it is stored.
func (d *Dispatcher) finish(ctx context.Context, msg jetstream.Msg, attempt int, r Response) {
	if r.Reply != nil {
		err := d.Broker.Once(ctx, *r.Reply)
		var invalid InvalidError
		if err != nil && !errors.As(err, &invalid) {
			d.retry(msg, attempt, Response{})
			return
		}
		d.warn("reply rejected", err)
	}
	d.count(deliverymetrics.Accepted)
	_ = msg.Ack()
}

// retry gives an event back for later.
func (d *Dispatcher) retry(msg jetstream.Msg, attempt int, r Response) {
	d.count(deliverymetrics.Retried)
	delay, crash := d.Profile.Wait(d.Trigger.Delivery, attempt)
	if crash {
		d.Log.Error("dispatcher crashed", "trigger", d.Trigger.Name)
		d.Process.end(errCrashed)
		return
	}
	if r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable {
		delay = max(delay, d.Trigger.Delivery.retryAfter(r.RetryAfter))
	}
	_ = msg.NakWithDelay(delay)
}

// maxErrorData is how many bytes of a response a dead letter carries, as Knative's brokers have it.
const maxErrorData = 1024

// toDeadLetterSink sends an event to the dead-letter sink, again and again until the sink accepts it. Without a sink
// the event is gone.
func (d *Dispatcher) toDeadLetterSink(ctx context.Context, msg jetstream.Msg, attempt int, e Event, r Response) {
	sink := d.Trigger.Delivery.DeadLetterSink
	if sink == "" {
		d.count(deliverymetrics.Dropped)
		d.Log.Error("event dropped", "trigger", d.Trigger.Name, "event", e.Attributes["id"], "status", r.Status)
		_ = msg.Ack()
		return
	}
	dead := e.With(map[string]string{
		"knativeerrordest": d.Trigger.Subscriber, "knativeerrorcode": strconv.Itoa(r.Status),
		"knativeerrordata": base64.StdEncoding.EncodeToString(r.Body[:min(len(r.Body), maxErrorData)]),
	})
	ctx, cancel := context.WithTimeout(ctx, d.Trigger.Delivery.timeout())
	defer cancel()
	switch {
	case d.Subscriber.Deliver(ctx, sink, dead).ok():
		d.count(deliverymetrics.DeadLettered)
	case d.Profile == NATSS:
		d.count(deliverymetrics.Dropped)
	default:
		d.count(deliverymetrics.SinkRejected)
		_ = msg.NakWithDelay(d.Trigger.Delivery.Wait(attempt))
		return
	}
	_ = msg.Ack()
}

func (d *Dispatcher) count(result deliverymetrics.Result) { d.Metrics.Count(d.Trigger.Name, result) }
