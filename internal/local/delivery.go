package local

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/popup-shop/popup/internal/function"
)

// inFlight is how many events a Trigger hands to its function at once, as containerConcurrency bounds it on a cluster.
const inFlight = 4

// answer is how a function answered an event: an HTTP status, 0 when there was none, and what it said.
type answer struct {
	status int
	reason string
}

func (a answer) ok() bool { return a.status/100 == 2 }

// again says that delivery is tried again after such an answer, as Knative does.
func (a answer) again() bool {
	switch a.status {
	case 0, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return a.status/100 == 5 || a.status/100 == 3
}

// functions is where events are handed to: functions in this program, or programs of their own.
type functions interface {
	tell(ctx context.Context, name string, m function.Message) answer
	bury(ctx context.Context, name string, dead function.DeadLetter) answer
}

// dispatcher delivers the events of one Trigger.
type dispatcher struct {
	trigger   Trigger
	profile   Profile
	copies    int
	functions functions
	log       *slog.Logger
}

// run delivers until ctx ends, then waits for what is in hand.
func (d *dispatcher) run(ctx context.Context, consumer jetstream.Consumer) {
	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, inFlight)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4*inFlight), jetstream.PullHeartbeat(time.Second), jetstream.PullExpiry(5*time.Second))
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
	m, err := function.FromAttributes(attributes, msg.Data())
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

func (d *dispatcher) tell(ctx context.Context, m function.Message) answer {
	ctx, cancel := context.WithTimeout(ctx, d.trigger.Delivery.Timeout)
	defer cancel()
	return d.functions.tell(ctx, d.trigger.Subscriber, m)
}

// settle does with a delivered event what the answer asks for.
func (d *dispatcher) settle(ctx context.Context, msg jetstream.Msg, m function.Message, a answer) {
	if a.ok() {
		_ = msg.Ack()
		return
	}
	attempt := 1
	if metadata, err := msg.Metadata(); err == nil {
		attempt = int(metadata.NumDelivered)
	}
	if a.again() && attempt <= d.trigger.Delivery.Retry {
		_ = msg.NakWithDelay(d.trigger.Delivery.Wait(attempt))
		return
	}
	if !a.again() && d.profile == NATSS {
		_ = msg.Ack()
		return
	}
	buried := d.functions.bury(ctx, d.trigger.Delivery.DeadLetterSink, function.DeadLetter{
		Message: m, Consumer: d.trigger.Subscriber, Code: a.status, Reason: a.reason,
	})
	if !buried.ok() && d.profile != NATSS {
		_ = msg.NakWithDelay(d.trigger.Delivery.Wait(attempt))
		return
	}
	_ = msg.Ack()
}
