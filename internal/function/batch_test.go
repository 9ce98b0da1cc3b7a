package function_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/shoptest"
)

// barrier is what the first event stands at until the others are there.
type barrier struct{ reached, open chan struct{} }

func newBarrier() barrier { return barrier{make(chan struct{}, 8), make(chan struct{})} }

func (b barrier) pass(e events.StockReserved) {
	if e.OrderID == first.OrderID {
		b.reached <- struct{}{}
		<-b.open
	}
}

// deliverConcurrently delivers events so that all but the first wait for each other: the first is under way until the
// others are there. It returns how each delivery ended.
func deliverConcurrently(
	t *testing.T, shop *shoptest.Shop, b barrier, told ...events.Event,
) (messages []cloudevent.Message, ended []error) {
	t.Helper()
	rt, f := shop.Runtime(t, name), shop.Function(t, name)
	messages = []cloudevent.Message{shop.Store(t, first)}
	for _, e := range told {
		messages = append(messages, shop.Store(t, e))
	}
	ended = make([]error, len(messages))
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() { ended[i] = rt.Deliver(t.Context(), f, m) })
		if i == 0 {
			<-b.reached
		}
		require.Eventually(t, func() bool { return rt.Waiting(f) == i }, 10*time.Second, time.Millisecond)
	}
	close(b.open)
	all.Wait()
	return messages, ended
}

// first is the event that others wait for.
var first = told()

// waitAt makes a handler wait at the first event.
func waitAt(
	b barrier, handle func(context.Context, pgx.Tx, events.StockReserved) ([]events.Event, error),
) function.Function {
	return handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		b.pass(e)
		return handle(ctx, tx, e)
	})
}

func many(n int) (all []events.Event) {
	for range n {
		all = append(all, told())
	}
	return all
}

// transactions is in how many transactions the effects were made.
func transactions(t *testing.T, shop *shoptest.Shop) int64 {
	t.Helper()
	return shoptest.Scalar[int64](t, shop, `SELECT count(DISTINCT xmin::text) FROM test.effects`)
}

func TestEventsThatComeTogetherShareATransaction(t *testing.T) {
	t.Parallel()
	b := newBarrier()
	shop := open(t, waitAt(b, works), listener)
	messages, ended := deliverConcurrently(t, shop, b, many(20)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 21, count(t, shop, "test.effects"))
	require.EqualValues(t, 2, transactions(t, shop), "that of the first, and one for all others")
	require.EqualValues(t, 21, count(t, shop, "bus.inbox"))
	for _, m := range messages {
		said := shop.EmittedFor(t, name, m)
		require.Equal(t, []events.Event{events.OrderConfirmed{OrderID: m.OrderID}, events.OrderStalled{OrderID: m.OrderID}},
			said)
	}
	require.Len(t, shop.Broker.Published(), 42)
}

func TestOneThatFailsInABatchFailsAlone(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		fault  func(context.Context, pgx.Tx) error
		parked string
	}{
		"an error":                 {func(context.Context, pgx.Tx) error { return errors.New("not now") }, ""},
		"poison":                   {func(context.Context, pgx.Tx) error { return function.Permanent(errors.New("never")) }, "poison"},
		"a panic":                  {func(context.Context, pgx.Tx) error { panic("not now") }, ""},
		"an error of the database": {func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, `SELECT nothing`); return err }, ""},
		"invalid data":             {func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, `SELECT 1 / 0`); return err }, "poison"},
		"one that comes late": {func(ctx context.Context, tx pgx.Tx) error {
			return pgbatch.Enqueue(ctx, tx, -1, `INSERT INTO test.effects VALUES (NULL)`)
		}, "poison"},
		"one that the handler hides": {func(ctx context.Context, tx pgx.Tx) error {
			_, _ = tx.Exec(ctx, `SELECT 1 / 0`)
			return nil
		}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b, wrong := newBarrier(), told()
			shop := open(t, waitAt(b, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
				said, err := works(ctx, tx, e)
				if e.OrderID == wrong.OrderID {
					err = errors.Join(err, c.fault(ctx, tx))
				}
				return said, err
			}))
			messages, ended := deliverConcurrently(t, shop, b, append(many(4), wrong)...)
			require.EqualValues(t, 5, count(t, shop, "test.effects"))
			require.NoError(t, errors.Join(ended[:5]...))
			require.Empty(t, shop.EmittedFor(t, name, messages[5]))
			if c.parked == "" {
				require.Error(t, ended[5])
				require.Zero(t, count(t, shop, "bus.dead_letters"))
			} else {
				require.NoError(t, ended[5])
				require.Equal(t, c.parked, shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters`))
			}
		})
	}
}

func TestAForgedEventInABatchIsQuarantinedAlone(t *testing.T) {
	t.Parallel()
	b := newBarrier()
	shop := open(t, waitAt(b, works))
	shop.Exec(t, `CREATE FUNCTION test.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.type := 'stock.short'; RETURN NEW; END $$`)
	forged := told()
	shop.Exec(t, fmt.Sprintf(`CREATE TRIGGER forge BEFORE INSERT ON bus.event FOR EACH ROW WHEN (NEW.order_id = '%s') EXECUTE FUNCTION test.forge()`, forged.OrderID))
	_, ended := deliverConcurrently(t, shop, b, append(many(3), forged)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 4, count(t, shop, "test.effects"))
	require.Equal(t, "unknown", shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters`))
}

// Each handler gets the answers to its own questions, however many it asks, and whether it reads them or not.
func TestHandlersInABatchReadTheirOwnRows(t *testing.T) {
	t.Parallel()
	b := newBarrier()
	var asked atomic.Int64
	shop := open(t, waitAt(b, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		questions := int(asked.Add(1)) % 4
		for i := range questions {
			if err := pgbatch.Enqueue(ctx, tx, 1, `INSERT INTO test.effects VALUES ($1)`, fmt.Sprint(e.OrderID, i)); err != nil {
				return nil, err
			}
			rows, err := tx.Query(ctx, `SELECT $1 || n FROM generate_series(0, $2) AS n`, e.OrderID, i)
			if err != nil {
				return nil, err
			}
			seen, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil || len(seen) != i+1 || seen[i] != fmt.Sprint(e.OrderID, i) {
				return nil, errors.Join(err, fmt.Errorf("%s saw %v", e.OrderID, seen))
			}
		}
		return []events.Event{events.OrderStalled{OrderID: e.OrderID, Version: int64(questions)}}, nil
	}))
	messages, ended := deliverConcurrently(t, shop, b, many(12)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 2, transactions(t, shop))
	for _, m := range messages {
		said := shop.EmittedFor(t, name, m)[0].(events.OrderStalled)
		require.Equal(t, said.Version, shoptest.Scalar[int64](t, shop,
			`SELECT count(*) FROM test.effects WHERE what LIKE $1 || '%'`, m.OrderID))
	}
}

func TestALockThatOneEventWaitsForDelaysNoOther(t *testing.T) {
	t.Parallel()
	b, locked := newBarrier(), told()
	f := waitAt(b, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		if _, err := tx.Exec(ctx, `SELECT FROM test.rows WHERE what = $1 FOR UPDATE`, e.OrderID); err != nil {
			return nil, err
		}
		return works(ctx, tx, e)
	})
	f.Locks = []string{"test.rows"}
	shop := open(t, f)
	shop.Exec(t, `CREATE TABLE test.rows (what text, updated_at timestamptz)`)
	shop.Exec(t, `INSERT INTO test.rows (what) VALUES ($1)`, locked.OrderID)
	holder, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = holder.Exec(t.Context(), `SELECT FROM test.rows FOR UPDATE`)
	require.NoError(t, err)

	var all sync.WaitGroup
	all.Go(func() { // the lock is held until all others are done
		require.Eventually(t, func() bool { return count(t, shop, "test.effects") == 5 }, 10*time.Second, 5*time.Millisecond)
		_ = holder.Rollback(context.Background())
	})
	_, ended := deliverConcurrently(t, shop, b, append(many(4), locked)...)
	all.Wait()
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 6, count(t, shop, "test.effects"))
}

// What is prepared for a call is on disk before the call, also where other events of the transaction need no call.
func TestExternalCallsOfABatchAreMadeAfterItIsOnDisk(t *testing.T) {
	t.Parallel()
	b := newBarrier()
	o := &outside{call: fine}
	f := asking(o, func(a *external) {
		prepare := a.Prepare
		var n atomic.Int64
		a.Prepare = func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (*string, error) {
			if b.pass(e); e.OrderID != first.OrderID && n.Add(1)%2 == 0 {
				return nil, nil
			}
			return prepare(ctx, tx, e)
		}
	})
	shop := open(t, f)
	shop.Exec(t, `
		CREATE TABLE test.commits (waits text);
		GRANT USAGE ON SCHEMA test TO PUBLIC;
		CREATE FUNCTION test.note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN INSERT INTO test.commits VALUES (NEW.what || ' ' || current_setting('synchronous_commit')); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER note_commit AFTER INSERT ON test.effects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test.note_commit()`)
	messages, ended := deliverConcurrently(t, shop, b, many(8)...)
	require.NoError(t, errors.Join(ended...))
	require.Len(t, o.asked(), 5)
	require.EqualValues(t, len(messages), count(t, shop, "bus.inbox"))
	require.Equal(t, "fine off 5, prepared on 5", shoptest.Scalar[string](t, shop, `
		SELECT string_agg(waits || ' ' || n, ', ' ORDER BY waits) FROM (SELECT waits, count(*) AS n FROM test.commits GROUP BY 1) w`))
}

// batchesOf are the batches that a function was given, as the orders of their events.
type batchesOf struct {
	mu  sync.Mutex
	all [][]string
}

// function is a function that notes its batches, and handles the first one only when the barrier is open.
func (b *batchesOf) function(at barrier) function.Function {
	f := handling(works)
	f.On = []function.Handler{
		function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.StockReserved]) error {
			at.pass(batch[0].Event)
			orders := make([]string, len(batch))
			for i, d := range batch {
				orders[i] = d.Event.OrderID
			}
			b.note(orders)
			return nil
		}),
		function.On(func(_ context.Context, _ pgx.Tx, batch []*function.Delivery[events.StockShort]) error {
			orders := make([]string, len(batch))
			for i, d := range batch {
				orders[i] = "short " + d.Event.OrderID
			}
			b.note(orders)
			return nil
		}),
	}
	return f
}

func (b *batchesOf) note(orders []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, orders)
}

func TestABatchHoldsOneEventOfEachOrder(t *testing.T) {
	t.Parallel()
	at, batches := newBarrier(), &batchesOf{}
	shop := open(t, batches.function(at))
	all := many(6)
	all = append(all, all...)
	all = append(all, all[:3]...)
	_, ended := deliverConcurrently(t, shop, at, all...)
	require.NoError(t, errors.Join(ended...))
	var sizes []int
	for _, orders := range batches.all {
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(orders))), len(orders), "%v", orders)
		sizes = append(sizes, len(orders))
	}
	require.Equal(t, []int{1, 6, 6, 3}, sizes)
}

func TestABatchHoldsOneEventOfEachStoredOrder(t *testing.T) {
	t.Parallel()
	at, batches := newBarrier(), &batchesOf{}
	shop := open(t, batches.function(at))
	twice := told()
	messages := []cloudevent.Message{
		shop.Store(t, first), shop.Store(t, twice), shop.Store(t, twice), shop.Store(t, told()),
	}
	messages[2].OrderID = "another"
	deliverAll(t, shop, at, messages)
	for _, orders := range batches.all {
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(orders))), len(orders), "%v", orders)
	}
	require.EqualValues(t, 4, count(t, shop, "bus.inbox"))
}

func TestABatchHoldsEventsOfOneType(t *testing.T) {
	t.Parallel()
	at, batches := newBarrier(), &batchesOf{}
	shop := open(t, batches.function(at))
	var all []events.Event
	for _, e := range many(4) {
		all = append(all, e, events.StockShort{OrderID: e.About().OrderID}, events.StockShort{OrderID: told().OrderID})
	}
	_, ended := deliverConcurrently(t, shop, at, all...)
	require.NoError(t, errors.Join(ended...))
	require.Len(t, batches.all, 3, "the first one, and one of each type")
	for _, orders := range batches.all {
		short := slices.DeleteFunc(slices.Clone(orders), func(o string) bool { return !strings.HasPrefix(o, "short ") })
		require.Contains(t, []int{0, len(orders)}, len(short))
	}
}

func TestABatchHoldsAtMost32Events(t *testing.T) {
	t.Parallel()
	at, batches := newBarrier(), &batchesOf{}
	shop := open(t, batches.function(at))
	_, ended := deliverConcurrently(t, shop, at, many(70)...)
	require.NoError(t, errors.Join(ended...))
	var sizes []int
	for _, orders := range batches.all {
		sizes = append(sizes, len(orders))
	}
	require.Equal(t, []int{1, 32, 32, 6}, sizes)
}

// rollbacks returns how many transactions of the test's database were rolled back.
func rollbacks(t *testing.T, shop *shoptest.Shop) int64 {
	t.Helper()
	time.Sleep(1200 * time.Millisecond) // backends report at most once a second
	return shoptest.Scalar[int64](t, shop, `SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()`)
}

func TestDuplicatesAndUnknownEventsLeaveTheirBatchAlone(t *testing.T) {
	t.Parallel()
	at := newBarrier()
	shop := open(t, waitAt(at, works))
	before := rollbacks(t, shop)
	messages := []cloudevent.Message{shop.Store(t, first)}
	for _, e := range many(6) {
		messages = append(messages, shop.Store(t, e))
	}
	shop.Exec(t, `INSERT INTO bus.inbox (event_id, consumer) VALUES ($1, $2)`, messages[2].ID, name)
	messages[4].ID = "0190aaaa-0000-7000-8000-000000000001"
	deliverAll(t, shop, at, messages)
	require.EqualValues(t, 5, count(t, shop, "test.effects"))
	require.EqualValues(t, 2, transactions(t, shop))
	require.Equal(t, "unknown", shoptest.Scalar[string](t, shop, `SELECT kind FROM bus.dead_letters`))
	require.LessOrEqual(t, rollbacks(t, shop)-before, int64(1), "of the batch as it was received")
}

// A batch bounds the delay that it adds to its members: 250 ms for each lock that one of them waits for.
func TestALockDelaysOthersByABoundedTime(t *testing.T) {
	t.Parallel()
	var locked sync.Map
	f := handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		if _, ok := locked.Load(e.OrderID); ok {
			if _, err := tx.Exec(ctx, `SELECT FROM test.rows FOR UPDATE`); err != nil {
				return nil, err
			}
		}
		return works(ctx, tx, e)
	})
	f.Locks = []string{"test.rows"}
	shop := open(t, f)
	shop.Exec(t, `CREATE TABLE test.rows (what text, updated_at timestamptz); INSERT INTO test.rows VALUES ('locked')`)
	holder := begin(t, shop)
	_, err := holder.Exec(t.Context(), `SELECT FROM test.rows FOR UPDATE`)
	require.NoError(t, err)

	ctx, end := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range 12 { // events that wait for the lock are delivered again and again
		e := told()
		locked.Store(e.OrderID, true)
		m := shop.Store(t, e)
		waiting.Go(func() {
			for ctx.Err() == nil && shop.Runtime(t, name).Deliver(t.Context(), shop.Function(t, name), m) != nil {
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	var longest time.Duration
	for range 20 {
		began := time.Now()
		require.NoError(t, shop.TryDeliver(t, name, shop.Store(t, told())))
		longest = max(longest, time.Since(began))
		time.Sleep(50 * time.Millisecond)
	}
	end()
	require.NoError(t, holder.Rollback(t.Context()))
	waiting.Wait()
	require.Less(t, longest, 2*time.Second)
}

// failed fails the test from another goroutine.
func failed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// deliverAll delivers messages that must be handled, so that all but the first wait for each other.
func deliverAll(t *testing.T, shop *shoptest.Shop, at barrier, messages []cloudevent.Message) {
	t.Helper()
	rt, f := shop.Runtime(t, name), shop.Function(t, name)
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() { failed(t, rt.Deliver(t.Context(), f, m)) })
		if i == 0 {
			<-at.reached
		}
		require.Eventually(t, func() bool { return rt.Waiting(f) == i }, 10*time.Second, time.Millisecond)
	}
	close(at.open)
	all.Wait()
}
