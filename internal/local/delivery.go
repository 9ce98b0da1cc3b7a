package local

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/deliverymetrics"
)

// inFlight is how many events a Trigger delivers to its function at once, as containerConcurrency bounds it on a cluster: as
// many as a batch holds.
const inFlight = 32

// answer is how a function answered an event: an HTTP status, 0 when there was none, and what it said.
type answer struct {
	status    int
	responded bool // the function itself responded
	reason    string
}

func (a answer) ok() bool { return a.status/100 == 2 }

// functions is where events are handed to: functions in this program, or programs of their own.
type functions interface {
	tell(ctx context.Context, name string, m cloudevent.Message) answer
	bury(ctx context.Context, name string, dead cloudevent.DeadLetter) answer
}

// dispatcher delivers the events of one Trigger.
type dispatcher struct {
	trigger   Trigger
	profile   Profile
	filter    *filter
	copies    int
	functions functions
	metrics   *deliverymetrics.Metrics
	log       *slog.Logger
}

// filter is the process that delivers the events of all Triggers, as on a cluster: what crashes it for one stops it for all.
type filter struct {
	running context.Context // until it crashes or is stopped
	end     context.CancelCauseFunc
}

var errCrashed = errors.New("the filter crashed")

func newFilter(ctx context.Context) *filter {
	running, end := context.WithCancelCause(ctx)
	return &filter{running, end}
}

// crashed says that nobody is there any more who could acknowledge an event.
func (f *filter) crashed() bool { return errors.Is(context.Cause(f.running), errCrashed) }

// run delivers until the filter ends, then waits for what is in hand.
func (d *dispatcher) run(consumer jetstream.Consumer) {
	ctx := d.filter.running
	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, inFlight)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4*inFlight), jetstream.PullHeartbeat(5*time.Second), jetstream.PullExpiry(time.Minute))
	if err != nil {
		d.log.Error("trigger stopped", "trigger", d.trigger.Name, "error", err)
		return
	}
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		msg, err := messages.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return
		}
		if err != nil { // the broker is away or has forgotten the consumer: whoever runs us makes a new one
			if ctx.Err() == nil && !errors.Is(err, jetstream.ErrNoHeartbeat) {
				d.log.Warn("trigger lost its consumer", "trigger", d.trigger.Name, "error", err)
			}
			messages.Stop()
			return
		}
		slots <- struct{}{}
		busy.Go(func() {
			defer func() { <-slots }()
			d.deliver(context.WithoutCancel(ctx), msg)
		})
	}
}

// deliver hands one event to the function, and acknowledges it, gives it back for later, or buries it.
func (d *dispatcher) deliver(ctx context.Context, msg jetstream.Msg) {
	attributes := attributesOf(msg)
	d.profile.spoil(attributes)
	m, err := cloudevent.FromAttributes(attributes, msg.Data())
	if err != nil || !d.trigger.Wants(attributes) {
		_ = msg.Ack() // not an event, or not for this function
		return
	}
	does := d.profile.mischief()
	if does.lose {
		_ = msg.Ack()
		return
	}
	time.Sleep(does.delay)
	var twins sync.WaitGroup
	defer twins.Wait()
	for range does.copies + d.copies {
		twins.Go(func() {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			d.tell(ctx, m)
		})
	}
	d.settle(ctx, msg, m, d.tell(ctx, m))
}

func (d *dispatcher) tell(ctx context.Context, m cloudevent.Message) answer {
	ctx, cancel := context.WithTimeout(ctx, d.trigger.Delivery.Timeout)
	defer cancel()
	began := time.Now()
	defer func() { d.metrics.Observe(d.trigger.Subscriber, time.Since(began)) }()
	return d.functions.tell(ctx, d.trigger.Subscriber, m)
}

// settle does with a delivered event what the answer asks for.
func (d *dispatcher) settle(ctx context.Context, msg jetstream.Msg, m cloudevent.Message, a answer) {
	if d.filter.crashed() {
		return
	}
	if a.ok() {
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.Accepted)
		_ = msg.Ack()
		return
	}
	attempt := 1
	if metadata, err := msg.Metadata(); err == nil {
		attempt = int(metadata.NumDelivered)
	}
	again, last := d.profile.again(a), attempt > d.trigger.Delivery.Retry
	switch {
	case again && !last:
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.Retried)
		d.retry(msg, attempt)
	case !last && d.profile == NATSS:
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.Dropped)
		_ = msg.Ack()
	default:
		d.bury(ctx, msg, attempt, cloudevent.DeadLetter{
			Message: m, Consumer: d.trigger.Subscriber, Code: a.status, Responded: a.responded, Reason: a.reason,
		})
	}
}

// retry gives an event back for later.
func (d *dispatcher) retry(msg jetstream.Msg, attempt int) {
	delay, crash := d.profile.wait(d.trigger.Delivery, attempt)
	if crash {
		d.log.Error("filter crashed", "trigger", d.trigger.Name)
		d.filter.end(errCrashed)
		return
	}
	_ = msg.NakWithDelay(delay)
}

// bury hands an event to the dead-letter sink, again and again until it takes it, if the profile has it so. Without a sink
// the event is gone.
func (d *dispatcher) bury(ctx context.Context, msg jetstream.Msg, attempt int, dead cloudevent.DeadLetter) {
	sink := d.trigger.Delivery.DeadLetterSink
	switch {
	case sink == "":
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.Dropped)
	case d.functions.bury(ctx, sink, dead).ok():
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.DeadLettered)
	case d.profile == NATSS:
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.Dropped)
	default:
		d.metrics.Count(d.trigger.Subscriber, deliverymetrics.SinkRejected)
		_ = msg.NakWithDelay(d.trigger.Delivery.Wait(attempt))
		return
	}
	_ = msg.Ack()
}
