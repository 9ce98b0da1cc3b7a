package servestock_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// warehouse creates a warehouse and returns its id.
func warehouse(t *testing.T, shop *shoptest.Shop, name string, priority int) string {
	a := as(t, shop, http.MethodPost, "/v1/warehouses",
		map[string]any{"name": name, "location": "Pier 4", "priority": priority})
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return a.Body["id"].(string)
}

// STK-01.
func TestWarehousesAreListedByPriority(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `UPDATE stock.warehouses SET priority = 1000`)
	third, first := warehouse(t, shop, "Third", 30), warehouse(t, shop, "First", 10)
	second := warehouse(t, shop, "Second", 20)
	var order []any
	for _, w := range read(t, shop, "/v1/warehouses?limit=3") {
		order = append(order, w["id"])
	}
	require.Equal(t, []any{first, second, third}, order)

	a := as(t, shop, http.MethodPut, "/v1/warehouses/"+third, map[string]any{"name": "Zeroth", "priority": 1})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, "Zeroth", a.Body["name"], a.Raw)
	require.Equal(t, "", a.Body["location"], a.Raw)
	require.Equal(t, 1.0, a.Body["priority"], a.Raw)
	require.Equal(t, third, read(t, shop, "/v1/warehouses?limit=1")[0]["id"])
	require.Equal(t, 100.0, as(t, shop, http.MethodPost, "/v1/warehouses",
		map[string]any{"name": "Last"}).Body["priority"])
}

func TestWarehouseShowsItsStock(t *testing.T) {
	t.Parallel()
	shop := open(t)
	hold(t, shop, 20)
	goods := shoptest.Scalar[float64](t, shop, `SELECT sum(on_hand) FROM stock.levels WHERE warehouse_id = $1`,
		shoptest.Harbour)
	a := as(t, shop, http.MethodGet, "/v1/warehouses/"+shoptest.Harbour, nil)
	require.Equal(t, goods, a.Body["goods"])
	require.Equal(t, 20.0, a.Body["holds"])
}

// STK-02.
func TestOnlyAnEmptyWarehouseIsDeleted(t *testing.T) {
	t.Parallel()
	shop := open(t)
	path := "/v1/warehouses/" + warehouse(t, shop, "Barge", 10)
	refused := func(path string, by ...any) {
		t.Helper()
		a := as(t, shop, http.MethodDelete, path, nil)
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/in-use", a.Body["type"], a.Raw)
		require.Equal(t, by, a.Body["in_use_by"], a.Raw)
	}
	made := post(t, shop, "/v1/inventory/stock",
		map[string]any{"sku": "CRATE", "warehouse_id": path[len("/v1/warehouses/"):], "quantity": 1})
	refused(path, "goods")
	held := post(t, shop, "/v1/inventory/reservations",
		map[string]any{"lines": []any{map[string]any{"sku": "CRATE", "quantity": 1}}})
	refused(path, "goods", "holds")
	shop.Exec(t, `UPDATE catalogue.stores SET warehouse_id = $1`, path[len("/v1/warehouses/"):])
	refused(path, "goods", "holds", "store")

	shop.Exec(t, `UPDATE catalogue.stores SET warehouse_id = $1`, shoptest.Harbour)
	as(t, shop, http.MethodDelete, "/v1/inventory/reservations/"+held.Body["reservation_id"].(string), nil)
	item := "/v1/inventory/stock/" + made.Body["id"].(string)
	post(t, shop, item+"/movements", movement("outbound", 1))
	require.Equal(t, http.StatusNoContent, as(t, shop, http.MethodDelete, path, nil).Status)

	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		require.Equal(t, http.StatusNotFound, as(t, shop, method, path, nil).Status)
	}
	require.Equal(t, http.StatusNotFound, as(t, shop, http.MethodPut, path, map[string]any{"name": "Again"}).Status)
	require.Equal(t, http.StatusNotFound, post(t, shop, item+"/movements", movement("inbound", 1)).Status)
	require.Empty(t, read(t, shop, "/v1/inventory/stock?sku=CRATE"))
	a := post(t, shop, "/v1/inventory/stock",
		map[string]any{"sku": "OTHER", "warehouse_id": path[len("/v1/warehouses/"):], "quantity": 1})
	require.Equal(t, []string{"warehouse_id"}, a.Fields())
}

func TestWarehouseErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for field, body := range map[string]map[string]any{
		"name": {"name": "  "}, "priority": {"name": "Barge", "priority": -1},
		"colour": {"name": "Barge", "colour": "red"},
	} {
		require.Equal(t, []string{field}, as(t, shop, http.MethodPost, "/v1/warehouses", body).Fields())
	}
	for _, id := range []string{uuid.NewString(), "urn:uuid:" + uuid.NewString()} {
		require.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest},
			as(t, shop, http.MethodGet, "/v1/warehouses/"+id, nil).Status)
	}
}
