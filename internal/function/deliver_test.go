package function_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/shoptest"
)

// name is what the function under test is called.
const name = "test-shell"

// received is the event that it receives.
func told() events.StockReserved {
	return events.StockReserved{OrderID: uuid.Must(uuid.NewV7()).String()}
}

// handling returns a function with a handler.
func handling(handle func(context.Context, pgx.Tx, events.StockReserved) ([]events.Event, error)) function.Function {
	return function.Function{
		Name: name, On: []function.Handler{function.On(emitting(handle))},
		Emits: []events.Event{events.OrderConfirmed{}, events.OrderStalled{}}, Writes: []string{"test.effects"},
	}
}

// emitting handles one event after the other; each may cause several.
func emitting[E events.Event](
	handle func(context.Context, pgx.Tx, E) ([]events.Event, error),
) func(context.Context, pgx.Tx, []*function.Delivery[E]) error {
	return func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		for _, d := range batch {
			all, err := handle(ctx, tx, d.Event)
			if err != nil {
				return err
			}
			for _, e := range all {
				d.Emit(e)
			}
		}
		return nil
	}
}

// works records its effect and emits two events.
func works(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
	if err := note(ctx, tx, e.OrderID); err != nil {
		return nil, err
	}
	return []events.Event{events.OrderConfirmed{OrderID: e.OrderID}, events.OrderStalled{OrderID: e.OrderID}}, nil
}

func note(ctx context.Context, tx pgx.Tx, what string) error {
	_, err := tx.Exec(ctx, `INSERT INTO test.effects VALUES ($1)`, what)
	return err
}

// listener consumes the events of the function under test, and does nothing.
var listener = function.Function{Name: "test-listener", On: []function.Handler{
	function.On(function.Each(func(context.Context, pgx.Tx, events.OrderConfirmed) (events.Event,
		error,
	) {
		return nil, nil
	})),
}}

// open is a ledger with these functions, and a table for their effects.
func open(t *testing.T, functions ...function.Function) *shoptest.Shop {
	t.Helper()
	shop := shoptest.Open(t, func(struct{}) []function.Function { return functions })
	shop.Exec(t, `CREATE SCHEMA test; CREATE TABLE test.effects (what text NOT NULL)`)
	return shop
}

func count(t *testing.T, shop *shoptest.Shop, from string) int64 {
	t.Helper()
	return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM `+from)
}

// requireNothing checks that a delivery left no trace: no effect, no inbox record, no emitted event.
func requireNothing(t *testing.T, shop *shoptest.Shop, said int64) {
	t.Helper()
	require.Zero(t, count(t, shop, "test.effects"))
	require.Zero(t, count(t, shop, "bus.inbox"))
	require.Equal(t, said, count(t, shop, "bus.event"))
}

// FUN-02.
func TestManyDeliveriesAtOnceAreHandledOnce(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	m := shop.Store(t, told())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { shop.Deliver(t, name, m) })
	}
	all.Wait()
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
	require.Len(t, shop.EmittedFor(t, name, m), 2)
	require.EqualValues(t, 1, count(t, shop, "bus.inbox"))
}

// FUN-07.
func TestAnUnknownEventIsQuarantined(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	known := shop.Store(t, told())
	for forged, change := range map[string]func(*cloudevent.Message){
		"made-up id":      func(m *cloudevent.Message) { m.ID = uuid.NewString() },
		"id that is none": func(m *cloudevent.Message) { m.ID = "1" },
	} {
		m := known
		change(&m)
		require.NoError(t, shop.TryDeliver(t, name, m), forged)
		require.Equal(t, "unknown", shoptest.Scalar[string](t, shop, `
			SELECT kind FROM bus.dead_letters WHERE (event_id, source, consumer) = ($1, $2, $3)`, m.ID, m.Source, name), forged)
	}
	m := known
	m.Type = "order.confirmed"
	require.NoError(t, shop.TryDeliver(t, listener.Name, m))
	require.Equal(t, "unknown", shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters WHERE consumer = $1`,
		listener.Name), "another type")
	requireNothing(t, shop, 1)
}

// FUN-06.
func TestAPermanentErrorIsADeadLetterAndDelaysNoOther(t *testing.T) {
	t.Parallel()
	poison := told()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		said, err := works(ctx, tx, e)
		if e.OrderID == poison.OrderID {
			err = function.Permanent(fmt.Errorf("no retry cures this: %w", errors.New("it is poison")))
		}
		return said, err
	}))
	m := shop.Store(t, poison)
	for range 2 {
		require.NoError(t, shop.TryDeliver(t, name, m))
	}
	requireNothing(t, shop, 1)
	require.Equal(t, "poison test-shell test 2 no retry cures this: it is poison", shoptest.Scalar[string](t, shop, `
		SELECT concat_ws(' ', kind, consumer, revision, attempts, reason) FROM bus.dead_letters WHERE resolved_at IS NULL`))

	require.Len(t, shop.Send(t, name, told()), 2)
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

func TestAnUnreadableEventIsADeadLetter(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	m := shop.Store(t, told())
	shop.Exec(t, `UPDATE bus.event SET data = '{"order_id": 7}'`)
	require.NoError(t, shop.TryDeliver(t, name, m))
	m.Type, m.Data = "order.placed", []byte(`{}`)
	require.NoError(t, shop.TryDeliver(t, name, m), "not told to this function")
	require.Equal(t, "poison 2", shoptest.Scalar[string](t, shop,
		`SELECT concat_ws(' ', kind, attempts) FROM bus.dead_letters`))
	requireNothing(t, shop, 1)
}

// FUN-01.
func TestErrorRollsEverythingBackAndTheEventIsTriedAgain(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]func() error{
		"an error":      func() error { return errors.New("not now") },
		"a panic":       func() error { panic("not now") },
		"a nil pointer": func() error { var m *cloudevent.Message; return errors.New(m.ID) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			broken := true
			shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
				said, err := works(ctx, tx, e)
				if broken {
					err = fault()
				}
				return said, err
			}))
			m := shop.Store(t, told())
			require.Error(t, shop.TryDeliver(t, name, m))
			requireNothing(t, shop, 1)
			require.Zero(t, count(t, shop, "bus.dead_letters"))

			broken = false
			require.Len(t, shop.Deliver(t, name, m), 2)
			require.EqualValues(t, 1, count(t, shop, "test.effects"))
		})
	}
}

func TestErrorOfTheDatabaseThatTheHandlerHidesStillRollsBack(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		_ = note(ctx, tx, e.OrderID)
		_, _ = tx.Exec(ctx, `INSERT INTO test.effects VALUES (NULL)`)
		return []events.Event{events.OrderConfirmed{OrderID: e.OrderID}}, nil
	}))
	require.Error(t, shop.TryDeliver(t, name, shop.Store(t, told())))
	requireNothing(t, shop, 1)
}

func TestHandlerThatHidesTheRefusalOfItsClaimChangesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		_ = note(ctx, tx, e.OrderID)
		return []events.Event{events.OrderConfirmed{OrderID: e.OrderID}}, nil
	}))
	m := shop.Store(t, told())
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.NoError(t, shop.TryDeliver(t, name, m))
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
	m.ID = uuid.NewString()
	require.NoError(t, shop.TryDeliver(t, name, m))
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// EVT-06.
func TestEmittedEventsHaveTheSameIDsOnEveryAttempt(t *testing.T) {
	t.Parallel()
	one, two := open(t, handling(works)), open(t, handling(works))
	m := one.Store(t, told())
	copied := two.Store(t, shoptest.EventOf(t, m))
	two.Exec(t, `UPDATE bus.event SET event_id = $1`, m.ID)
	copied.ID = m.ID
	one.Deliver(t, name, m)
	two.Deliver(t, name, copied)

	ids := `SELECT array_agg(event_id::text ORDER BY n) FROM bus.event WHERE causation_id = $1`
	said := shoptest.Scalar[[]string](t, one, ids, m.ID)
	require.Len(t, said, 2)
	require.NotEqual(t, said[0], said[1])
	require.Equal(t, said, shoptest.Scalar[[]string](t, two, ids, m.ID))
	for n, id := range said {
		require.Equal(t, m.ID[:13], id[:13], "an event inherits the time of its cause")
		require.Equal(t, fmt.Sprintf("%d /functions/test-shell", n), shoptest.Scalar[string](t, one, `
			SELECT concat_ws(' ', n, source) FROM bus.event WHERE event_id = $1`, id))
	}
}

// broker is one that looks around before it takes an event.
type broker func(cloudevent.Message) error

func (b broker) Publish(_ context.Context, messages []cloudevent.Message) []error {
	errs := make([]error, len(messages))
	for i, m := range messages {
		errs[i] = b(m)
	}
	return errs
}

// FUN-01.
func TestEventsArePublishedAfterTheCommitAndBeforeTheResponse(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	var published []string
	var answered atomic.Bool
	rt := shop.Runtime(t, name)
	rt.Sink = broker(func(m cloudevent.Message) error {
		require.False(t, answered.Load())
		require.EqualValues(t, 1, count(t, shop, "test.effects"))
		require.Equal(t, m.Type, shoptest.Scalar[string](t, shop, `SELECT type FROM bus.event WHERE event_id = $1`, m.ID))
		published = append(published, m.Type)
		return nil
	})
	require.NoError(t, rt.Deliver(t.Context(), shop.Function(t, name), shop.Store(t, told())))
	answered.Store(true)
	require.Equal(t, []string{"order.confirmed", "order.stalled"}, published)
}

func TestAnEventThatTheBrokerIsTooSlowForIsLeftToTheSweeper(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	rt := shop.Runtime(t, name)
	rt.Sink = slow{}
	m := shop.Store(t, told())
	began := time.Now()
	require.NoError(t, rt.Deliver(t.Context(), shop.Function(t, name), m))
	require.Less(t, time.Since(began), 10*time.Second)
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
	rt.Sink = shop.Broker
	require.Eventually(t, func() bool {
		require.NoError(t, eventstore.Sweep(t.Context(), shop.Pool, shop.Broker))
		return len(shop.Broker.Published()) > 0
	}, 20*time.Second, 100*time.Millisecond, "the sweeper publishes it")
}

func TestARejectedEventIsPublishedAgainAndNotHandledAgain(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	m := shop.Store(t, told())
	shop.Broker.Fail(errors.New("the broker is away"))
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "the broker is away")
	require.EqualValues(t, 1, count(t, shop, "test.effects"))

	shop.Broker.Fail(nil)
	require.NoError(t, shop.TryDeliver(t, name, m))
	got := shop.Broker.Published()
	require.Len(t, got, 1, "the other has no listener: nobody misses it")
	require.Equal(t, shop.Emitted(t, m.OrderID, "order.confirmed")[0].ID, got[0].ID)
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

func TestCauseThatComesOftenPublishesItsResultsEverMoreSlowly(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	m := shop.Store(t, told())
	for range 3 {
		shop.Deliver(t, name, m)
	}
	require.Len(t, shop.Broker.Published(), 3, "two at first, and the one with a listener once more")
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
		left := shoptest.Scalar[time.Duration](t, shop, `SELECT next_at - clock_timestamp() FROM bus.undelivered`)
		require.InDelta(t, wait, left, float64(8*time.Second), "until then it is the sweeper's")
		shop.Exec(t, `UPDATE bus.undelivered SET next_at = now()`)
		before := len(shop.Broker.Published())
		shop.Deliver(t, name, m)
		shop.Deliver(t, name, m)
		require.Len(t, shop.Broker.Published(), before+1)
	}
}

func TestADuplicateWithDeliveredResultsPublishesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works), listener)
	m := shop.Store(t, told())
	shop.Deliver(t, name, m)
	require.Len(t, shop.Broker.Published(), 2)
	shop.Deliver(t, name, m)
	require.Len(t, shop.Broker.Published(), 3, "nobody has heard it yet")

	shop.Deliver(t, listener.Name, shop.Emitted(t, m.OrderID, "order.confirmed")[0])
	shop.Deliver(t, name, m)
	require.Len(t, shop.Broker.Published(), 3)
}

func TestAHandlerThatEmitsNothingIsDone(t *testing.T) {
	t.Parallel()
	shop := open(t, listener)
	m := shop.Store(t, events.OrderConfirmed{OrderID: uuid.NewString()})
	require.Empty(t, shop.Deliver(t, listener.Name, m))
	require.EqualValues(t, 1, count(t, shop, "bus.inbox"))
	require.Empty(t, shop.Broker.Published())
}

// FUN-15.
func TestTwoConsumersBothReceiveAll(t *testing.T) {
	t.Parallel()
	other := handling(works)
	other.Name = "test-other"
	shop := open(t, handling(works), other)
	m := shop.Store(t, told())
	require.Len(t, shop.Deliver(t, name, m), 2)
	require.Len(t, shop.Deliver(t, other.Name, m), 2)
	require.EqualValues(t, 2, count(t, shop, "test.effects"))
}

func TestATooLargeEventIsNotEmitted(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		return []events.Event{events.OrderStalled{OrderID: e.OrderID, Status: strings.Repeat("x", 70<<10)}}, note(ctx, tx,
			e.OrderID)
	}))
	require.NoError(t, shop.TryDeliver(t, name, shop.Store(t, told())))
	requireNothing(t, shop, 1)
	require.Equal(t, "poison", shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters`),
		"no retry makes it smaller")
}

func TestStatementsThatWaitRunInTurnAndBeforeTheNextQuestion(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		for _, what := range []string{"one", "two"} {
			if err := pgbatch.Enqueue(ctx, tx, 1, `INSERT INTO test.effects VALUES (@what)`,
				pgx.NamedArgs{"what": what}); err != nil {
				return nil, err
			}
		}
		var seen string
		if err := tx.QueryRow(ctx, `SELECT string_agg(what, ', ' ORDER BY ctid) FROM test.effects`).Scan(&seen); err != nil {
			return nil, err
		}
		return nil, pgbatch.Enqueue(ctx, tx, 2, `UPDATE test.effects SET what = @seen`, pgx.NamedArgs{"seen": seen})
	}))
	require.Empty(t, shop.Send(t, name, told()))
	require.Equal(t, "one, two", shoptest.Scalar[string](t, shop, `SELECT DISTINCT what FROM test.effects`))
}

func TestStatementThatWaitsAndFailsRollsEverythingBack(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		rows   int64
		sql    string
		poison bool // no retry can cure it
	}{
		"an error":           {-1, `INSERT INTO test.effects VALUES (NULL)`, true},
		"invalid data":       {-1, `INSERT INTO test.effects VALUES (1 / 0)`, true},
		"fewer rows":         {1, `UPDATE test.effects SET what = 'x' WHERE false`, false},
		"more rows":          {1, `INSERT INTO test.effects VALUES ('a'), ('b')`, false},
		"a deferred promise": {1, `INSERT INTO test.effects VALUES ('late')`, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
				said, err := works(ctx, tx, e)
				return said, errors.Join(err, pgbatch.Enqueue(ctx, tx, c.rows, c.sql))
			}))
			shop.Exec(t, `ALTER TABLE test.effects ADD UNIQUE (what) DEFERRABLE INITIALLY DEFERRED`)
			if what == "a deferred promise" {
				shop.Exec(t, `INSERT INTO test.effects VALUES ('late')`)
			}
			err := shop.TryDeliver(t, name, shop.Store(t, told()))
			require.Equal(t, c.poison, err == nil, "%v", err)
			require.Equal(t, c.poison, count(t, shop, "bus.dead_letters") == 1)
			shop.Exec(t, `DELETE FROM test.effects WHERE what = 'late'`)
			requireNothing(t, shop, 1)
		})
	}
}

func TestADuplicateForAHandlerWithoutQueriesChangesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		return []events.Event{events.OrderConfirmed{OrderID: e.OrderID}}, pgbatch.Enqueue(ctx, tx, -1,
			`INSERT INTO test.effects VALUES ('done')`)
	}))
	m := shop.Store(t, told())
	for range 3 {
		require.Len(t, shop.Deliver(t, name, m), 1)
	}
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
	m.ID = uuid.NewString()
	require.Empty(t, shop.Deliver(t, name, m), "forged")
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// A forged event may hold anything: that it is not in the ledger counts before what the handler makes of it.
func TestAForgedEventIsQuarantinedWhateverTheHandlerReturns(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(func(context.Context, pgx.Tx, events.StockReserved) ([]events.Event, error) {
		return nil, errors.New("no such order")
	}))
	require.NoError(t, shop.TryDeliver(t, name, cloudevent.Message{
		ID: uuid.NewString(), Type: "stock.reserved", Source: "/functions/reserve-stock", Data: []byte(`{}`),
	}))
	require.Equal(t, "unknown", shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters`))
}
