package editcatalogue_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

const theStore = "/v1/stores/" + shoptest.TheStore

func (d desk) store(body shoptest.Body) map[string]any {
	d.t.Helper()
	return d.must(http.MethodPost, "/v1/stores", body).Body
}

// CAT-26.
func TestANewStoreHasAWarehouseOfItsOwn(t *testing.T) {
	t.Parallel()
	d := sit(t)
	made := d.store(shoptest.Body{"name": "北の店", "location": "札幌", "check_delay_s": 15})
	require.NoError(t, uuid.Validate(made["id"].(string)))
	require.Equal(t, []any{"北の店", "札幌", 15.0, true},
		[]any{made["name"], made["location"], made["check_delay_s"], made["participating"]})
	require.Equal(t, "北の店 札幌", shoptest.Scalar[string](t, d.Shop,
		`SELECT name || ' ' || location FROM stock.warehouses WHERE warehouse_id = $1`, made["warehouse_id"]))
	require.Contains(t, get(t, d.Shop, "/v1/stores").Body["items"], any(made))

	to := "/v1/stores/" + made["id"].(string)
	changed := d.must(http.MethodPut, to, shoptest.Body{"name": "南の店", "location": "那覇"}).Body
	require.Equal(t, []any{"南の店", "那覇", 0.0, made["warehouse_id"], made["created_at"]},
		[]any{changed["name"], changed["location"], changed["check_delay_s"], changed["warehouse_id"], changed["created_at"]})
	require.Equal(t, changed, get(t, d.Shop, to).Body)
	shared := d.store(shoptest.Body{"name": "Stall", "location": "Hamburg", "warehouse_id": shoptest.Harbour})
	require.Equal(t, shoptest.Harbour, shared["warehouse_id"])

	for field, body := range map[string]shoptest.Body{
		"name": {"name": " ", "location": "x"}, "location": {"name": "x", "location": ""}, "warehouse_id": {"name": "x", "location": "x", "warehouse_id": uuid.NewString()},
		"check_delay_s": {"name": "x", "location": "x", "check_delay_s": -1},
	} {
		for method, path := range map[string]string{http.MethodPost: "/v1/stores", http.MethodPut: to} {
			require.Equal(t, []string{field}, d.call(method, path, body).Fields(), method)
		}
	}
	require.Equal(t, []string{"store.changed created", "store.changed updated", "store.changed created"}, d.emitted())
}

// CAT-27.
func TestAStoreThatDoesNotParticipateSellsNothing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	require.Equal(t, conflict("already-participating"),
		constraintProblem(d.call(http.MethodPut, theStore+"/participating", nil)))
	require.Equal(t, false, d.must(http.MethodDelete, theStore+"/participating", nil).Body["participating"])
	d.must(http.MethodDelete, theStore+"/participating", nil)
	require.NotContains(t, skus(get(t, d.Shop, "/v1/products")), shoptest.Cap)
	require.Empty(t, skus(get(t, d.Shop, "/v1/products/search?q=cap")))
	order := d.Call(t, "place-order", http.MethodPost, "/v1/orders", shoptest.Order(shoptest.Of(shoptest.Cap, 1)),
		"Idempotency-Key", uuid.NewString())
	require.Equal(t, []any{http.StatusConflict, "/problems/not-on-sale"}, []any{order.Status, order.Body["type"]},
		order.Raw)

	require.Equal(t, true, d.must(http.MethodPut, theStore+"/participating", nil).Body["participating"])
	require.Contains(t, skus(get(t, d.Shop, "/v1/products")), shoptest.Cap)
	require.Equal(t, []string{"store.changed closed", "store.changed opened"}, d.emitted())
}

// CAT-28.
func TestAProductIsListedInItsStoreAndNoOther(t *testing.T) {
	t.Parallel()
	d := sit(t)
	other := "/v1/stores/" + d.store(shoptest.Body{"name": "Stall", "location": "Kiel"})["id"].(string)
	d.add(product("HAT-1"))
	require.Equal(t, "HAT-1", skus(get(t, d.Shop, theStore+"/products"))[0])
	require.Empty(t, skus(get(t, d.Shop, other+"/products")))
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, "/v1/stores/"+uuid.NewString()+"/products").Status)
}

// CAT-08: all products of a store in one call.
func TestAStoreIsEmptiedWhenThatIsMeant(t *testing.T) {
	t.Parallel()
	d := sit(t)
	a := d.call(http.MethodDelete, theStore+"/products", nil)
	require.Equal(t, append(conflict("in-use"), 5.0), append(constraintProblem(a), a.Body["products"]))
	require.Len(t, skus(get(t, d.Shop, theStore+"/products")), 5)
	a = d.must(http.MethodDelete, theStore+"/products?confirm=true", nil)
	require.Equal(t, []any{5.0, 0.0}, []any{a.Body["deleted"], a.Body["left"]})
	require.Empty(t, skus(get(t, d.Shop, theStore+"/products")))
	require.Len(t, d.emitted(), 5)
}

// CAT-29.
func TestADeletedStoreTakesItsProductsAndLeavesItsOrders(t *testing.T) {
	t.Parallel()
	d := sit(t)
	placed := d.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	order := func() shoptest.Response {
		return d.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID, nil, "Popup-Order-Token", placed.Token)
	}
	before, page := order().Raw, "/v1/products/"+placed.Lines[0].ProductID
	a := d.call(http.MethodDelete, theStore, nil)
	require.Equal(t, append(conflict("in-use"), 5.0), append(constraintProblem(a), a.Body["products"]))
	require.Equal(t, http.StatusOK, get(t, d.Shop, page).Status)

	d.must(http.MethodDelete, theStore+"?confirm=true", nil)
	for _, path := range []string{theStore, theStore + "/products", page, page + "/variants"} {
		require.Equal(t, http.StatusNotFound, get(t, d.Shop, path).Status, path)
	}
	require.NotContains(t, skus(get(t, d.Shop, "/v1/products")), shoptest.Cap)
	require.Empty(t, skus(get(t, d.Shop, "/v1/products/search?q=cap")))
	require.Equal(t, http.StatusNotFound, d.call(http.MethodPut, page, product("CAP-2")).Status)
	require.Equal(t, []string{"store_id"}, d.call(http.MethodPost, "/v1/products", product("HAT-1")).Fields())
	require.Equal(t, before, order().Raw)
	require.Equal(t, []string{"store.changed deleted"}, d.emitted()[1:])
}
