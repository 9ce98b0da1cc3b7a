package servestock_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// Nothing is added to a warehouse that is being deleted: a concurrent transaction that would add stock waits, and finds
// it deleted.
func TestNothingIsAddedToADeletedWarehouse(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	staff := shop.Staff(t)
	post := func(path string, body any) shoptest.Response {
		return shop.Call(t, "serve-stock", http.MethodPost, path, body, "Authorization", staff, "Idempotency-Key",
			uuid.NewString())
	}
	for what, call := range map[string]func(warehouse, level string) shoptest.Response{
		"make a level": func(warehouse, _ string) shoptest.Response {
			return post("/v1/inventory/stock", map[string]any{"sku": "HAT", "warehouse_id": warehouse, "quantity": 5})
		},
		"fill a level": func(_, level string) shoptest.Response {
			return post("/v1/inventory/stock/"+level+"/movements",
				map[string]any{"kind": "inbound", "quantity": 5, "reason": "x"})
		},
	} {
		warehouse := post("/v1/warehouses", map[string]any{"name": "Shed"}).Body["id"].(string)
		made := post("/v1/inventory/stock", map[string]any{"sku": "CAP", "warehouse_id": warehouse, "quantity": 0})
		require.Equal(t, http.StatusCreated, made.Status, made.Raw)
		a := shop.During(t, `
			SELECT FROM stock.warehouses WHERE warehouse_id = '`+warehouse+`' FOR UPDATE;
			UPDATE stock.warehouses SET deleted_at = now() WHERE warehouse_id = '`+warehouse+`'`,
			func() shoptest.Response { return call(warehouse, made.Body["id"].(string)) })
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict}, a.Status, "%s: %s", what,
			a.Raw)
		require.Zero(t, shoptest.Scalar[int64](t, shop,
			`SELECT coalesce(sum(on_hand), 0)::bigint FROM stock.levels WHERE warehouse_id = $1`, warehouse))
	}
}
