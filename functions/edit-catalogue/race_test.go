package editcatalogue_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// Whatever would go into something that is being deleted waits, and finds it gone.
func TestNothingGoesIntoAStoreOrWarehouseThatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	const (
		noStore     = `UPDATE catalogue.stores SET deleted_at = now() WHERE store_id = '` + shoptest.TheStore + `'`
		noWarehouse = `
			SELECT FROM stock.warehouses WHERE warehouse_id = '` + shoptest.Canal + `' FOR UPDATE;
			UPDATE stock.warehouses SET deleted_at = now() WHERE warehouse_id = '` + shoptest.Canal + `'`
	)
	stall := shoptest.Body{"name": "Stall", "location": "Hamburg", "warehouse_id": shoptest.Canal}
	for what, c := range map[string]struct {
		deleted, field string
		call           func(d desk, elsewhere string) shoptest.Response
	}{
		"a new product in a store": {noStore, "store_id", func(d desk, _ string) shoptest.Response {
			return d.call(http.MethodPost, "/v1/products", product("NEW-1"))
		}},
		"a product that changes its store": {noStore, "store_id", func(d desk, elsewhere string) shoptest.Response {
			return d.call(http.MethodPut, elsewhere, product("NEW-2"))
		}},
		"a new store in a warehouse": {noWarehouse, "warehouse_id", func(d desk, _ string) shoptest.Response {
			return d.call(http.MethodPost, "/v1/stores", stall)
		}},
		"a store that changes its warehouse": {noWarehouse, "warehouse_id", func(d desk, _ string) shoptest.Response {
			return d.call(http.MethodPut, theStore, stall)
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			other := d.store(shoptest.Body{"name": "Other", "location": "Kiel"})
			elsewhere := d.add(product("NEW-2").With("store_id", other["id"]))
			a := d.During(t, c.deleted, func() shoptest.Response { return c.call(d, elsewhere) })
			require.Equal(t, []any{http.StatusBadRequest, []string{c.field}}, []any{a.Status, a.Fields()}, a.Raw)
		})
	}
}

// A category is deleted, or has what goes into it at that moment.
func TestACategoryIsNotDeletedUnderWhatGoesIntoIt(t *testing.T) {
	t.Parallel()
	for range 8 {
		d := sit(t)
		to := d.must(http.MethodPost, "/v1/categories", shoptest.Body{"name": "Hats"}).Body["id"]
		both := shoptest.Concurrently(
			func() shoptest.Response {
				return d.call(http.MethodPost, "/v1/products", product("NEW-1").With("category_id", to))
			},
			func() shoptest.Response {
				return d.call(http.MethodPost, "/v1/categories", shoptest.Body{"name": "Caps", "parent_id": to})
			},
			func() shoptest.Response { return d.call(http.MethodDelete, "/v1/categories/"+to.(string), nil) },
		)
		deleted := both[2].Status == http.StatusNoContent
		require.Equal(t, deleted, both[0].Status == http.StatusBadRequest && both[1].Status == http.StatusBadRequest,
			"%s %s %s", both[0].Raw, both[1].Raw, both[2].Raw)
		require.Contains(t, []int{http.StatusNoContent, http.StatusConflict}, both[2].Status, both[2].Raw)
	}
}

// Two categories that are moved under each other at once do not make a ring.
func TestTwoMovesAtOnceMakeNoRing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for range 8 {
		made := func(name string) string {
			return d.must(http.MethodPost, "/v1/categories", shoptest.Body{"name": name}).Body["id"].(string)
		}
		a, b := made("A"), made("B")
		move := func(what, under string) func() shoptest.Response {
			return func() shoptest.Response {
				return d.call(http.MethodPut, "/v1/categories/"+what, shoptest.Body{"name": "moved", "parent_id": under})
			}
		}
		both := shoptest.Concurrently(move(a, b), move(b, a))
		require.ElementsMatch(t, []int{http.StatusOK, http.StatusConflict}, []int{both[0].Status, both[1].Status})
	}
}

// Of many who name something with one SKU at once, one does.
func TestASKUThatManyWantAtOnceIsThatOfOneThing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	calls := make([]func() shoptest.Response, 8)
	for i := range calls {
		calls[i] = func() shoptest.Response { return d.call(http.MethodPost, "/v1/products", product("ONE-1")) }
	}
	seen := map[int]int{}
	for _, a := range shoptest.Concurrently(calls...) {
		seen[a.Status]++
	}
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 7}, seen)
}
