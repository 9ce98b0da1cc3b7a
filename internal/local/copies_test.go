package local_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	nats "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// copies is how many copies of a function run.
const copies = 4

// connect opens a database as one copy of a program does, with connections of its own that bear its name.
func connect(t *testing.T, address, name string) *pgxpool.Pool {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	query.Set("application_name", name)
	u.RawQuery = query.Encode()
	pool, err := config.Database{URL: u.String(), Pool: 4}.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// noting is a function that notes each event it handles, and which copy of it does.
func noting(name string) function.Function {
	return function.Function{Name: name, Writes: []string{"test.handled"}, On: []function.Handler{
		function.On(function.Each(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (events.Event, error) {
			_, err := tx.Exec(ctx, `INSERT INTO test.handled VALUES ($1, $2, current_setting('application_name'))`, name, e.OrderID)
			return nil, err
		})),
	}}
}

// triggerOf returns a Trigger of a function for an event, with the delivery policy of our manifests.
func triggerOf(name string, e events.Event) jetstream.Trigger {
	return jetstream.Trigger{
		Name: name, Subscriber: name, Filter: jetstream.Subscriptions{{Exact: map[string]string{"type": events.WireType(e)}}},
		Delivery: jetstream.Delivery{DeadLetterSink: "store-dead-letter", Retry: 8, Backoff: jetstream.Linear, Delay: 500 * time.Millisecond, Timeout: 30 * time.Second},
	}
}

// run starts an engine until the test ends, on a broker of its own or on that of another one.
func run(t *testing.T, e *local.Engine, broker *local.Engine) {
	t.Helper()
	if broker != nil {
		e.Join(broker)
	}
	require.NoError(t, e.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		if broker != nil {
			e.Leave()
		}
		e.Stop()
	})
}

// consumers waits until all Triggers' consumers at the broker are as they should.
func consumers(t *testing.T, e *local.Engine, triggers []jetstream.Trigger, are string, so func(*nats.ConsumerInfo) bool) {
	t.Helper()
	for _, trigger := range triggers {
		require.Eventually(t, func() bool {
			info, err := e.Consumer(t.Context(), trigger)
			return err == nil && so(info)
		}, time.Minute, time.Millisecond, "%s: %s", trigger.Name, are)
	}
}

// atRest reports whether nothing waits to be delivered, and that nothing is being handled.
func atRest(c *nats.ConsumerInfo) bool { return c.NumPending == 0 && c.NumAckPending == 0 }

// FUN-15.
func TestFourCopiesShareTheWorkAndTwoConsumersReceiveAll(t *testing.T) {
	t.Parallel()
	listeners := []function.Function{noting("test-first"), noting("test-second")}
	shop := shoptest.Open(t, func(struct{}) []function.Function { return listeners })
	shop.Exec(t, `CREATE SCHEMA test; CREATE TABLE test.handled (function text NOT NULL, event text NOT NULL, copy text NOT NULL)`)
	triggers := []jetstream.Trigger{triggerOf("test-first", events.StockReserved{}), triggerOf("test-second", events.StockReserved{})}
	var first *local.Engine
	for n := range copies {
		rt := &function.Runtime{Pool: connect(t, shop.URL, fmt.Sprint("copy ", n)), Sink: shop.Broker, Log: slog.New(slog.DiscardHandler)}
		e := &local.Engine{
			Functions: listeners, Triggers: triggers, Profile: jetstream.Spec, Dir: t.TempDir(), Log: rt.Log,
			Tell: local.NewInProcess(rt, listeners), Every: time.Minute,
		}
		run(t, e, first)
		if first == nil {
			first = e
		}
	}
	consumers(t, first, triggers, "every copy asks for work", func(c *nats.ConsumerInfo) bool { return c.NumWaiting == copies })

	const n = 200
	for range n {
		m := shop.Store(t, events.StockReserved{OrderID: uuid.Must(uuid.NewV7()).String()})
		for range copies { // the same event comes to several copies at once
			require.NoError(t, first.Publish(t.Context(), []cloudevent.Message{m})[0])
		}
	}
	consumers(t, first, triggers, "nothing is left", atRest)
	for _, listener := range listeners {
		require.Equal(t, []int{n, n, copies}, shoptest.Scalar[[]int](t, shop, `
			SELECT ARRAY[count(*), count(DISTINCT event), count(DISTINCT copy)] FROM test.handled WHERE function = $1`, listener.Name),
			"all events, each once, by all copies")
	}
}

// twice has the broker deliver every event twice: to two copies at once, mostly.
type twice struct{ cloudevent.Publisher }

func (p twice) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	first, second := p.Publisher.Publish(ctx, messages), p.Publisher.Publish(ctx, messages)
	for i := range first {
		first[i] = errors.Join(first[i], second[i])
	}
	return first
}

// FUN-15.
func TestFourCopiesOfEveryFunctionEndAsOneDoes(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *local.Options, _ *functions.Settings) {
		o.Sink = func(to cloudevent.Publisher) cloudevent.Publisher { return twice{to} }
	})
	var pools []*pgxpool.Pool
	for n := range copies - 1 {
		pool := connect(t, s.Postgres.URL(), fmt.Sprint("copy ", n))
		rt := &function.Runtime{Pool: pool, Sink: twice{s.Engine}, Log: s.Engine.Log}
		all := functions.All(s.settings)
		run(t, &local.Engine{
			Functions: all, Triggers: s.Engine.Triggers, Profile: jetstream.Spec, Log: s.Engine.Log, Tell: local.NewInProcess(rt, all), Every: s.Engine.Every,
		}, s.Engine)
		pools = append(pools, pool)
	}
	const n = 100
	s.sell(n, 16)
	s.settle(2 * time.Minute)
	s.check()
	s.requireSold(n)
	for _, pool := range pools {
		require.Greater(t, pool.Stat().AcquireCount(), int64(n), "every copy had work")
	}
}
