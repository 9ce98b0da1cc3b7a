package releasestock_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "release-stock"

// held returns a shop with one pending order whose stock is reserved in two warehouses.
func held(t *testing.T) (*shoptest.Shop, shoptest.Placed) {
	shop := shoptest.Open(t, functions.All)
	shop.SetStock(t, shoptest.Tee, shoptest.Harbour, 1)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 3), shoptest.Of(shoptest.Cap, 1)))
	require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", placed.OrderPlaced)[0])
	return shop, placed
}

// STK-28.
func TestEveryEndReleasesAllStockOnce(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]func(orderID string) events.Event{
		"withdrawn": func(id string) events.Event { return events.OrderWithdrawn{OrderID: id} },
		"rejected":  func(id string) events.Event { return events.OrderRejected{OrderID: id} },
		"expired":   func(id string) events.Event { return events.OrderExpired{OrderID: id} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop, placed := held(t)
			emitted := shop.Send(t, "release-stock", over(placed.ID))
			require.Len(t, emitted, 1)
			require.ElementsMatch(t, []events.StockLine{
				{SKU: shoptest.Tee, WarehouseID: shoptest.Harbour, Quantity: 1},
				{SKU: shoptest.Tee, WarehouseID: shoptest.Canal, Quantity: 2},
				{SKU: shoptest.Cap, WarehouseID: shoptest.Harbour, Quantity: 1},
			}, emitted[0].(events.StockReleased).Lines)

			require.Empty(t, shop.Send(t, "release-stock", over(placed.ID)))
			for _, sku := range []string{shoptest.Tee, shoptest.Cap} {
				_, reserved := shop.Stock(t, sku)
				require.Zero(t, reserved, sku)
			}
		})
	}
}

func TestNothingReservedEmitsNothing(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	require.Empty(t, shop.Send(t, name, events.OrderExpired{OrderID: placed.ID, Deadline: time.Now()}))
}

func TestShippedStockIsNotReleased(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	require.Len(t, shop.Send(t, "move-stock", events.OrderShipped{OrderID: placed.ID}), 1)
	require.Empty(t, shop.Send(t, name, events.OrderWithdrawn{OrderID: placed.ID}))
	onHand, reserved := shop.Stock(t, shoptest.Tee)
	require.Equal(t, []int64{98, 0}, []int64{onHand, reserved})
}

func TestOtherOrdersKeepTheirStock(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	other := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 7)))
	shop.Send(t, "reserve-stock", other.OrderPlaced)
	shop.Send(t, name, events.OrderRejected{OrderID: placed.ID})
	_, reserved := shop.Stock(t, shoptest.Tee)
	require.EqualValues(t, 7, reserved)
}

func TestConcurrentEventsReleaseOnce(t *testing.T) {
	t.Parallel()
	shop, placed := held(t)
	one, two := shop.Store(t, events.OrderRejected{OrderID: placed.ID}), shop.Store(t,
		events.OrderExpired{OrderID: placed.ID})
	var both sync.WaitGroup
	both.Go(func() { shop.Deliver(t, name, one) })
	both.Go(func() { shop.Deliver(t, name, two) })
	both.Wait()
	require.Len(t, append(shop.EmittedFor(t, name, one), shop.EmittedFor(t, name, two)...), 1)
	_, reserved := shop.Stock(t, shoptest.Tee)
	require.Zero(t, reserved)
}

// kept returns a shop with a manual reservation of three tees and a cap.
func kept(t *testing.T) (shop *shoptest.Shop, reservationID string) {
	shop = shoptest.Open(t, functions.All)
	a := shop.Call(t, "serve-stock", http.MethodPost, "/v1/inventory/reservations", map[string]any{
		"lines": []shoptest.Item{shoptest.Of(shoptest.Tee, 3), shoptest.Of(shoptest.Cap, 1)}, "expires_in_s": 10,
	}, "Authorization", shop.Staff(t), "Idempotency-Key", "hold")
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return shop, a.Body["reservation_id"].(string)
}

// STK-34.
func TestDueReservationIsReleasedOnce(t *testing.T) {
	t.Parallel()
	shop, id := kept(t)
	tick := func() int64 {
		require.NoError(t, shop.Runtime(t, "keep-time").Tick(t.Context(), shop.Function(t, "keep-time")))
		return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event WHERE type = 'reservation.due'`)
	}
	require.Zero(t, tick(), "it is not due")
	shop.Exec(t, `UPDATE stock.holds SET expires_at = now()`)
	require.EqualValues(t, 1, tick())
	require.EqualValues(t, 1, tick(), "reservation.due is emitted once")

	got := shop.Broker.Published()
	due := shoptest.EventOf(t, got[len(got)-1]).(events.ReservationDue)
	lines := []events.StockLine{
		{SKU: shoptest.Tee, WarehouseID: shoptest.Harbour, Quantity: 3},
		{SKU: shoptest.Cap, WarehouseID: shoptest.Harbour, Quantity: 1},
	}
	require.Equal(t, events.ReservationDue{ReservationID: id, Lines: lines}, due)
	emitted := shop.Send(t, name, due)
	require.Len(t, emitted, 1)
	require.Equal(t, id, emitted[0].(events.StockReleased).ReservationID)
	require.ElementsMatch(t, lines, emitted[0].(events.StockReleased).Lines)
	require.Empty(t, shop.Send(t, name, due))
	require.Empty(t, shop.Send(t, "close-order", emitted[0]))
	require.Equal(t, "expired", shoptest.Scalar[string](t, shop, `SELECT status FROM stock.holds`))
	_, reserved := shop.Stock(t, shoptest.Tee)
	require.Zero(t, reserved)
}

func TestReleasedReservationIsNotDue(t *testing.T) {
	t.Parallel()
	shop, id := kept(t)
	shop.Call(t, "serve-stock", http.MethodDelete, "/v1/inventory/reservations/"+id, nil, "Authorization", shop.Staff(t))
	require.Empty(t, shop.Send(t, name, events.ReservationDue{ReservationID: id}))
	require.Equal(t, "released", shoptest.Scalar[string](t, shop, `SELECT status FROM stock.holds`))
}

// STK-29: of a thousand orders one payment in ten fails. By default there are fewer orders, and more payments fail.
func TestNothingLeaksWhenPaymentsFail(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping = shoptest.InFull(0.9, 0.5), "manual"
	})
	shop.SetStock(t, shoptest.Tee, shoptest.Harbour, 400)
	shop.SetStock(t, shoptest.Cap, shoptest.Harbour, 400)
	shop.SetStock(t, shoptest.Print, shoptest.Harbour, shoptest.InFull[int64](900, 50))
	orders := make(chan string)
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			for sku := range orders {
				placed := shop.Place(t, shoptest.Order(shoptest.Of(sku, 1), shoptest.Of(shoptest.Print, 1)))
				shop.AwaitStatus(t, placed.ID, "")
			}
		})
	}
	for i := range shoptest.InFull(1000, 60) {
		orders <- []string{shoptest.Cap, shoptest.Tee}[i%2]
	}
	close(orders)
	all.Wait()
	for _, sku := range []string{shoptest.Cap, shoptest.Tee, shoptest.Print} {
		open := shoptest.Scalar[int64](t, shop, `
			SELECT coalesce(sum(quantity), 0)::bigint FROM orders.lines JOIN orders.orders USING (order_id) WHERE sku = $1 AND stock = 'held' AND deadline IS NOT NULL`, sku)
		_, reserved := shop.Stock(t, sku)
		require.Equal(t, open, reserved, sku)
	}
	require.Positive(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM stock.movements WHERE kind = 'release'`),
		"some failed after they held")
	promises, err := invariant.Check(t.Context(), shop.Pool, false)
	require.NoError(t, err)
	for _, promise := range promises {
		if promise.Domain == "stock" {
			require.Zero(t, promise.Broken, promise.Promise)
		}
	}
}
