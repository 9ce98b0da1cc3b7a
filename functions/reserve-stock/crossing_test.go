package reservestock_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// STK-23, with the SKU of a variant.
func TestVariantLineIsSplitOverWarehouses(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.AddVariant(t, shoptest.Tee, "TEE-RED-M", "red, M", 0, 3, shoptest.Harbour)
	shop.Exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES (gen_random_uuid(), 'TEE-RED-M', $1)`,
		shoptest.Tsukiji)
	shop.SetStock(t, "TEE-RED-M", shoptest.Tsukiji, 4)

	emitted := shop.Send(t, name, shop.Place(t, shoptest.Order(shoptest.Of("TEE-RED-M", 5))).OrderPlaced)
	require.Equal(t, []events.HeldLine{
		{Line: 1, SKU: "TEE-RED-M", Quantity: 3, WarehouseID: shoptest.Harbour, StoreID: shoptest.TheStore},
		{Line: 1, SKU: "TEE-RED-M", Quantity: 2, WarehouseID: shoptest.Tsukiji, StoreID: shoptest.TheStore},
	}, emitted[0].(events.StockReserved).Lines)
}

// STK-24.
func TestOrderOverTwoStoresIsReservedInBothOrNone(t *testing.T) {
	t.Parallel()
	shop := open(t)
	const other = "01900000-0000-7000-8000-000000000012"
	shop.Exec(t, `
		INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency) VALUES (gen_random_uuid(), $1, 'FAN', 'Fan', 900, 'EUR')`, other)
	shop.Exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES (gen_random_uuid(), 'FAN', $1)`,
		shoptest.Tsukiji)
	shop.SetStock(t, "FAN", shoptest.Tsukiji, 2)

	short := shop.Send(t, name, shop.Place(t,
		shoptest.Order(shoptest.Of(shoptest.Cap, 1), shoptest.Of("FAN", 3))).OrderPlaced)
	require.Equal(t, []events.ShortLine{{Line: 2, SKU: "FAN", StoreID: other, Wanted: 3, Available: 2, Why: events.WhyShort}}, short[0].(events.StockShort).Lines)
	require.EqualValues(t, 120, available(t, shop, shoptest.Cap))

	held := shop.Send(t, name, shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1), shoptest.Of("FAN", 2))).OrderPlaced)
	lines := held[0].(events.StockReserved).Lines
	require.Equal(t, []string{shoptest.TheStore, other}, []string{lines[0].StoreID, lines[1].StoreID})
	require.Equal(t, []string{shoptest.Harbour, shoptest.Tsukiji}, []string{lines[0].WarehouseID, lines[1].WarehouseID},
		"each from its store's own")
}

// deliverUntilAccepted delivers an event as a broker does: it retries while the function is overloaded.
func deliverUntilAccepted(t *testing.T, shop *shoptest.Shop, name string, e events.Event) {
	m := shop.Store(t, e)
	err := shop.TryDeliver(t, name, m)
	for errors.Is(err, function.ErrOverloaded) {
		err = shop.TryDeliver(t, name, m)
	}
	require.NoError(t, err)
}

// STK-22: for as many rounds as fit into half a minute (by default a few seconds), 64 concurrent orders of A and B or
// of B and A are reserved and released.
func TestCrossingOrdersNeverDeadlock(t *testing.T) {
	t.Parallel()
	shop := open(t)
	deadlocks := func() int64 {
		return shoptest.Scalar[int64](t, shop, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	}
	before, crossed, long := deadlocks(), 0, shoptest.InFull(30*time.Second, 5*time.Second)
	for began := time.Now(); time.Since(began) < long; crossed++ {
		var all sync.WaitGroup
		for i := range 64 {
			a, b := shoptest.Of(shoptest.Cap, 1), shoptest.Of(shoptest.Tee, 1)
			if i%2 == 1 {
				a, b = b, a
			}
			all.Go(func() {
				placed := shop.Place(t, shoptest.Order(a, b))
				deliverUntilAccepted(t, shop, name, placed.OrderPlaced)
				deliverUntilAccepted(t, shop, "release-stock", events.OrderRejected{OrderID: placed.ID})
			})
		}
		all.Wait()
	}
	t.Logf("%d rounds of 64 in %s", crossed, long)
	require.Positive(t, crossed)
	shoptest.Scalar[string](t, shop, `SELECT pg_stat_force_next_flush()::text`)
	require.Equal(t, before, deadlocks(), fmt.Sprint(crossed, " rounds"))
	require.NotContains(t, shop.Log(), "40P01")
	_, reserved := shop.Stock(t, shoptest.Tee)
	require.Zero(t, reserved)
}
