package releasestock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/functiontest"
)

const name = "release-stock"

// held is a shop with one pending order whose stock is held in two warehouses.
func held(t *testing.T) (*functiontest.Shop, functiontest.Placed) {
	shop := functiontest.Open(t, functions.All)
	shop.Leave(t, functiontest.Tee, functiontest.Harbour, 1)
	placed := shop.Place(t, functiontest.Order(functiontest.Of(functiontest.Tee, 3), functiontest.Of(functiontest.Cap, 1)))
	require.IsType(t, events.StockReserved{}, shop.Tell(t, "reserve-stock", placed.OrderPlaced)[0])
	return shop, placed
}

func TestWhateverEndedTheOrderAllIsGivenBackOnce(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]func(orderID string) events.Event{
		"withdrawn": func(id string) events.Event { return events.OrderWithdrawn{OrderID: id} },
		"rejected":  func(id string) events.Event { return events.OrderRejected{OrderID: id} },
		"expired":   func(id string) events.Event { return events.OrderExpired{OrderID: id} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop, placed := held(t)
			said := shop.Tell(t, "release-stock", over(placed.ID))
			require.Len(t, said, 1)
			require.ElementsMatch(t, []events.StockLine{
				{SKU: functiontest.Tee, WarehouseID: functiontest.Harbour, Quantity: 1},
				{SKU: functiontest.Tee, WarehouseID: functiontest.Canal, Quantity: 2},
				{SKU: functiontest.Cap, WarehouseID: functiontest.Harbour, Quantity: 1},
			}, said[0].(events.StockReleased).Lines)

			require.Empty(t, shop.Tell(t, "release-stock", over(placed.ID)))
			for _, sku := range []string{functiontest.Tee, functiontest.Cap} {
				_, reserved := shop.Stock(t, sku)
				require.Zero(t, reserved, sku)
			}
		})
	}
}

func TestNothingHeldIsNothingToSay(t *testing.T) {
	t.Parallel()
	shop := functiontest.Open(t, functions.All)
	placed := shop.Place(t, functiontest.Order(functiontest.Of(functiontest.Cap, 1)))
	require.Empty(t, shop.Tell(t, name, events.OrderExpired{OrderID: placed.ID, Deadline: time.Now()}))
}

func TestWhatHasLeftIsNotGivenBack(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	require.Len(t, shop.Tell(t, "move-stock", events.OrderShipped{OrderID: placed.ID}), 1)
	require.Empty(t, shop.Tell(t, name, events.OrderWithdrawn{OrderID: placed.ID}))
	onHand, reserved := shop.Stock(t, functiontest.Tee)
	require.Equal(t, []int64{98, 0}, []int64{onHand, reserved})
}

func TestOthersKeepWhatTheyHold(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	other := shop.Place(t, functiontest.Order(functiontest.Of(functiontest.Tee, 7)))
	shop.Tell(t, "reserve-stock", other.OrderPlaced)
	shop.Tell(t, name, events.OrderRejected{OrderID: placed.ID})
	_, reserved := shop.Stock(t, functiontest.Tee)
	require.EqualValues(t, 7, reserved)
}

func TestTwoTellingsAtOnceGiveBackOnce(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	one, two := shop.Store(t, events.OrderRejected{OrderID: placed.ID}), shop.Store(t, events.OrderExpired{OrderID: placed.ID})
	var both sync.WaitGroup
	both.Go(func() { shop.Deliver(t, name, one) })
	both.Go(func() { shop.Deliver(t, name, two) })
	both.Wait()
	require.Len(t, append(shop.SaidFor(t, name, one), shop.SaidFor(t, name, two)...), 1)
	_, reserved := shop.Stock(t, functiontest.Tee)
	require.Zero(t, reserved)
}
