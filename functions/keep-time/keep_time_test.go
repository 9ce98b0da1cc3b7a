package keeptime_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "keep-time"

func open(t *testing.T, change ...func(*functions.Settings)) *shoptest.Shop {
	calm := func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping, s.HoldTime = 1, "manual", 2*time.Hour }
	return shoptest.Open(t, functions.All, append([]func(*functions.Settings){calm}, change...)...)
}

// tick runs a tick and returns the new events about an order.
func tick(t *testing.T, shop *shoptest.Shop, orderID string) (due []events.Event) {
	t.Helper()
	before := len(emitted(t, shop, orderID))
	require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
	return emitted(t, shop, orderID)[before:]
}

func emitted(t *testing.T, shop *shoptest.Shop, orderID string) (all []events.Event) {
	for _, kind := range []events.Event{events.StockDue{}, events.OrderOverdue{}, events.OrderRested{}, events.ShipmentDue{}} {
		for _, m := range shop.Emitted(t, orderID, kind.EventType()) {
			all = append(all, shoptest.EventOf(t, m))
		}
	}
	return all
}

// next returns the time of the next tick.
func next(t *testing.T, shop *shoptest.Shop) (at time.Time) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) (err error) {
		_, at, err = shop.Function(t, name).Schedule(t.Context(), tx, time.Now())
		return err
	}))
	return at
}

func place(t *testing.T, shop *shoptest.Shop) shoptest.Placed {
	return shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)))
}

func TestDelayedStockCheckIsDueOnce(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.StockCheckDelay = time.Hour })
	placed := place(t, shop)
	require.Empty(t, tick(t, shop, placed.ID))
	require.WithinDuration(t, placed.StockCheckAt, next(t, shop), 0)

	shop.ChangeOrder(t, placed.ID, "stock_check_at = now(), payment_check_at = now()")
	require.Equal(t, []events.Event{events.StockDue{OrderID: placed.ID, Lines: placed.Lines}}, tick(t, shop, placed.ID))
	require.Empty(t, tick(t, shop, placed.ID))
	require.WithinDuration(t, placed.Deadline, next(t, shop), 0)
}

// slow is a transaction that is delayed before its last query, which is for the next due time.
type slow struct{ pgx.Tx }

func (s slow) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if _, err := s.Exec(ctx, `SELECT pg_sleep(0.3)`); err != nil {
		panic(err)
	}
	return s.Tx.QueryRow(ctx, sql, args...)
}

func TestDueDuringATickIsDueNext(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.StockCheckDelay = time.Hour })
	placed := place(t, shop)
	shop.ChangeOrder(t, placed.ID, "stock_check_at = clock_timestamp() + interval '200 ms'")
	at := shoptest.Scalar[time.Time](t, shop, `SELECT stock_check_at FROM orders.orders`)
	require.NoError(t, pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) error {
		due, next, err := shop.Function(t, name).Schedule(t.Context(), slow{tx}, time.Now())
		if len(due) == 0 { // the tick began before the due time
			require.WithinDuration(t, at, next, 0)
		}
		return err
	}))
}

func TestImmediateStockCheckIsNotDue(t *testing.T) {
	t.Parallel()
	shop := open(t)
	require.Empty(t, tick(t, shop, place(t, shop).ID))
}

func TestEachDeadlineIsOverdueOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	require.Empty(t, tick(t, shop, placed.ID))
	for range 2 {
		shop.ChangeOrder(t, placed.ID, "deadline = clock_timestamp()")
		due := tick(t, shop, placed.ID)
		require.Len(t, due, 1)
		require.Equal(t, "confirmed", due[0].(events.OrderOverdue).Status)
		require.Empty(t, tick(t, shop, placed.ID))

		stalled := shop.Send(t, "track-order", due[0])[0].(events.OrderStalled)
		require.WithinDuration(t, stalled.NextDeadline, next(t, shop), 0)
	}
}

func TestDeliveredOrderIsRestedAndNotOverdue(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.CompleteAfter = time.Hour })
	placed := shop.OrderIn(t, "delivered")
	shop.AwaitStatus(t, placed.ID, "")
	require.Empty(t, tick(t, shop, placed.ID))

	shop.ChangeOrder(t, placed.ID, "deadline = now()")
	due := tick(t, shop, placed.ID)
	require.Len(t, due, 1)
	require.IsType(t, events.OrderRested{}, due[0])
	require.Empty(t, tick(t, shop, placed.ID))
	require.Len(t, shop.Send(t, "complete-order", due[0]), 1)
	require.Zero(t, next(t, shop), "nothing will ever be due")
}

func TestShipmentIsDueOncePerMove(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.Shipping, s.CarrierPace = "auto", time.Hour })
	placed := shop.OrderIn(t, "processing")
	require.Empty(t, tick(t, shop, placed.ID))
	for range 2 {
		shop.Exec(t, `UPDATE delivery.shipments SET due_at = now()`)
		due := tick(t, shop, placed.ID)
		require.Len(t, due, 1)
		require.IsType(t, events.ShipmentDue{}, due[0])
		require.Empty(t, tick(t, shop, placed.ID))
		require.Len(t, shop.Send(t, "carry-shipment", due[0]), 1)
	}
}

func TestEndedOrdersAreNeverDue(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"completed", "returned", "cancelled", "rejected", "expired"} {
		placed := shop.OrderIn(t, status)
		shop.AwaitStatus(t, placed.ID, "")
		require.Empty(t, tick(t, shop, placed.ID), status)
	}
	require.Zero(t, next(t, shop))
}

func TestMoreThanTheLimitFollowsImmediately(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := place(t, shop)
	shop.Exec(t, `
		WITH many AS (
			INSERT INTO orders.orders
			SELECT (json_populate_record(o, json_build_object('order_id', gen_random_uuid(),
				'order_number', 'ORD-20260101-' || lpad(n::text, 6, '0'), 'deadline', now() - n * interval '1 ms'))).*
			FROM orders.orders o, generate_series(1, 1100) n WHERE order_id = $1
			RETURNING *
		)
		INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status, stock, payment, reason, deadline, 'test', 'test' FROM many`, placed.ID)

	require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
	require.Eventually(t, func() bool {
		return shoptest.Scalar[int64](t, shop, `SELECT count(DISTINCT order_id) FROM bus.event WHERE type = 'order.overdue'`) == 1100
	}, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, tick(t, shop, placed.ID))
	require.EqualValues(t, 1100, shoptest.Scalar[int64](t, shop,
		`SELECT count(*) FROM bus.event WHERE type NOT IN ('order.placed', 'housekeeping.due')`))
}

func TestHousekeepingIsDueOnceADay(t *testing.T) {
	t.Parallel()
	shop := open(t)
	housekeeping := func() []string {
		return shoptest.Scalar[[]string](t, shop,
			`SELECT array_agg(data->>'day') FROM bus.event WHERE type = 'housekeeping.due'`)
	}
	today := shoptest.Scalar[string](t, shop, `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')`)
	for range 3 {
		require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
		require.Contains(t, housekeeping(), today)
		require.LessOrEqual(t, len(housekeeping()), 2, "one a day, and a day may have ended in this test")
	}
	require.Zero(t, next(t, shop), "the minute brings it")

	// the next day has its own event
	emitted := shoptest.Scalar[string](t, shop,
		`SELECT min(event_id::text) FROM bus.event WHERE type = 'housekeeping.due'`)
	shop.Exec(t, `UPDATE bus.event SET event_id = (substr(bus.first_id_of(now() - interval '1 day')::text, 1, 13) || substr(event_id::text, 14))::uuid WHERE event_id = $1`, emitted)
	require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
	require.Contains(t, housekeeping(), today)
}
