package servestock_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func transfer(t *testing.T, shop *shoptest.Shop, from, to string, quantity int64, headers ...string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/inventory/transfers", map[string]any{
		"sku": shoptest.Cap, "from_warehouse_id": from, "to_warehouse_id": to, "quantity": quantity, "reason": "the window is empty",
	}, headers...)
}

func onHand(t *testing.T, shop *shoptest.Shop) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for _, warehouse := range []string{shoptest.Harbour, shoptest.Canal} {
		found[warehouse] = shoptest.Scalar[int64](t, shop, `
			SELECT coalesce((SELECT on_hand FROM stock.levels WHERE sku = $1 AND warehouse_id = $2), 0)`, shoptest.Cap, warehouse)
	}
	return found
}

// D12: one call, one transaction; the other warehouse gets a level.
func TestTransferMovesGoodsOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	key := []string{"Idempotency-Key", "one"}
	first := transfer(t, shop, shoptest.Harbour, shoptest.Canal, 20, key...)
	require.Equal(t, http.StatusCreated, first.Status, first.Raw)
	require.Equal(t, 100.0, first.Body["out"].(map[string]any)["level"].(map[string]any)["quantity"])
	require.Equal(t, 20.0, first.Body["in"].(map[string]any)["level"].(map[string]any)["quantity"])
	require.Equal(t, 120.0, first.Body["out"].(map[string]any)["level"].(map[string]any)["total_quantity"])
	require.Equal(t, http.StatusCreated, transfer(t, shop, shoptest.Harbour, shoptest.Canal, 20, key...).Status, "repeated")
	require.Equal(t, map[string]int64{shoptest.Harbour: 100, shoptest.Canal: 20}, onHand(t, shop))
	require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event WHERE type = 'stock.changed'`))
}

// D12: what cannot be moved changes nothing.
func TestTransfersThatCannotBe(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	before := onHand(t, shop)
	require.Equal(t, http.StatusConflict, transfer(t, shop, shoptest.Harbour, shoptest.Canal, 121).Status, "more than there is")
	for field, a := range map[string]shoptest.Response{
		"to_warehouse_id":   transfer(t, shop, shoptest.Harbour, shoptest.Harbour, 1),
		"from_warehouse_id": transfer(t, shop, shoptest.Tsukiji, shoptest.Harbour, 1),
		"quantity":          transfer(t, shop, shoptest.Harbour, shoptest.Canal, 0),
	} {
		require.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", field, a.Raw)
		require.Equal(t, []string{field}, a.Fields())
	}
	require.Equal(t, []string{"to_warehouse_id"}, transfer(t, shop, shoptest.Harbour, uuid.NewString(), 1).Fields())
	require.Equal(t, before, onHand(t, shop))
}

// D12: goods that go both ways at the same time are neither lost nor made, and nobody waits for ever.
func TestTransfersBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	require.Equal(t, http.StatusCreated, transfer(t, shop, shoptest.Harbour, shoptest.Canal, 60).Status)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			require.Equal(t, http.StatusCreated, transfer(t, shop, shoptest.Harbour, shoptest.Canal, 1).Status)
		})
		all.Go(func() {
			require.Equal(t, http.StatusCreated, transfer(t, shop, shoptest.Canal, shoptest.Harbour, 1).Status)
		})
	}
	all.Wait()
	require.Equal(t, map[string]int64{shoptest.Harbour: 60, shoptest.Canal: 60}, onHand(t, shop))
}
