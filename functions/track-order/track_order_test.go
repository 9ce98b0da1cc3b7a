package trackorder_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "track-order"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

// facts returns the events that confirm an order.
func facts(orderID string) []events.Event {
	payment := uuid.NewString()
	return []events.Event{
		events.StockReserved{OrderID: orderID},
		events.PaymentCreated{OrderID: orderID, PaymentID: payment},
		events.PaymentPaid{OrderID: orderID, PaymentID: payment},
	}
}

func place(t *testing.T, shop *shoptest.Shop) shoptest.Placed {
	return shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)))
}

// ORD-21.
func TestOrderIsConfirmedOnceInAnyOrderOfEvents(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, turn := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 2}, {2, 0}} {
		placed := place(t, shop)
		all := facts(placed.ID)
		var emitted []events.Event
		for _, i := range turn {
			emitted = append(emitted, shop.Send(t, name, all[i])...)
			emitted = append(emitted, shop.Send(t, name, all[i])...)
		}
		require.Len(t, emitted, 1, "%v", turn)
		confirmed := emitted[0].(events.OrderConfirmed)
		require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 2}}, confirmed.Lines)
		require.Equal(t, all[2].(events.PaymentPaid).PaymentID, confirmed.PaymentID)
		require.EqualValues(t, 4800, confirmed.TotalMinor)
		require.Equal(t, "confirmed", shop.Status(t, placed.ID))
	}
}

func TestConcurrentEventsConfirmOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for range 5 {
		placed := place(t, shop)
		var all sync.WaitGroup
		for _, fact := range facts(placed.ID) {
			m := shop.Store(t, fact)
			all.Go(func() { shop.Deliver(t, name, m) })
		}
		all.Wait()
		require.Len(t, shop.Emitted(t, placed.ID, "order.confirmed"), 1)
	}
}

// ORD-40, ORD-42.
func TestEachVersionIsLoggedOnceWithItsCause(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := place(t, shop)
	for _, fact := range slices.Concat(facts(placed.ID), facts(placed.ID)) {
		shop.Send(t, name, fact)
	}
	require.Equal(t, []string{"1 POST /v1/orders", "2 stock.reserved", "3 payment.created", "4 payment.paid"},
		shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(version || ' ' || cause ORDER BY version) FROM orders.history WHERE order_id = $1`, placed.ID))
}

// ORD-22.
func TestOrderIsRejectedWithTheReason(t *testing.T) {
	t.Parallel()
	short := func(why string) func(orderID string) events.Event {
		lines := []events.ShortLine{
			{Line: 1, SKU: shoptest.Cap, Wanted: 2, Why: events.WhyShort}, {Line: 2, SKU: shoptest.Cap, Wanted: 1, Why: why},
		}
		return func(id string) events.Event { return events.StockShort{OrderID: id, Lines: lines} }
	}
	shop := open(t)
	for reason, c := range map[string]struct {
		held  bool
		sides string // stock and payment of the rejected order
		no    func(orderID string) events.Event
	}{
		"out_of_stock":     {false, "short pending", short(events.WhyShort)},
		"invalid":          {false, "short pending", short(events.WhyGone)},
		"payment_failed":   {true, "held failed", func(id string) events.Event { return failed(id, "declined") }},
		"not_enough_money": {true, "held failed", func(id string) events.Event { return failed(id, "not_enough_money") }},
	} {
		placed := place(t, shop)
		if c.held {
			shop.Send(t, name, events.StockReserved{OrderID: placed.ID})
		}
		emitted := shop.Send(t, name, c.no(placed.ID))
		require.Len(t, emitted, 1, reason)
		rejected := emitted[0].(events.OrderRejected)
		require.Equal(t, reason, rejected.Reason)
		require.Equal(t, c.held, rejected.StockHeld, reason)
		require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 2}}, rejected.Lines)
		require.Equal(t, "rejected "+c.sides, shoptest.Scalar[string](t, shop,
			`SELECT concat_ws(' ', status, stock, payment) FROM orders.orders WHERE order_id = $1`, placed.ID), reason)
		require.Empty(t, shop.Send(t, name, c.no(placed.ID)), reason)
	}
}

func failed(orderID, reason string) events.Event {
	return events.PaymentFailed{OrderID: orderID, PaymentID: uuid.NewString(), Reason: reason}
}

// PAY-39.
func TestMoneyForAnEndedOrderIsRefunded(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"cancelling", "cancelled", "rejected", "expired"} {
		placed := shop.OrderIn(t, status)
		late := facts(placed.ID)
		require.Empty(t, shop.Send(t, name, late[0]), status)

		paid := late[2].(events.PaymentPaid)
		paid.AmountMinor, paid.Currency = 4800, "EUR"
		created := events.PaymentCreated{OrderID: placed.ID, PaymentID: paid.PaymentID, AmountMinor: 4800, Currency: "EUR"}
		byCreated, byPaid := shop.Send(t, name, created), shop.Send(t, name, paid)
		require.Len(t, byPaid, 1, status)
		requested := byPaid[0].(events.RefundRequested)
		require.Equal(t, paid.PaymentID, requested.PaymentID)
		require.Equal(t, money.Amount{Minor: 4800, Currency: "EUR"},
			money.Amount{Minor: requested.AmountMinor, Currency: requested.Currency}, status)
		require.Equal(t, requested, byCreated[0], "both events request the same refund")
		require.Equal(t, status, shop.Status(t, placed.ID))
	}
}

// EVT-07: consumers that wait for the payment of an order get order.settled.
func TestLatePaymentEmitsOrderSettled(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"confirmed", "shipped", "delivered"} {
		placed := shop.OrderIn(t, status)
		shop.ChangeOrder(t, placed.ID, "payment = 'authorised'")
		paid := events.PaymentPaid{OrderID: placed.ID, PaymentID: uuid.NewString(), AmountMinor: 4800, Currency: "EUR"}
		emitted := shop.Send(t, name, paid)
		require.Len(t, emitted, 1, status)
		version := shoptest.Scalar[int64](t, shop, `SELECT version FROM orders.orders WHERE order_id = $1`, placed.ID)
		require.Equal(t, events.OrderSettled{
			OrderID: placed.ID, Version: version, PaymentID: paid.PaymentID, AmountMinor: 4800, Currency: "EUR",
		}, emitted[0])
		require.Equal(t, status+" paid", shoptest.Scalar[string](t, shop,
			`SELECT concat_ws(' ', status, payment) FROM orders.orders WHERE order_id = $1`, placed.ID))
		require.Empty(t, shop.Send(t, name, events.PaymentPaid{OrderID: placed.ID, PaymentID: paid.PaymentID, AmountMinor: 4801}), "it is here already")
	}
}

func TestLateRejectionChangesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"confirmed", "cancelling", "cancelled", "rejected", "expired", "completed", "returned"} {
		placed := shop.OrderIn(t, status)
		require.Empty(t, shop.Send(t, name, events.StockShort{OrderID: placed.ID}), status)
		require.Empty(t, shop.Send(t, name, failed(placed.ID, "declined")), status)
		require.Equal(t, status, shop.Status(t, placed.ID))
	}
}

// ORD-23, ORD-25.
func TestPassedDeadlineIsHandledInEveryOpenState(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for status, want := range map[string]events.Event{
		"pending":          events.OrderExpired{},
		"confirmed":        events.OrderStalled{},
		"processing":       events.OrderStalled{},
		"ready_for_pickup": events.OrderWithdrawn{},
		"picked_up":        events.OrderStalled{},
		"shipped":          events.OrderStalled{},
		"in_transit":       events.OrderStalled{},
		"failed_delivery":  events.OrderStalled{},
		"cancelling":       events.OrderStalled{},
	} {
		placed := shop.OrderIn(t, status)
		require.Empty(t, shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID}), "%s: it is not overdue yet", status)
		shop.ChangeOrder(t, placed.ID, "deadline = now()")

		emitted := shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID})
		require.NotEmpty(t, emitted, status)
		require.IsType(t, want, emitted[0], status)
		require.Equal(t, status == "ready_for_pickup", len(emitted) == 2, "%s: the shipment is cancelled with its order",
			status)
		require.Empty(t, shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID}), "%s: it was led on once", status)
		if stalled, ok := emitted[0].(events.OrderStalled); ok {
			require.Equal(t, status, stalled.Status)
			require.Greater(t, time.Until(stalled.NextDeadline), 70*time.Hour, status)
			require.Equal(t, status, shop.Status(t, placed.ID))
		}
	}
}

// An order is not withdrawn if it has been picked up, even before the order has followed its shipment.
func TestPickedUpOrderGetsMoreTime(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "ready_for_pickup")
	shop.MoveShipment(t, placed.ID, "picked_up")
	shop.ChangeOrder(t, placed.ID, "deadline = now()")
	emitted := shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID})
	require.Len(t, emitted, 1)
	require.IsType(t, events.OrderStalled{}, emitted[0])
}

func TestAuthorisedOrderNotPaidInTimeIsWithdrawn(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := place(t, shop)
	shop.Send(t, name, events.StockReserved{OrderID: placed.ID})
	shop.ChangeOrder(t, placed.ID, "status = 'confirmed', payment = 'authorised', deadline = now()")

	withdrawn := shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID})[0].(events.OrderWithdrawn)
	require.Equal(t, []string{"clock", "overdue", "confirmed"},
		[]string{withdrawn.By, withdrawn.Reason, withdrawn.FromStatus})
	require.True(t, withdrawn.StockHeld)
	require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 2}}, withdrawn.Lines)
}

func TestEndedOrderIsNeverOverdue(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"completed", "returned", "cancelled", "rejected", "expired"} {
		placed := shop.OrderIn(t, status)
		require.Empty(t, shop.Send(t, name, events.OrderOverdue{OrderID: placed.ID}), status)
	}
}

func TestEventOfAnUnknownOrderIsDeadLettered(t *testing.T) {
	t.Parallel()
	shop := open(t)
	require.Empty(t, shop.Send(t, name, events.StockReserved{OrderID: uuid.NewString()}))
	require.Contains(t, shoptest.Scalar[string](t, shop, `SELECT reason FROM bus.dead_letters WHERE consumer = $1`, name),
		"it does not exist")
}
