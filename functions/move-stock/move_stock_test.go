package movestock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "move-stock"

// held returns a shop with one order that has reserved two caps and a T-shirt.
func held(t *testing.T) (*shoptest.Shop, string) {
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2), shoptest.Of(shoptest.Tee, 1)))
	require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", placed.OrderPlaced)[0])
	return shop, placed.ID
}

var (
	goods = []events.StockLine{
		{SKU: shoptest.Cap, WarehouseID: shoptest.Harbour, Quantity: 2},
		{SKU: shoptest.Tee, WarehouseID: shoptest.Harbour, Quantity: 1},
	}
	kinds = `SELECT array_agg(kind ORDER BY m.created_at) FROM stock.movements m JOIN stock.levels USING (level_id) WHERE sku = 'CAP-NAVY'`
)

// requireCaps checks the quantity and the reserved quantity of the caps.
func requireCaps(t *testing.T, shop *shoptest.Shop, onHand, reserved int64) {
	t.Helper()
	hasOnHand, hasReserved := shop.Stock(t, shoptest.Cap)
	require.Equal(t, []int64{onHand, reserved}, []int64{hasOnHand, hasReserved})
}

// STK-30.
func TestStockIsBookedOutWithTheOrder(t *testing.T) {
	t.Parallel()
	for how, left := range map[string]func(orderID string) events.Event{
		"shipped":   func(id string) events.Event { return events.OrderShipped{OrderID: id} },
		"picked up": func(id string) events.Event { return events.OrderAdvanced{OrderID: id, To: "picked_up"} },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			shop, orderID := held(t)
			emitted := shop.Send(t, name, left(orderID))
			require.Len(t, emitted, 1)
			require.ElementsMatch(t, goods, emitted[0].(events.StockShipped).Lines)
			requireCaps(t, shop, 118, 0)

			require.Empty(t, shop.Send(t, name, left(orderID)), "goods leave once")
			requireCaps(t, shop, 118, 0)
			require.Equal(t, []string{"inbound", "reservation", "outbound"}, shoptest.Scalar[[]string](t, shop, kinds))
		})
	}
}

func TestOtherEventsBookNothing(t *testing.T) {
	t.Parallel()
	shop, orderID := held(t)
	for _, to := range []string{"processing", "ready_for_pickup", "in_transit", "failed_delivery"} {
		require.Empty(t, shop.Send(t, name, events.OrderAdvanced{OrderID: orderID, To: to}), to)
	}
	requireCaps(t, shop, 120, 2)
}

// STK-31.
func TestReturnedStockIsBookedInOnce(t *testing.T) {
	t.Parallel()
	shop, orderID := held(t)
	shop.Send(t, name, events.OrderShipped{OrderID: orderID})

	emitted := shop.Send(t, name, events.OrderReturned{OrderID: orderID})
	require.Len(t, emitted, 1)
	require.ElementsMatch(t, goods, emitted[0].(events.StockReturned).Lines)
	require.Empty(t, shop.Send(t, name, events.OrderReturned{OrderID: orderID}))
	requireCaps(t, shop, 120, 0)
	require.Equal(t, orderID, shoptest.Scalar[string](t, shop, `
		SELECT DISTINCT reference FROM stock.movements WHERE kind = 'inbound' AND reason = 'returned'`))
}

// The events of an order may arrive in any order: returned stock must have been shipped.
func TestReturnBeforeShippingLosesNothing(t *testing.T) {
	t.Parallel()
	shop, orderID := held(t)

	emitted := shop.Send(t, name, events.OrderReturned{OrderID: orderID})
	require.Len(t, emitted, 2)
	require.ElementsMatch(t, goods, emitted[0].(events.StockShipped).Lines)
	require.ElementsMatch(t, goods, emitted[1].(events.StockReturned).Lines)
	require.Empty(t, shop.Send(t, name, events.OrderShipped{OrderID: orderID}))
	requireCaps(t, shop, 120, 0)
}

func TestOrderWithoutReservationsBooksNothing(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	require.Empty(t, shop.Send(t, name, events.OrderShipped{OrderID: placed.ID}))
	require.Empty(t, shop.Send(t, name, events.OrderReturned{OrderID: placed.ID}))
	requireCaps(t, shop, 120, 0)
}
