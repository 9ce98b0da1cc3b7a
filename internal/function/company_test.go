package function_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/functiontest"
)

// gate is what the first event stands at until the others are there.
type gate struct{ reached, open chan struct{} }

func newGate() gate { return gate{make(chan struct{}, 8), make(chan struct{})} }

func (g gate) pass(e events.StockReserved) {
	if e.OrderID == first.OrderID {
		g.reached <- struct{}{}
		<-g.open
	}
}

// crowd delivers events so that all but the first wait for each other: the first is under way until the others are there.
// It returns how each delivery ended.
func crowd(t *testing.T, shop *functiontest.Shop, g gate, told ...events.Event) (messages []function.Message, ended []error) {
	t.Helper()
	rt, f := shop.Runtime(t, name), shop.Function(t, name)
	messages = []function.Message{shop.Store(t, first)}
	for _, e := range told {
		messages = append(messages, shop.Store(t, e))
	}
	ended = make([]error, len(messages))
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() { ended[i] = rt.Deliver(t.Context(), f, m) })
		if i == 0 {
			<-g.reached
		}
		require.Eventually(t, func() bool { return rt.Waiting(f) == i }, 10*time.Second, time.Millisecond)
	}
	close(g.open)
	all.Wait()
	return messages, ended
}

// first is the event that others wait for.
var first = told()

// gated makes a handler wait at the first event.
func gated(g gate, handle func(context.Context, pgx.Tx, events.StockReserved) ([]events.Event, error)) function.Function {
	return handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		g.pass(e)
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
func transactions(t *testing.T, shop *functiontest.Shop) int64 {
	t.Helper()
	return functiontest.One[int64](t, shop, `SELECT count(DISTINCT xmin::text) FROM test.effects`)
}

func TestEventsThatComeTogetherShareATransaction(t *testing.T) {
	t.Parallel()
	gate := newGate()
	shop := open(t, gated(gate, works), listener)
	messages, ended := crowd(t, shop, gate, many(20)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 21, count(t, shop, "test.effects"))
	require.EqualValues(t, 2, transactions(t, shop), "that of the first, and one for all others")
	require.EqualValues(t, 21, count(t, shop, "bus.inbox"))
	for _, m := range messages {
		said := shop.SaidFor(t, name, m)
		require.Equal(t, []events.Event{events.OrderConfirmed{OrderID: m.OrderID}, events.OrderStalled{OrderID: m.OrderID}}, said)
	}
	require.Len(t, shop.Broker.Got(), 42)
}

func TestOneThatFailsInCompanyFailsAlone(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		fault  func(context.Context, pgx.Tx) error
		parked string
	}{
		"an error":                 {func(context.Context, pgx.Tx) error { return errors.New("not now") }, ""},
		"poison":                   {func(context.Context, pgx.Tx) error { return function.Permanent(errors.New("never")) }, "poison"},
		"a panic":                  {func(context.Context, pgx.Tx) error { panic("not now") }, ""},
		"an error of the database": {func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, `SELECT 1 / 0`); return err }, ""},
		"one that comes late": {func(ctx context.Context, tx pgx.Tx) error {
			return function.Queue(ctx, tx, -1, `INSERT INTO test.effects VALUES (NULL)`)
		}, ""},
		"one that the handler hides": {func(ctx context.Context, tx pgx.Tx) error {
			_, _ = tx.Exec(ctx, `SELECT 1 / 0`)
			return nil
		}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			gate, wrong := newGate(), told()
			shop := open(t, gated(gate, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
				said, err := works(ctx, tx, e)
				if e.OrderID == wrong.OrderID {
					err = errors.Join(err, c.fault(ctx, tx))
				}
				return said, err
			}))
			messages, ended := crowd(t, shop, gate, append(many(4), wrong)...)
			require.EqualValues(t, 5, count(t, shop, "test.effects"))
			require.NoError(t, errors.Join(ended[:5]...))
			require.Empty(t, shop.SaidFor(t, name, messages[5]))
			if c.parked == "" {
				require.Error(t, ended[5])
				require.Zero(t, count(t, shop, "bus.parked"))
			} else {
				require.NoError(t, ended[5])
				require.Equal(t, c.parked, functiontest.One[string](t, shop, `SELECT kind FROM bus.parked`))
			}
		})
	}
}

func TestForgedEventInCompanyIsParkedAlone(t *testing.T) {
	t.Parallel()
	gate := newGate()
	shop := open(t, gated(gate, works))
	shop.Exec(t, `CREATE FUNCTION test.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.source := '/functions/eve'; RETURN NEW; END $$`)
	forged := told()
	shop.Exec(t, fmt.Sprintf(`CREATE TRIGGER forge BEFORE INSERT ON bus.event FOR EACH ROW WHEN (NEW.order_id = '%s') EXECUTE FUNCTION test.forge()`, forged.OrderID))
	_, ended := crowd(t, shop, gate, append(many(3), forged)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 4, count(t, shop, "test.effects"))
	require.Equal(t, "unknown", functiontest.One[string](t, shop, `SELECT kind FROM bus.parked`))
}

// Each handler gets the answers to its own questions, however many it asks, and whether it reads them or not.
func TestHandlersInCompanyReadTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	gate := newGate()
	var asked atomic.Int64
	shop := open(t, gated(gate, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		questions := int(asked.Add(1)) % 4
		for i := range questions {
			if err := function.Queue(ctx, tx, 1, `INSERT INTO test.effects VALUES ($1)`, fmt.Sprint(e.OrderID, i)); err != nil {
				return nil, err
			}
			_ = tx.QueryRow(ctx, `SELECT 'not read'`)
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
	messages, ended := crowd(t, shop, gate, many(12)...)
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 2, transactions(t, shop))
	for _, m := range messages {
		said := shop.SaidFor(t, name, m)[0].(events.OrderStalled)
		require.Equal(t, said.Version, functiontest.One[int64](t, shop, `SELECT count(*) FROM test.effects WHERE what LIKE $1 || '%'`, m.OrderID))
	}
}

func TestLockThatOneWaitsForKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	gate, locked := newGate(), told()
	f := gated(gate, func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
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
	all.Go(func() { // the lock is held until everybody else is done
		require.Eventually(t, func() bool { return count(t, shop, "test.effects") == 5 }, 10*time.Second, 5*time.Millisecond)
		_ = holder.Rollback(context.Background())
	})
	_, ended := crowd(t, shop, gate, append(many(4), locked)...)
	all.Wait()
	require.NoError(t, errors.Join(ended...))
	require.EqualValues(t, 6, count(t, shop, "test.effects"))
}

// What is prepared for a call is on disk before the call, also where others in the same transaction need nobody asked.
func TestThoseWhoAskInCompanyAskEachForThemselvesAfterItIsOnDisk(t *testing.T) {
	t.Parallel()
	gate := newGate()
	o := &outside{call: fine}
	f := asking(o, func(a *function.Asking[events.StockReserved, string, string]) {
		prepare := a.Prepare
		var n atomic.Int64
		a.Prepare = func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (*string, error) {
			if gate.pass(e); e.OrderID != first.OrderID && n.Add(1)%2 == 0 {
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
	messages, ended := crowd(t, shop, gate, many(8)...)
	require.NoError(t, errors.Join(ended...))
	require.Len(t, o.asked(), 5)
	require.EqualValues(t, len(messages), count(t, shop, "bus.inbox"))
	require.Equal(t, "fine off 5, prepared on 5", functiontest.One[string](t, shop, `
		SELECT string_agg(waits || ' ' || n, ', ' ORDER BY waits) FROM (SELECT waits, count(*) AS n FROM test.commits GROUP BY 1) w`))
}
