package local_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	nats "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// doing returns a function with this handler for E.
func doing[E events.Event](name string, do func() error) function.Function {
	return function.Function{Name: name, On: []function.Handler{
		function.On(function.Each(func(context.Context, pgx.Tx, E) (events.Event, error) { return nil, do() })),
	}}
}

// deliver starts an engine with a profile and Triggers, and returns it with a function that publishes events.
func deliver(t *testing.T, profile jetstream.DeliveryProfile, triggers []jetstream.Trigger, all ...function.Function) (*local.Engine, func(events.Event)) {
	t.Helper()
	shop := shoptest.Open(t, func(struct{}) []function.Function { return all })
	e := &local.Engine{Functions: all, Triggers: triggers, Profile: profile, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Every: time.Minute}
	e.Tell = local.NewInProcess(&function.Runtime{Pool: shop.Pool, Sink: shop.Broker, Log: e.Log}, all)
	run(t, e, nil)
	return e, func(event events.Event) {
		require.NoError(t, e.Publish(t.Context(), []cloudevent.Message{shop.Store(t, event)})[0])
	}
}

// delivered is how often events of a Trigger were delivered.
func delivered(t *testing.T, e *local.Engine, trigger jetstream.Trigger) uint64 {
	t.Helper()
	info, err := e.Consumer(t.Context(), trigger)
	require.NoError(t, err)
	return info.Delivered.Consumer
}

func orderID() string { return uuid.Must(uuid.NewV7()).String() }

var errNever = errors.New("never")

// A retry without a backoff: the dispatcher of the NATS broker crashes when a function fails, and with it the deliveries to all
// other functions.
func TestARetryWithoutBackoffCrashesTheNATSDispatcherAlone(t *testing.T) {
	t.Parallel()
	for profile, times := range map[jetstream.DeliveryProfile]uint64{jetstream.Spec: 1, jetstream.NATSS: 2} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			began, end := make(chan struct{}, 2), make(chan struct{})
			failing := doing[events.StockShort]("test-failing", func() error { return errNever })
			slow := doing[events.StockReserved]("test-slow", func() error { began <- struct{}{}; <-end; return nil })
			partial, complete := triggerOf(failing.Name, events.StockShort{}), triggerOf(slow.Name, events.StockReserved{})
			partial.Delivery = jetstream.Delivery{Retry: 1, Timeout: time.Second}
			complete.Delivery.Timeout = 5 * time.Second // 5 s after it an unacknowledged event is redelivered
			e, say := deliver(t, profile, []jetstream.Trigger{partial, complete}, failing, slow)
			process := e.Process()

			say(events.StockReserved{OrderID: orderID()})
			<-began
			say(events.StockShort{OrderID: orderID()})
			require.Eventually(t, func() bool {
				info, err := e.Consumer(t.Context(), partial)
				return err == nil && (e.Process() != process || info.Delivered.Consumer == 2 && atRest(info))
			}, 20*time.Second, time.Millisecond, "it has failed for good, or crashed")
			require.Equal(t, profile == jetstream.NATSS, e.Process() != process)
			close(end)
			consumers(t, e, []jetstream.Trigger{partial, complete}, "nothing is left", atRest)
			require.Equal(t, times, delivered(t, e, complete), "what was in hand when the filter crashed comes again")
			require.EqualValues(t, 2, delivered(t, e, partial))
		})
	}
}

// A delay that doubles: the NATS broker doubles it beyond what a number can hold, and does not wait at all.
func TestAnExponentialDelayOverflowsOnTheNATSBroker(t *testing.T) {
	t.Parallel()
	var tries atomic.Int64
	failing := doing[events.StockShort]("test-failing", func() error { tries.Add(1); return errNever })
	trigger := triggerOf(failing.Name, events.StockShort{})
	const long = time.Duration(1) << 62 // 146 years: the next doubling is below zero, all others are none
	trigger.Delivery = jetstream.Delivery{Retry: 5, Backoff: jetstream.Exponential, Delay: long, Timeout: time.Second}
	e, say := deliver(t, jetstream.NATSS, []jetstream.Trigger{trigger}, failing)
	say(events.StockShort{OrderID: orderID()})
	consumers(t, e, e.Triggers, "it is given up", func(c *nats.ConsumerInfo) bool { return c.Delivered.Consumer == 6 && atRest(c) })
	require.EqualValues(t, 6, tries.Load(), "all tries at once")
}

func TestWaitsOfTheNATSBroker(t *testing.T) {
	t.Parallel()
	const half = 500 * time.Millisecond
	for name, c := range map[string]struct {
		delivery jetstream.Delivery
		attempt  int
		delay    time.Duration // 0: none
		crash    bool
	}{
		"linear":                     {jetstream.Delivery{Backoff: jetstream.Linear, Delay: half}, 3, 3 * half, false},
		"exponential":                {jetstream.Delivery{Backoff: jetstream.Exponential, Delay: half}, 3, 8 * half, false},
		"exponential, below zero":    {jetstream.Delivery{Backoff: jetstream.Exponential, Delay: half}, 35, 0, false},
		"exponential, out of digits": {jetstream.Delivery{Backoff: jetstream.Exponential, Delay: half}, 70, 0, false},
		"no policy":                  {jetstream.Delivery{Delay: half}, 1, 0, true},
		"no delay":                   {jetstream.Delivery{Backoff: jetstream.Linear}, 1, 0, true},
	} {
		delay, crash := jetstream.NATSS.Wait(c.delivery, c.attempt)
		require.Equal(t, c.crash, crash, name)
		require.Equal(t, c.delay, max(delay, 0), name)
		_, crash = jetstream.Spec.Wait(c.delivery, c.attempt)
		require.False(t, crash, name)
	}
}

func TestTheNATSBrokerGivesUpOnStatusesThatKnativeRetries(t *testing.T) {
	t.Parallel()
	for status, natss := range map[int]bool{0: true, 404: false, 408: true, 409: false, 429: true, 500: true, 503: true} {
		require.True(t, jetstream.Spec.Retries(status), status)
		require.Equal(t, natss, jetstream.NATSS.Retries(status), status)
	}
	for _, status := range []int{400, 401, 413, 422, 425} {
		require.False(t, jetstream.Spec.Retries(status), status)
		require.False(t, jetstream.NATSS.Retries(status), status)
	}
}

// Our manifests name all parts of delivery, and a policy that cannot overflow.
func TestOurTriggersAreDeliveredOnTheNATSBrokerAsTheySay(t *testing.T) {
	t.Parallel()
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	require.NoError(t, err)
	require.NotEmpty(t, triggers)
	for _, trigger := range triggers {
		require.NotZero(t, trigger.Delivery.Retry)
		require.NotEmpty(t, trigger.Delivery.DeadLetterSink)
		for attempt := 1; attempt <= trigger.Delivery.Retry; attempt++ {
			want := trigger.Delivery.Wait(attempt)
			require.Positive(t, want)
			for _, profile := range jetstream.Profiles() {
				delay, crash := profile.Wait(trigger.Delivery, attempt)
				require.False(t, crash, "%s %s", profile, trigger.Name)
				require.Equal(t, want, delay, "%s %s", profile, trigger.Name)
			}
		}
	}
}
