package eventstore_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/provision"
)

// broker counts what is published, and may be away.
type broker struct {
	mu        sync.Mutex
	published []string
	err       error
}

func (b *broker) Publish(_ context.Context, messages []cloudevent.Message) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		if errs[i] = b.err; b.err == nil {
			b.published = append(b.published, m.ID)
		}
	}
	return errs
}

func (b *broker) times(id string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.published {
		if said == id {
			n++
		}
	}
	return n
}

// bundle is an event store of the test's own, in which reserve-stock and send-email have consumed order.placed since yesterday.
type bundle struct {
	pool   *pgxpool.Pool
	broker *broker
}

func setup(t testing.TB) bundle {
	t.Helper()
	return begin(t, dbtest.DB(t))
}

// setupOwnServer has a Postgres of its own: a transaction that stays open holds back all ledgers on its server.
func setupOwnServer(t testing.TB) bundle {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dbtest.Server(t).URL())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return begin(t, pool)
}

func begin(t testing.TB, pool *pgxpool.Pool) bundle {
	t.Helper()
	require.NoError(t, provision.Subscribe(t.Context(), pool, []function.Function{listener("reserve-stock"), listener("send-email")}))
	b := bundle{pool, &broker{}}
	b.exec(t, `UPDATE bus.subscription SET since = now() - interval '1 day'`)
	return b
}

func listener(name string) function.Function {
	return function.Function{Name: name, On: []function.Handler{function.On(function.Each(func(context.Context, pgx.Tx, events.OrderPlaced) (events.Event, error) {
		return nil, nil
	}))}}
}

func (b bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func count(t testing.TB, b bundle, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+sql, args...).Scan(&n))
	return n
}

// execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// emit stores an order.placed that was emitted some time ago.
func emit(t testing.TB, db execer, ago time.Duration) (id string) {
	t.Helper()
	made, err := uuid.NewV7()
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data, created_at)
		SELECT id, 'order.placed', '/functions/place-order', id, id, id, 0, '{"a": 1}', now() - $2::interval
		FROM (VALUES ($1::uuid)) AS said (id)`, made.String(), ago)
	require.NoError(t, err)
	return made.String()
}

func handle(t testing.TB, b bundle, id string, consumers ...string) {
	t.Helper()
	for _, consumer := range consumers {
		b.exec(t, `INSERT INTO bus.inbox (event_id, consumer) VALUES ($1, $2)`, id, consumer)
	}
}

func (b bundle) sweep(t testing.TB) {
	t.Helper()
	require.NoError(t, eventstore.Sweep(t.Context(), b.pool, b.broker))
}

// sweepAll sweeps until the mark is after all events. Transactions of other tests on the same server may hold it back for a
// moment.
func (b bundle) sweepAll(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.sweep(t)
		return count(t, b, `bus.event e, bus.sweep s WHERE e.xid >= s.mark`) == 0
	}, 20*time.Second, time.Millisecond)
}

// makeDue makes all that waits for its next time due.
func (b bundle) makeDue(t testing.TB) {
	t.Helper()
	b.exec(t, `UPDATE bus.undelivered SET next_at = now()`)
}

// open begins a transaction that is over when the test ends.
func open(t testing.TB, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it may be over already
	return tx
}

const old = time.Minute

// FUN-03.
func TestAnUndeliveredEventIsPublishedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	handle(t, b, id, "send-email")
	b.sweepAll(t)
	require.Equal(t, []string{id}, b.broker.published)
	require.Equal(t, 1, count(t, b, `bus.undelivered WHERE event_id = $1 AND consumer = 'reserve-stock' AND attempts = 1`, id))
	require.Equal(t, 1, count(t, b, `bus.undelivered`))
}

func TestAnEventUndeliveredToTwoConsumersIsPublishedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	b.sweepAll(t)
	require.Equal(t, []string{id}, b.broker.published)
	require.Equal(t, 2, count(t, b, `bus.undelivered`))
}

func TestADeliveredEventIsNotPublishedAndLeavesNoRow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	handle(t, b, id, "send-email", "reserve-stock")
	b.sweepAll(t)
	require.Empty(t, b.broker.published)
	require.Zero(t, count(t, b, `bus.undelivered`))
}

func TestAnEventIsTriedMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age   time.Duration // of the event
		waits []time.Duration
	}{
		"and every 50 s in its first hour": {time.Minute, []time.Duration{
			10 * time.Second, 20 * time.Second, 40 * time.Second, 50 * time.Second, 50 * time.Second, 50 * time.Second,
		}},
		"and hourly after it": {2 * time.Hour, []time.Duration{
			10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second,
			640 * time.Second, 1280 * time.Second, 2560 * time.Second, time.Hour, time.Hour, time.Hour,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := emit(t, b.pool, c.age)
			b.sweepAll(t)
			for n, wait := range c.waits {
				require.Equal(t, n+1, b.broker.times(id))
				left := b.untilNextTry(t)
				require.True(t, wait-slack < left && left <= wait, "after try %d: %s is left of %s", n+1, left, wait)
				b.sweep(t)
				require.Equal(t, n+1, b.broker.times(id), "not before its time")
				b.makeDue(t)
				b.sweep(t)
			}
		})
	}
}

// slack is how long a test may take from one line to the next.
const slack = 9 * time.Second

// untilNextTry returns the time until the undelivered events are published again.
func (b bundle) untilNextTry(t testing.TB) (left time.Duration) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), `SELECT min(next_at) - clock_timestamp() FROM bus.undelivered`).Scan(&left))
	return left
}

func TestALateDeliveryEndsRepublishing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	b.sweepAll(t)
	handle(t, b, id, "send-email", "reserve-stock")
	b.makeDue(t)
	b.sweep(t)
	require.Equal(t, 1, b.broker.times(id))
	require.Zero(t, count(t, b, `bus.undelivered`))
}

func TestAnEventOnItsWayIsGivenTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, 0)
	b.sweep(t)
	require.Empty(t, b.broker.published)
	require.Zero(t, count(t, b, `bus.undelivered`))
	b.exec(t, `UPDATE bus.event SET created_at = now() - $1::interval`, eventstore.Grace)
	b.sweepAll(t)
	require.Equal(t, []string{id}, b.broker.published, "the mark was not moved over it")
}

func TestAnEventOfASlowTransactionIsNotPassedOver(t *testing.T) {
	t.Parallel()
	b := setupOwnServer(t)
	tx := open(t, b.pool)
	slow := emit(t, tx, old)
	quick := emit(t, b.pool, old)
	b.sweep(t)
	require.Empty(t, b.broker.published, "the quick one waits: the mark stands before the slow one")
	require.NoError(t, tx.Commit(t.Context()))
	b.sweep(t)
	require.Equal(t, []string{slow, quick}, b.broker.published)
}

func TestOnlyConsumersSubscribedAtEmissionReceiveAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `UPDATE bus.subscription SET since = now() - interval '30 s' WHERE consumer = 'send-email'`)
	b.exec(t, `DELETE FROM bus.subscription WHERE consumer = 'reserve-stock'`)
	before, after := emit(t, b.pool, old), emit(t, b.pool, 10*time.Second)
	b.sweepAll(t)
	require.Equal(t, []string{after}, b.broker.published)
	require.Zero(t, b.broker.times(before))
}

func TestAnOpenDeadLetterIsNotPublishedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	parked, other := emit(t, b.pool, old), emit(t, b.pool, old)
	park(t, b, parked, "reserve-stock", "poison")
	handle(t, b, parked, "send-email")
	b.sweepAll(t)
	require.Equal(t, []string{other}, b.broker.published)
	b.exec(t, `UPDATE bus.dead_letters SET resolved_at = now()`)
	b.makeDue(t)
	b.sweep(t)
	require.Equal(t, 1, b.broker.times(parked))
}

func TestAnUnknownEventIsResolvedOnceItIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	never, err := uuid.NewV7()
	require.NoError(t, err)
	park(t, b, id, "reserve-stock", "unknown")
	park(t, b, never.String(), "reserve-stock", "unknown")
	park(t, b, "not even an id", "reserve-stock", "unknown")
	park(t, b, id, "send-email", "poison")
	b.sweepAll(t)
	require.Equal(t, 3, count(t, b, `bus.dead_letters WHERE resolved_at IS NULL`))
	require.Equal(t, 1, count(t, b, `bus.dead_letters WHERE resolved_at IS NOT NULL AND event_id = $1 AND consumer = 'reserve-stock'`, id))
	require.Equal(t, 1, b.broker.times(id))
}

func TestABrokerThatIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids := []string{emit(t, b.pool, old), emit(t, b.pool, old)}
	b.broker.err = errors.New("away")
	require.Eventually(t, func() bool { return eventstore.Sweep(t.Context(), b.pool, b.broker) != nil }, 20*time.Second, time.Millisecond)
	b.broker.err = nil
	b.sweepAll(t)
	b.makeDue(t)
	b.sweep(t)
	for _, id := range ids {
		require.NotZero(t, b.broker.times(id))
	}
}

// A consumer that works off a backlog reaches what is behind it: publishing that again would double the work that is too much for
// it already. FUN-03.
func TestTheBacklogOfABusyConsumerIsNotPublishedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `DELETE FROM bus.subscription WHERE consumer = 'send-email'`)
	lost, handled := emit(t, b.pool, old), emit(t, b.pool, old)
	backlog := []string{emit(t, b.pool, old), emit(t, b.pool, old)}
	handle(t, b, handled, "reserve-stock")
	b.sweepAll(t)
	b.makeDue(t)
	b.sweep(t)
	require.NotZero(t, b.broker.times(lost), "the consumer has passed it")
	for _, id := range backlog {
		require.Zero(t, b.broker.times(id), "the consumer has yet to reach it")
	}

	b.exec(t, `UPDATE bus.inbox SET claimed_at = claimed_at - $1::interval`, eventstore.Grace)
	b.sweep(t)
	for _, id := range backlog {
		require.Equal(t, 1, b.broker.times(id), "the consumer has handled nothing for a while")
	}
}

func TestMoreThanABatchIsPublishedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `DELETE FROM bus.subscription WHERE consumer = 'send-email'`)
	b.exec(t, `
		INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data, created_at)
		SELECT gen_random_uuid(), 'order.placed', 'x', 'x', gen_random_uuid(), 0, '{}', now() - interval '1 min' FROM generate_series(1, 1001)`)
	b.sweepAll(t)
	require.Len(t, b.broker.published, 1001)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(b.broker.published))), 1001)
}

func TestTwoSweepersAtOnceShareTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `DELETE FROM bus.subscription WHERE consumer = 'send-email'`)
	for range 50 {
		emit(t, b.pool, old)
	}
	swept := make(chan error)
	for range 4 {
		go func() { swept <- eventstore.Sweep(t.Context(), b.pool, b.broker) }()
	}
	for range 4 {
		require.NoError(t, <-swept)
	}
	b.sweepAll(t)
	require.Len(t, b.broker.published, 50)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(b.broker.published))), 50)
}

func TestARepublishedEventEqualsTheOriginal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := emit(t, b.pool, old)
	var got cloudevent.Message
	b.exec(t, `UPDATE bus.event SET version = 3, delayed = true, traceparent = 'trace', n = 2`)
	require.Eventually(t, func() bool {
		require.NoError(t, eventstore.Sweep(t.Context(), b.pool, cloudevent.PublisherFunc(func(_ context.Context, m cloudevent.Message) error {
			got = m
			return nil
		})))
		return got.ID != ""
	}, 20*time.Second, time.Millisecond)
	got.Time = time.Time{}
	require.Equal(t, cloudevent.Message{
		ID: id, Type: "order.placed", Source: "/functions/place-order", Subject: id, OrderID: id, CausationID: id,
		N: 2, Version: 3, Delayed: true, TraceParent: "trace", Data: []byte(`{"a": 1}`),
	}, got)
}

func TestWhatWaitsForOver15MinutesIsLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	emit(t, b.pool, 14*time.Minute)
	b.sweepAll(t)
	late, err := eventstore.CountLate(t.Context(), b.pool)
	require.NoError(t, err)
	require.Zero(t, late)
	emit(t, b.pool, 16*time.Minute)
	b.sweepAll(t)
	late, err = eventstore.CountLate(t.Context(), b.pool)
	require.NoError(t, err)
	require.Equal(t, 2, late, "for each of the two who have not heard it")
}

func TestASubscriptionBeginsNowAndEndsWithItsConsumer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, provision.Subscribe(t.Context(), b.pool, []function.Function{listener("send-email"), listener("ship-order")}))
	require.Equal(t, 1, count(t, b, `bus.subscription WHERE consumer = 'send-email' AND since < now() - interval '1 hour'`), "as it was")
	require.Equal(t, 1, count(t, b, `bus.subscription WHERE consumer = 'ship-order' AND since > now() - interval '1 min'`), "from now on")
	require.Zero(t, count(t, b, `bus.subscription WHERE consumer = 'reserve-stock'`), "gone")
	require.ErrorContains(t, provision.Subscribe(t.Context(), b.pool, []function.Function{listener("x"), listener("x")}), "two functions are called x")
}

// FUN-09.
func TestReplayDeliversPastEventsToANewConsumerOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids := []string{emit(t, b.pool, time.Hour), emit(t, b.pool, 20*time.Minute), emit(t, b.pool, old)}
	for _, id := range ids {
		handle(t, b, id, "send-email", "reserve-stock")
	}
	require.NoError(t, provision.Subscribe(t.Context(), b.pool, []function.Function{listener("send-email"), listener("reserve-stock"), listener("ship-order")}))
	b.sweepAll(t)
	require.Empty(t, b.broker.published, "it is told nothing by itself")
	handle(t, b, ids[2], "ship-order")
	n, err := eventstore.Replay(t.Context(), b.pool, "ship-order", time.Now().Add(-30*time.Minute))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	b.sweep(t)
	require.Equal(t, []string{ids[1]}, b.broker.published)
	n, err = eventstore.Replay(t.Context(), b.pool, "nobody", time.Now().Add(-2*time.Hour))
	require.NoError(t, err)
	require.Zero(t, n)
}

// FUN-17.
func TestAnEventThatTheBrokerRejectsStopsNoOther(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ bad, good int }{"one": {1, 1200}, "more than a batch": {600, 600}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.exec(t, `DELETE FROM bus.subscription WHERE consumer = 'send-email'`)
			b.exec(t, `
				INSERT INTO bus.event (event_id, type, source, subject, causation_id, n, data, created_at)
				SELECT gen_random_uuid(), 'order.placed', 'x', CASE WHEN n <= $1 THEN 'bad' ELSE 'good' END, gen_random_uuid(), 0, '{}',
					now() - interval '1 min'
				FROM generate_series(1, $2) n`, c.bad, c.bad+c.good)
			b.exec(t, `
				INSERT INTO bus.undelivered (event_id, consumer, created_at, next_at)
				SELECT event_id, 'reserve-stock', created_at, now() - CASE subject WHEN 'bad' THEN interval '2 s' ELSE interval '1 s' END
				FROM bus.event`)
			rejecting := cloudevent.PublisherFunc(func(ctx context.Context, m cloudevent.Message) error {
				if m.Subject == "bad" {
					return errors.New("rejected")
				}
				return b.broker.Publish(ctx, []cloudevent.Message{m})[0]
			})
			require.ErrorContains(t, eventstore.Sweep(t.Context(), b.pool, rejecting), "rejected")
			if c.bad > 1 { // a whole batch of them may as well mean that the broker is away
				require.ErrorContains(t, eventstore.Sweep(t.Context(), b.pool, rejecting), "rejected")
			}
			require.Equal(t, c.good, len(b.broker.published))
			require.Equal(t, c.bad, count(t, b, `bus.undelivered JOIN bus.event USING (event_id) WHERE subject = 'bad' AND next_at > now()`))
			require.NotZero(t, count(t, b, `bus.undelivered JOIN bus.event USING (event_id) WHERE subject = 'bad' AND next_at > now() + interval '5 s'`),
				"what is rejected while others are accepted is tried ever more slowly")
		})
	}
}
