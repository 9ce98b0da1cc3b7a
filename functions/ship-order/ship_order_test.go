package shiporder_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "ship-order"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

// DEL-14.
func TestConfirmedAndPaidOrderGetsOneShipment_DEL_14(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	confirmed, paid := shop.Emitted(t, placed.ID, "order.confirmed")[0], shop.Emitted(t, placed.ID, "payment.paid")[0]
	var both sync.WaitGroup
	both.Go(func() { shop.Deliver(t, name, confirmed) })
	both.Go(func() { shop.Send(t, name, shoptest.EventOf(t, paid)) })
	both.Wait()
	shop.Send(t, name, shoptest.EventOf(t, confirmed))

	emitted := shop.Emitted(t, placed.ID, "shipment.created")
	require.Len(t, emitted, 1)
	created := shoptest.EventOf(t, emitted[0]).(events.ShipmentCreated)
	require.Regexp(t, `^PU[0-9A-F]{14}$`, created.TrackingNumber)
	require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 1}}, created.Lines)
	require.False(t, created.Pickup)
	require.Equal(t, "planned "+created.TrackingNumber, shoptest.Scalar[string](t, shop, `
		SELECT concat_ws(' ', s.status, tracking_number) FROM delivery.shipments s JOIN delivery.tracking t USING (shipment_id) WHERE order_id = $1 AND n = 1`, placed.ID))
}

func TestPickupOrderGetsAPickupShipment(t *testing.T) {
	t.Parallel()
	shop := open(t)
	order := shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("address", nil).With("pickup",
		map[string]string{"store_id": shoptest.TheStore})
	placed := shop.Place(t, order)
	shop.AwaitStatus(t, placed.ID, "")
	require.True(t, shoptest.EventOf(t, shop.Emitted(t, placed.ID, "shipment.created")[0]).(events.ShipmentCreated).Pickup)
}

func TestOnlyConfirmedAndPaidOrdersAreShipped(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"pending", "cancelling", "cancelled", "rejected", "expired"} {
		placed := shop.OrderIn(t, status)
		require.Empty(t, shop.Send(t, name, events.OrderSettled{OrderID: placed.ID}), status)
		require.Empty(t, shop.Send(t, name, events.OrderConfirmed{OrderID: placed.ID}), status)
	}
	placed := shop.OrderIn(t, "confirmed")
	shop.ChangeOrder(t, placed.ID, "payment = 'authorised'")
	require.Empty(t, shop.Send(t, name, events.OrderConfirmed{OrderID: placed.ID}), "authorised")
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM delivery.shipments WHERE order_id = $1`,
		placed.ID))

	settled := shop.Send(t, "track-order", events.PaymentPaid{OrderID: placed.ID, PaymentID: uuid.NewString()})
	require.Len(t, shop.Send(t, name, settled[0]), 1, "its money came later")
}
