package completeorder_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "complete-order"

func open(t *testing.T, rest time.Duration) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping, s.CompleteAfter = 1, "manual", rest
	})
}

// delivered returns a delivered order and the events that complete it; none of them has been delivered to
// complete-order.
func delivered(t *testing.T, shop *shoptest.Shop) (orderID string, arrived, left cloudevent.Message) {
	placed := shop.OrderIn(t, "in_transit")
	shop.Deliver(t, "move-stock", shop.Emitted(t, placed.ID, "order.shipped")[0])
	shop.Send(t, "follow-shipment", shop.MoveShipment(t, placed.ID, "delivered"))
	return placed.ID, shop.Emitted(t, placed.ID, "order.delivered")[0], shop.Emitted(t, placed.ID, "stock.shipped")[0]
}

// ORD-33.
func TestOrderIsCompletedOnceInAnyOrderOfEvents(t *testing.T) {
	t.Parallel()
	shop := open(t, 0)
	for range 2 {
		orderID, arrived, left := delivered(t, shop)
		for _, m := range []cloudevent.Message{arrived, left, arrived} {
			shop.Deliver(t, name, m)
			shop.Send(t, name, shoptest.EventOf(t, m))
		}
		requireCompletedOnce(t, shop, orderID)

		orderID, arrived, left = delivered(t, shop)
		for _, m := range []cloudevent.Message{left, arrived, left} {
			shop.Deliver(t, name, m)
			shop.Send(t, name, shoptest.EventOf(t, m))
		}
		requireCompletedOnce(t, shop, orderID)
	}
}

func requireCompletedOnce(t *testing.T, shop *shoptest.Shop, orderID string) {
	t.Helper()
	emitted := shop.Emitted(t, orderID, "order.completed")
	require.Len(t, emitted, 1)
	completed := shoptest.EventOf(t, emitted[0]).(events.OrderCompleted)
	require.Equal(t, []int64{2400, 2400}, []int64{completed.TotalMinor, completed.PaidMinor})
	require.Equal(t, "completed shipped", shoptest.Scalar[string](t, shop,
		`SELECT concat_ws(' ', status, stock) FROM orders.orders WHERE order_id = $1`, orderID))
}

func TestConcurrentEventsCompleteOnce(t *testing.T) {
	t.Parallel()
	shop := open(t, 0)
	for range 3 {
		orderID, arrived, left := delivered(t, shop)
		var both sync.WaitGroup
		both.Go(func() { shop.Deliver(t, name, arrived) })
		both.Go(func() { shop.Deliver(t, name, left) })
		both.Wait()
		requireCompletedOnce(t, shop, orderID)
	}
}

func TestOrderIsNotCompletedDuringTheReturnPeriod(t *testing.T) {
	t.Parallel()
	shop := open(t, time.Hour)
	orderID, arrived, left := delivered(t, shop)
	require.Empty(t, shop.Deliver(t, name, left))
	require.Empty(t, shop.Deliver(t, name, arrived))
	require.Empty(t, shop.Send(t, name, events.OrderRested{OrderID: orderID}), "a clock that is ahead of the database")

	shop.ChangeOrder(t, orderID, "deadline = now()")
	require.Len(t, shop.Send(t, name, events.OrderRested{OrderID: orderID}), 1)
	requireCompletedOnce(t, shop, orderID)
}

func TestUnpaidOrderIsNotCompleted(t *testing.T) {
	t.Parallel()
	shop := open(t, 0)
	orderID, arrived, left := delivered(t, shop)
	shop.ChangeOrder(t, orderID, "payment = 'authorised'")
	require.Empty(t, shop.Deliver(t, name, left))
	require.Empty(t, shop.Deliver(t, name, arrived))

	settled := shop.Send(t, "track-order", events.PaymentPaid{OrderID: orderID, PaymentID: uuid.NewString()})
	require.Len(t, shop.Send(t, name, settled[0]), 1)
}

func TestShippedStockIsRecordedWithoutAnEvent(t *testing.T) {
	t.Parallel()
	shop := open(t, 0)
	placed := shop.OrderIn(t, "shipped")
	left := shop.Deliver(t, "move-stock", shop.Emitted(t, placed.ID, "order.shipped")[0])
	for range 2 {
		require.Empty(t, shop.Send(t, name, left[0]))
		require.Empty(t, shop.Send(t, name, events.OrderDelivered{OrderID: placed.ID}), "the status of the order decides")
	}
	require.Equal(t, "shipped shipped", shoptest.Scalar[string](t, shop,
		`SELECT concat_ws(' ', status, stock) FROM orders.orders WHERE order_id = $1`, placed.ID))
}

func TestReturnedOrderIsNeverCompleted(t *testing.T) {
	t.Parallel()
	shop := open(t, 0)
	placed := shop.OrderIn(t, "returned")
	shop.AwaitStatus(t, placed.ID, "")
	require.Empty(t, shop.Send(t, name, events.OrderDelivered{OrderID: placed.ID}))
	require.Equal(t, "returned", shop.Status(t, placed.ID))
}
