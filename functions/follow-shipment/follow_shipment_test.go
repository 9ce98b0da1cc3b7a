package followshipment_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "follow-shipment"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

// shipped returns an order whose shipment has gone through these states; none of its events has been delivered.
func shipped(t *testing.T, shop *shoptest.Shop, way ...string) (orderID string, moves []events.Event) {
	placed := shop.OrderIn(t, "confirmed")
	shop.AwaitStatus(t, placed.ID, "")
	for _, to := range way {
		moves = append(moves, shop.MoveShipment(t, placed.ID, to))
	}
	return placed.ID, moves
}

// versions returns the states that an order went through after it was confirmed.
func versions(t *testing.T, shop *shoptest.Shop, orderID string) []string {
	return shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(to_status ORDER BY version) FROM orders.history WHERE order_id = $1 AND by = 'follow-shipment'`, orderID)
}

func TestOrderGoesThroughEveryStateOnceInAnyOrderOfArrival(t *testing.T) {
	t.Parallel()
	shop := open(t)
	way := []string{"preparing", "shipped", "in_transit", "delivered"}
	for range 6 {
		orderID, moves := shipped(t, shop, way...)
		moves = append(moves, moves...)
		rand.Shuffle(len(moves), func(i, j int) { moves[i], moves[j] = moves[j], moves[i] })
		var emitted []events.Event
		for _, moved := range moves {
			emitted = append(emitted, shop.Send(t, name, moved)...)
		}
		require.Equal(t, []string{"processing", "shipped", "in_transit", "delivered"}, versions(t, shop, orderID))
		require.Equal(t, []string{"order.advanced", "order.shipped", "order.advanced", "order.delivered"}, types(emitted))
		requireVersionsRise(t, emitted)
	}
}

func types(emitted []events.Event) (all []string) {
	for _, e := range emitted {
		all = append(all, e.EventType())
	}
	return all
}

func requireVersionsRise(t *testing.T, emitted []events.Event) {
	t.Helper()
	for i := 1; i < len(emitted); i++ {
		require.Equal(t, emitted[i-1].About().Version+1, emitted[i].About().Version)
	}
}

func TestConcurrentMovesAreFollowedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for range 3 {
		orderID, moves := shipped(t, shop, "preparing", "shipped", "in_transit", "delivered")
		var all sync.WaitGroup
		for _, moved := range moves {
			m := shop.Store(t, moved)
			all.Go(func() { shop.Deliver(t, name, m) })
		}
		all.Wait()
		require.Equal(t, []string{"processing", "shipped", "in_transit", "delivered"}, versions(t, shop, orderID))
		require.Len(t, shop.Emitted(t, orderID, "order.shipped"), 1)
	}
}

func TestOrderEndsInTheStateOfItsShipment(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for end, way := range map[string][]string{
		"picked up":               {"preparing", "ready_for_pickup", "picked_up", "delivered"},
		"delivered at second try": {"preparing", "shipped", "in_transit", "failed_delivery", "delivered"},
		"returned":                {"preparing", "shipped", "in_transit", "failed_delivery", "returned"},
		"delivered, then back":    {"preparing", "shipped", "in_transit", "delivered", "returned"},
	} {
		orderID, moves := shipped(t, shop, way...)
		emitted := shop.Send(t, name, moves[0])
		want := append([]string{"processing"}, way[1:]...)
		require.Equal(t, want, versions(t, shop, orderID), end)
		require.Len(t, emitted, len(want), end)
		for _, moved := range moves {
			require.Empty(t, shop.Send(t, name, moved), end)
		}
	}
}

func TestOrderKnowsItsCarrierAndWhenItArrived(t *testing.T) {
	t.Parallel()
	shop := open(t)
	orderID, moves := shipped(t, shop, "preparing", "shipped")
	emitted := shop.Send(t, name, moves[1])
	sent := emitted[1].(events.OrderShipped)
	require.Equal(t, "popup", sent.Carrier)
	require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 1}}, sent.Lines)
	require.Equal(t, sent.TrackingNumber, shoptest.Scalar[string](t, shop,
		`SELECT tracking_number FROM orders.orders WHERE order_id = $1`, orderID))

	shop.Send(t, name, shop.MoveShipment(t, orderID, "in_transit"))
	arrived := shop.Send(t, name, shop.MoveShipment(t, orderID, "delivered"))[0].(events.OrderDelivered)
	require.True(t, shoptest.Scalar[bool](t, shop, `
		SELECT delivered_at = $2 AND deadline = $2 FROM orders.orders WHERE order_id = $1`, orderID, arrived.DeliveredAt))
}

func TestPlannedShipmentMovesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	created := shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])[0]
	require.Empty(t, shop.Send(t, name, created))
	require.Equal(t, "confirmed", shop.Status(t, placed.ID))
}

func TestCancelledOrderFollowsNoShipment(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	shop.AwaitStatus(t, placed.ID, "")
	shop.Cancel(t, placed)
	moved := shoptest.EventOf(t, shop.Emitted(t, placed.ID, "shipment.moved")[0])
	require.Equal(t, "cancelled", moved.(events.ShipmentMoved).To)
	require.Empty(t, shop.Send(t, name, moved))
	require.Equal(t, "cancelling", shop.Status(t, placed.ID))
}
