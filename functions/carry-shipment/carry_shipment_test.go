package carryshipment_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "carry-shipment"

// planned returns a shop with a carrier's pace, and a planned shipment whose first move is due.
func planned(t *testing.T, shipping string, pace time.Duration) (*shoptest.Shop, events.ShipmentDue) {
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping, s.CarrierPace = 1, shipping, pace
	})
	placed := shop.OrderIn(t, "confirmed")
	created := shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])[0].(events.ShipmentCreated)
	return shop, events.ShipmentDue{ShipmentID: created.ShipmentID, OrderID: created.OrderID}
}

// steps returns the moves among emitted events, as from→to.
func steps(t *testing.T, emitted []events.Event) (all []string) {
	for _, e := range emitted {
		moved, ok := e.(events.ShipmentMoved)
		require.True(t, ok, "%T", e)
		require.Equal(t, name, moved.By)
		all = append(all, moved.From+"→"+moved.To)
	}
	return all
}

func seen(t *testing.T, shop *shoptest.Shop) []string {
	return shoptest.Scalar[[]string](t, shop, `SELECT array_agg(status ORDER BY n) FROM delivery.tracking`)
}

// DEL-15.
func TestWithoutPaceAllMovesAreOneBatch_DEL_15(t *testing.T) {
	t.Parallel()
	shop, due := planned(t, "auto", 0)
	require.Equal(t, []string{"planned→preparing", "preparing→shipped", "shipped→in_transit", "in_transit→delivered"},
		steps(t, shop.Send(t, name, due)))
	require.Equal(t, []string{"planned", "preparing", "shipped", "in_transit", "delivered"}, seen(t, shop))
	require.True(t, shoptest.Scalar[bool](t, shop,
		`SELECT status = 'delivered' AND delivered_at IS NOT NULL AND due_at IS NULL FROM delivery.shipments`))

	require.Empty(t, shop.Send(t, name, due))
	require.Len(t, seen(t, shop), 5)
}

func TestWithPaceEachMoveSchedulesTheNext(t *testing.T) {
	t.Parallel()
	shop, due := planned(t, "auto", time.Hour)
	require.Equal(t, []string{"planned→preparing"}, steps(t, shop.Send(t, name, due)))
	for _, step := range []string{"preparing→shipped", "shipped→in_transit", "in_transit→delivered"} {
		wait := time.Until(shoptest.Scalar[time.Time](t, shop, `SELECT due_at FROM delivery.shipments`))
		require.InDelta(t, time.Hour, wait, float64(time.Minute))
		require.Empty(t, shop.Send(t, name, due), "it is not due yet")

		shop.Exec(t, `UPDATE delivery.shipments SET due_at = now()`)
		require.Equal(t, []string{step}, steps(t, shop.Send(t, name, due)))
	}
	require.True(t, shoptest.Scalar[bool](t, shop, `SELECT due_at IS NULL FROM delivery.shipments`),
		"nothing is due after the last move")
	require.Empty(t, shop.Send(t, name, due))
}

// DEL-15: an order follows the carrier until it is completed.
func TestAutoShippingRunsToCompleted_DEL_15(t *testing.T) {
	t.Parallel()
	shop, due := planned(t, "auto", 0)
	shop.Send(t, name, due)
	shop.AwaitStatus(t, due.OrderID, "")
	require.Equal(t, "completed", shop.Status(t, due.OrderID))
	for _, fact := range []string{"order.shipped", "order.delivered"} {
		require.Len(t, shop.Emitted(t, due.OrderID, fact), 1, fact)
	}
	require.Equal(t, "shipped", shoptest.Scalar[string](t, shop, `SELECT stock FROM orders.orders WHERE order_id = $1`, due.OrderID))
}

// DEL-15.
func TestManualShippingIsLeftToStaff_DEL_15(t *testing.T) {
	t.Parallel()
	shop, due := planned(t, "manual", 0)
	require.Empty(t, shop.Send(t, name, due))
	require.Equal(t, []string{"planned"}, seen(t, shop))
}

// DEL-20.
func TestShipmentOfACancelledOrderDoesNotMove(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "auto" })
	placed := shop.OrderIn(t, "confirmed")
	due := shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])[1]
	shop.Cancel(t, placed)
	require.Empty(t, shop.Send(t, name, due))
	require.Equal(t, []string{"planned", "cancelled"}, seen(t, shop))
}

// Of a concurrent cancellation and first move of the shipment one is rejected; the lock of the order's row decides
// which.
func TestCancelAndFirstMoveExcludeEachOther(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "auto" })
	for range 10 {
		placed := shop.OrderIn(t, "confirmed")
		shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
		due := shop.Emitted(t, placed.ID, "shipment.due")[0]
		var both sync.WaitGroup
		both.Go(func() { shop.Deliver(t, name, due) })
		both.Go(func() {
			shop.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+placed.ID+"/cancel", map[string]string{"reason": ""},
				"Idempotency-Key", placed.ID, "Prefer", "wait=0", "Popup-Order-Token", placed.Token)
		})
		both.Wait()
		require.Contains(t, []string{"cancelling cancelled", "confirmed delivered"}, shoptest.Scalar[string](t, shop, `
			SELECT concat_ws(' ', o.status, s.status) FROM orders.orders o JOIN delivery.shipments s USING (order_id) WHERE order_id = $1`, placed.ID))
	}
}
