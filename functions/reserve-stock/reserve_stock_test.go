package reservestock_test

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

const name = "reserve-stock"

func open(t *testing.T, change ...func(*functions.Settings)) *shoptest.Shop {
	return shoptest.Open(t, functions.All, change...)
}

// available returns the available quantity of a SKU.
func available(t *testing.T, shop *shoptest.Shop, sku string) int64 {
	onHand, reserved := shop.Stock(t, sku)
	return onHand - reserved
}

// STK-16, STK-17.
func TestOrderedLinesAreReserved(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2), shoptest.Of(shoptest.Print, 1)))

	emitted := shop.Send(t, name, placed.OrderPlaced)
	require.Len(t, emitted, 1)
	reserved := emitted[0].(events.StockReserved)
	require.Equal(t, placed.Deadline, reserved.Until, "stock is held as long as the order may be pending")
	require.Equal(t, []events.HeldLine{
		{Line: 1, SKU: shoptest.Cap, Quantity: 2, WarehouseID: shoptest.Harbour, StoreID: shoptest.TheStore},
		{Line: 2, SKU: shoptest.Print, Quantity: 1, WarehouseID: shoptest.Harbour, StoreID: shoptest.TheStore},
	}, reserved.Lines)
	onHand, held := shop.Stock(t, shoptest.Cap)
	require.Equal(t, []int64{120, 2}, []int64{onHand, held})
	require.EqualValues(t, 49, available(t, shop, shoptest.Print))
	require.Len(t, shop.Emitted(t, placed.ID, "stock.reserved"), 1)

	shop.Send(t, "track-order", reserved)
	sides := shoptest.Scalar[[]string](t, shop, `SELECT ARRAY[stock, payment] FROM orders.orders`)
	require.Equal(t, []string{"held", "pending"}, sides, "whatever comes of the payment")
}

// STK-16, STK-18.
func TestShortLineReservesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SetStock(t, shoptest.Print, shoptest.Harbour, 3)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1), shoptest.Of(shoptest.Print, 4)))

	require.Equal(t, []events.Event{events.StockShort{OrderID: placed.ID, Lines: []events.ShortLine{
		{Line: 2, SKU: shoptest.Print, StoreID: shoptest.TheStore, Wanted: 4, Available: 3, Why: events.WhyShort},
	}}}, shop.Send(t, name, placed.OrderPlaced))
	require.EqualValues(t, 120, available(t, shop, shoptest.Cap))
	require.EqualValues(t, 3, available(t, shop, shoptest.Print))
}

// STK-21.
func TestEqualSKUsAreAddedUp(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SetStock(t, shoptest.Print, shoptest.Harbour, 5)
	threeAnd := func(more int64) shoptest.Body {
		return shoptest.Order(shoptest.Of(shoptest.Print, 3), shoptest.Of(shoptest.Print, more))
	}

	emitted := shop.Send(t, name, shop.Place(t, threeAnd(3)).OrderPlaced)
	require.Equal(t, []events.ShortLine{
		{Line: 2, SKU: shoptest.Print, StoreID: shoptest.TheStore, Wanted: 3, Available: 2, Why: events.WhyShort},
	}, emitted[0].(events.StockShort).Lines)

	emitted = shop.Send(t, name, shop.Place(t, threeAnd(2)).OrderPlaced)
	require.Len(t, emitted[0].(events.StockReserved).Lines, 2)
	require.Zero(t, available(t, shop, shoptest.Print))
}

// STK-23.
func TestLineIsSplitWithTheStoresWarehouseFirst(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SetStock(t, shoptest.Tee, shoptest.Harbour, 3)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 5)))

	emitted := shop.Send(t, name, placed.OrderPlaced)
	require.Equal(t, []events.HeldLine{
		{Line: 1, SKU: shoptest.Tee, Quantity: 3, WarehouseID: shoptest.Harbour, StoreID: shoptest.TheStore},
		{Line: 1, SKU: shoptest.Tee, Quantity: 2, WarehouseID: shoptest.Canal, StoreID: shoptest.TheStore},
	}, emitted[0].(events.StockReserved).Lines)
}

// STK-23.
func TestWarehousesAreEmptiedByPriority(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES (gen_random_uuid(), $1, $2)`,
		shoptest.Tee, shoptest.Tsukiji)
	shop.SetStock(t, shoptest.Tee, shoptest.Tsukiji, 10)
	shop.SetStock(t, shoptest.Tee, shoptest.Harbour, 0)
	shop.Exec(t, `UPDATE stock.warehouses SET priority = 5 WHERE warehouse_id = $1`, shoptest.Tsukiji)

	emitted := shop.Send(t, name, shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 1))).OrderPlaced)
	require.Equal(t, shoptest.Tsukiji, emitted[0].(events.StockReserved).Lines[0].WarehouseID)
}

// STK-18.
func TestProductsNotOnSaleAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ end, why string }{
		"taken off sale":  {`UPDATE catalogue.products SET active = false WHERE sku = 'LAMP'`, events.WhyGone},
		"deleted":         {`UPDATE catalogue.products SET deleted_at = now() WHERE sku = 'LAMP'`, events.WhyGone},
		"store closed":    {`UPDATE catalogue.stores SET participating = false WHERE name = 'Tide & Thread'`, events.WhyGone},
		"in no warehouse": {`DELETE FROM stock.levels WHERE sku = 'LAMP'`, events.WhyShort},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := open(t)
			shop.Exec(t, `
				INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
				VALUES (gen_random_uuid(), $1, 'LAMP', 'Lamp', 100, 'EUR')`, shoptest.TheStore)
			shop.Exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES (gen_random_uuid(), 'LAMP', $1)`,
				shoptest.Harbour)
			placed := shop.Place(t, shoptest.Order(shoptest.Of("LAMP", 1)))
			shop.Exec(t, c.end)

			short := shop.Send(t, "reserve-stock", placed.OrderPlaced)[0].(events.StockShort)
			require.Equal(t, []events.ShortLine{{Line: 1, SKU: "LAMP", StoreID: shoptest.TheStore, Wanted: 1, Why: c.why}},
				short.Lines)
		})
	}
}

// STK-18: a delayed check uses the quantity that staff set meanwhile.
func TestStockSetToZeroDuringADelayIsShort(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.StockCheckDelay = time.Hour })
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)))
	level := shoptest.Scalar[string](t, shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1`, shoptest.Cap)
	set := shop.Call(t, "serve-stock", http.MethodPut, "/v1/inventory/stock/"+level,
		map[string]any{"quantity": 0, "reason": "burnt"}, "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, set.Status, set.Raw)
	shop.ChangeOrder(t, placed.ID, "stock_check_at = now()")

	short := shop.Send(t, name, events.StockDue{OrderID: placed.ID, Lines: placed.Lines})
	require.Equal(t, []events.Event{events.StockShort{OrderID: placed.ID, Lines: []events.ShortLine{
		{Line: 1, SKU: shoptest.Cap, StoreID: shoptest.TheStore, Wanted: 2, Why: events.WhyShort},
	}}}, short)
	rejected := shop.Send(t, "track-order", short[0])
	require.Equal(t, "out_of_stock", rejected[0].(events.OrderRejected).Reason)
}

// STK-25.
func TestOrderNotPendingIsSkipped(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.Cancel(t, placed)
	require.Equal(t, "cancelling", shop.Status(t, placed.ID))

	require.Empty(t, shop.Send(t, name, placed.OrderPlaced))
	require.EqualValues(t, 120, available(t, shop, shoptest.Cap))
}

func TestRedeliveryReservesNothingMore(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))

	require.Len(t, shop.Send(t, name, placed.OrderPlaced), 1)
	require.Empty(t, shop.Send(t, name, placed.OrderPlaced), "under another id: only the rows remember")
	require.Empty(t, shop.Send(t, name, events.StockDue{OrderID: placed.ID, Lines: placed.Lines}))
	require.EqualValues(t, 119, available(t, shop, shoptest.Cap))
}

func TestDelayedCheckWaitsForItsTime(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.StockCheckDelay = time.Hour })
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	due := events.StockDue{OrderID: placed.ID, Lines: placed.Lines}

	require.Empty(t, shop.Send(t, name, placed.OrderPlaced))
	require.Empty(t, shop.Send(t, name, due), "a clock that is ahead of the database")
	require.EqualValues(t, 120, available(t, shop, shoptest.Cap))

	shop.ChangeOrder(t, placed.ID, "stock_check_at = now()")
	require.IsType(t, events.StockReserved{}, shop.Send(t, name, due)[0])
	require.EqualValues(t, 119, available(t, shop, shoptest.Cap))
}

// stock.due and order.placed may be delivered concurrently: keep-time only sees that nothing is reserved yet.
func TestConcurrentEventsReserveOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for range 10 {
		shop.SetStock(t, shoptest.Tee, shoptest.Harbour, 1+held(t, shop, shoptest.Harbour))
		shop.SetStock(t, shoptest.Tee, shoptest.Canal, 1+held(t, shop, shoptest.Canal))
		placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 1)))
		one, two := shop.Store(t, placed.OrderPlaced), shop.Store(t, events.StockDue{OrderID: placed.ID, Lines: placed.Lines})

		var both sync.WaitGroup
		both.Go(func() { shop.Deliver(t, name, one) })
		both.Go(func() { shop.Deliver(t, name, two) })
		both.Wait()
		require.Len(t, append(shop.EmittedFor(t, name, one), shop.EmittedFor(t, name, two)...), 1)
		require.Equal(t, int64(1), shoptest.Scalar[int64](t, shop,
			`SELECT count(*) FROM stock.reservations WHERE order_id = $1`, placed.ID))
	}
}

func held(t *testing.T, shop *shoptest.Shop, warehouse string) int64 {
	return shoptest.Scalar[int64](t, shop, `SELECT reserved FROM stock.levels WHERE sku = $1 AND warehouse_id = $2`,
		shoptest.Tee, warehouse)
}

// STK-19.
func TestSameUnitIsNeverReservedTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ stock, buyers int64 }{"50 for 200": {50, 200}, "3 for 75": {3, 75}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := open(t)
			shop.SetStock(t, shoptest.Cap, shoptest.Harbour, c.stock)
			var all sync.WaitGroup
			for range c.buyers {
				all.Go(func() {
					deliverUntilAccepted(t, shop, "reserve-stock",
						shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1))).OrderPlaced)
				})
			}
			all.Wait()
			onHand, reserved := shop.Stock(t, shoptest.Cap)
			require.Equal(t, []int64{c.stock, c.stock}, []int64{onHand, reserved})
			require.Equal(t, c.buyers-c.stock, shoptest.Scalar[int64](t, shop,
				`SELECT count(*) FROM bus.event WHERE type = 'stock.short'`))
		})
	}
}
