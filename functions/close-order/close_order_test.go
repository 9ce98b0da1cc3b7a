package closeorder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "close-order"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

// undone returns a paid order that was cancelled, after all its events except those that close-order consumes.
func undone(t *testing.T, shop *shoptest.Shop) (orderID string, facts []cloudevent.Message) {
	placed := shop.OrderIn(t, "cancelling")
	withdrawn := shop.Emitted(t, placed.ID, "order.withdrawn")[0]
	require.Len(t, shop.Deliver(t, "release-stock", withdrawn), 1)
	require.Len(t, shop.Deliver(t, "refund-payment", withdrawn), 1)
	return placed.ID, []cloudevent.Message{
		withdrawn, shop.Emitted(t, placed.ID, "stock.released")[0], shop.Emitted(t, placed.ID, "payment.refunded")[0],
	}
}

func TestOrderIsCancelledOnceInAnyOrderOfEvents(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, turn := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		orderID, facts := undone(t, shop)
		for _, i := range turn {
			shop.Deliver(t, name, facts[i])
			shop.Send(t, name, shoptest.EventOf(t, facts[i]))
		}
		emitted := shop.Emitted(t, orderID, "order.cancelled")
		require.Len(t, emitted, 1, "%v", turn)
		cancelled := shoptest.EventOf(t, emitted[0]).(events.OrderCancelled)
		require.Equal(t, []string{"customer", "requested"}, []string{cancelled.By, cancelled.Reason},
			"what a customer wrote stays in the row")
		require.True(t, cancelled.StockHeld)
		require.EqualValues(t, 2400, cancelled.RefundedMinor)
		require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 1}}, cancelled.Lines)
		require.Equal(t, "cancelled released refunded", sides(t, shop, orderID), "%v", turn)
	}
}

func sides(t *testing.T, shop *shoptest.Shop, orderID string) string {
	return shoptest.Scalar[string](t, shop, `SELECT concat_ws(' ', status, stock, payment) FROM orders.orders WHERE order_id = $1`, orderID)
}

func TestOrderIsNotCancelledWhileStockOrMoneyIsHeld(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for held, undo := range map[string]string{"money": "release-stock", "stock": "refund-payment"} {
		placed := shop.OrderIn(t, "cancelling")
		withdrawn := shop.Emitted(t, placed.ID, "order.withdrawn")[0]
		require.Empty(t, shop.Deliver(t, name, withdrawn))
		for _, fact := range shop.Deliver(t, undo, withdrawn) {
			require.Empty(t, shop.Send(t, name, fact), "%s is held", held)
		}
		require.Equal(t, "cancelling", shop.Status(t, placed.ID))
	}
}

// ORD-30: money that came while the order was being cancelled keeps it from ending until it is refunded.
func TestMoneyInSuspenseKeepsAnOrderOpen_ORD_30(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	withdrawn := shop.Cancel(t, placed)
	shop.Exec(t, `
		WITH payment AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref)
			SELECT order_id, order_id, 'simulated', 'simulated', total_minor, currency, order_id FROM orders.orders WHERE order_id = $1
			RETURNING *
		), voided AS (
			INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
			SELECT payment_id, 'voided', 0, currency, provider, provider_ref FROM payment
		)
		INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency)
		SELECT payment_id, order_id, provider, provider_ref, amount_minor, currency FROM payment`, placed.ID)
	require.Empty(t, shop.Send(t, name, withdrawn))
	require.Equal(t, "cancelling", shop.Status(t, placed.ID))

	refunded := shop.Send(t, "refund-payment", events.RefundRequested{OrderID: placed.ID})
	require.Len(t, refunded, 1)
	emitted := shop.Send(t, name, refunded[0])
	require.Len(t, emitted, 1)
	require.EqualValues(t, 2400, emitted[0].(events.OrderCancelled).RefundedMinor)
	require.Equal(t, "cancelled pending refunded", sides(t, shop, placed.ID))
}

func TestOrderWithoutHoldsIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	emitted := shop.Send(t, name, shop.Cancel(t, placed))
	require.Len(t, emitted, 1)
	require.False(t, emitted[0].(events.OrderCancelled).StockHeld)
	require.Equal(t, "cancelled pending pending", sides(t, shop, placed.ID))
}

// ORD-30.
func TestLateEventsDoNotReviveACancelledOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	orderID, facts := undone(t, shop)
	for _, fact := range facts {
		shop.Deliver(t, name, fact)
	}
	for _, s := range []string{"order.placed", "stock.reserved", "payment.created", "payment.paid", "order.confirmed", "shipment.created"} {
		for _, m := range shop.Emitted(t, orderID, s) {
			for _, consumer := range consumers(t, shop, m.Type) {
				shop.Send(t, consumer, shoptest.EventOf(t, m))
			}
		}
	}
	shop.AwaitStatus(t, orderID, "")
	require.Equal(t, "cancelled released refunded", sides(t, shop, orderID))
	require.Len(t, shop.Emitted(t, orderID, "order.cancelled"), 1)
	onHand, reserved := shop.Stock(t, shoptest.Cap)
	require.Equal(t, []int64{120, 0}, []int64{onHand, reserved})
}

func consumers(t *testing.T, shop *shoptest.Shop, eventType string) []string {
	return shoptest.Scalar[[]string](t, shop, `
		SELECT coalesce(array_agg(consumer), '{}') FROM bus.subscription WHERE type = $1 AND consumer <> 'send-email'`, eventType)
}

func TestReleasesAreRecordedOnOtherEndedOrders(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	reserved := shop.Send(t, "reserve-stock", placed.OrderPlaced)[0]
	shop.Send(t, "track-order", reserved)
	shop.ChangeOrder(t, placed.ID, "deadline = now()")
	expired := shop.Send(t, "track-order", events.OrderOverdue{OrderID: placed.ID})[0]

	require.Empty(t, shop.Send(t, name, shop.Send(t, "release-stock", expired)[0]))
	require.Empty(t, shop.Send(t, name, events.PaymentVoided{OrderID: placed.ID}))
	require.Equal(t, "expired released expired", sides(t, shop, placed.ID))
}

func TestPartialRefundLeavesTheOrderPaid(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	require.Empty(t, shop.Send(t, name, events.PaymentRefunded{OrderID: placed.ID, AmountMinor: 1000, RefundedMinor: 1000}))
	require.Equal(t, "confirmed held paid", sides(t, shop, placed.ID))
}
