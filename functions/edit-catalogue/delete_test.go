package editcatalogue_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// CAT-07.
func TestADeletedProductIsHiddenAndItsOrdersStay(t *testing.T) {
	t.Parallel()
	d := sit(t)
	placed := d.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 2)))
	order := func() string {
		return d.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID, nil, "Popup-Order-Token", placed.Token).Raw
	}
	before, path := order(), "/v1/products/"+placed.Lines[0].ProductID
	require.Contains(t, before, "Low Tide T-shirt")
	require.Equal(t, http.StatusNoContent, d.call(http.MethodDelete, path, nil).Status)

	require.Equal(t, http.StatusNotFound, d.call(http.MethodGet, path, nil).Status)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodDelete, path, nil).Status)
	require.NotContains(t, skus(get(t, d.Shop, "/v1/products")), shoptest.Tee)
	require.Empty(t, skus(get(t, d.Shop, "/v1/products/search?q="+shoptest.Tee)))
	require.Equal(t, before, order())
	require.Equal(t, 1, shoptest.Scalar[int](t, d.Shop, `SELECT count(*) FROM catalogue.products WHERE sku = $1`,
		shoptest.Tee))
}

// CAT-08.
func TestManyAreDeletedAtOnceAndWhatIsUnknownIsNamed(t *testing.T) {
	t.Parallel()
	d := sit(t)
	unknown, ids := uuid.NewString(), []string{}
	for _, sku := range []string{"A", "B", "C"} {
		ids = append(ids, strings.TrimPrefix(d.add(product(sku)), "/v1/products/"))
	}
	a := d.must(http.MethodPost, "/v1/products/deletions",
		map[string]any{"ids": []string{ids[0], unknown, strings.ToUpper(ids[1]), "x", ids[2]}})
	var results []any
	for _, each := range a.Body["results"].([]any) {
		result := each.(map[string]any)
		results = append(results, result["deleted"], result["why"])
	}
	no := "the product does not exist"
	require.Equal(t, []any{true, nil, false, no, true, nil, false, no, true, nil}, results)
	require.Equal(t, 8.0, get(t, d.Shop, "/v1/products").Body["total"])
	require.Len(t, d.emitted(), 6)
}

// CAT-43: what was deleted comes back as it was.
func TestDeletionIsUndone_CAT_43(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT").With("tags", []string{"warm"}).With("variants", []any{variant("HAT-RED"), variant("HAT-BLUE")}))
	variants := d.must(http.MethodGet, path+"/variants", nil).Body["items"].([]any)
	red := "/v1/variants/" + variants[0].(map[string]any)["id"].(string)
	d.must(http.MethodDelete, red, nil)
	before := d.must(http.MethodGet, path, nil).Body
	d.must(http.MethodDelete, path, nil)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodPost, red+"/restore", nil).Status, "its product is deleted")
	restored := d.must(http.MethodPost, path+"/restore", nil).Body
	before["updated_at"] = restored["updated_at"]
	require.Equal(t, before, restored)
	require.Equal(t, []string{"HAT"}, skus(search(t, d.Shop, "hat-blue")))
	require.Len(t, d.must(http.MethodGet, path+"/variants", nil).Body["items"], 1)
	events := len(d.emitted())
	d.must(http.MethodPost, path+"/restore", nil)
	require.Len(t, d.emitted(), events, "a second time changes nothing")

	d.must(http.MethodPost, red+"/restore", nil)
	require.Equal(t, variants, d.must(http.MethodGet, path+"/variants", nil).Body["items"])
	require.Len(t, d.emitted(), events+1)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodPost, "/v1/products/"+uuid.NewString()+"/restore", nil).Status)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodPost, "/v1/variants/"+uuid.NewString()+"/restore", nil).Status)
}

func search(t *testing.T, shop *shoptest.Shop, q string) shoptest.Response {
	return get(t, shop, "/v1/products/search?q="+q)
}

// CAT-43: the SKU of something deleted can be used again by anything, unless goods bear it; then it cannot come back.
func TestDeletedSKUIsUsedAgain_CAT_43(t *testing.T) {
	t.Parallel()
	for name, reuse := range map[string]func(d desk, sku string){
		"product": func(d desk, sku string) { d.add(product(sku)) },
		"import": func(d desk, sku string) {
			require.Equal(d.t, []string{"created", "unchanged"}, d.imported(row(sku).With("category", ""), row(sku).With("category", "")))
		},
		"variant":        func(d desk, sku string) { d.add(product("OTHER-"+sku).With("variants", []any{variant(sku)})) },
		"renamed":        func(d desk, sku string) { d.must(http.MethodPut, d.add(product("OLD-"+sku)), product(sku)) },
		"single variant": func(d desk, sku string) { d.must(http.MethodPost, d.add(product("P-"+sku))+"/variants", variant(sku)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			path := d.add(product("HAT").With("variants", []any{variant("HAT-RED"), variant("HAT-BLUE")}))
			first := d.must(http.MethodGet, path+"/variants", nil).Body["items"].([]any)[0].(map[string]any)["id"].(string)
			d.must(http.MethodDelete, "/v1/variants/"+first, nil)
			reuse(d, "HAT-RED")
			a := d.call(http.MethodPost, "/v1/variants/"+first+"/restore", nil)
			require.Equal(t, []any{http.StatusConflict, "/problems/sku-taken"}, []any{a.Status, a.Body["type"]}, a.Raw)

			d.SetStock(t, "HAT", shoptest.Harbour, 1)
			d.must(http.MethodDelete, path, nil)
			a = d.call(http.MethodPost, "/v1/products", product("HAT"))
			require.Equal(t, http.StatusConflict, a.Status, "there are goods that bear it")
			require.Equal(t, []string{"errorsku is that of a variant, or of goods of something deleted"}, d.imported(row("HAT").With("category", "")))
			d.SetStock(t, "HAT", shoptest.Harbour, 0)
			reuse(d, "HAT")
			a = d.call(http.MethodPost, path+"/restore", nil)
			require.Equal(t, []any{http.StatusConflict, "/problems/sku-taken", []any{"HAT"}}, []any{a.Status, a.Body["type"], a.Body["skus"]}, a.Raw)
			require.Equal(t, http.StatusNotFound, d.call(http.MethodGet, path, nil).Status)
		})
	}
}

// CAT-43: of those that use a deleted SKU again and restore its product at once, one is first.
func TestRestoringAndUsingAgainExclude_CAT_43(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for range 10 {
		path := d.add(product("HAT"))
		d.must(http.MethodDelete, path, nil)
		var all sync.WaitGroup
		all.Go(func() { d.call(http.MethodPost, path+"/restore", nil) })
		all.Go(func() { d.call(http.MethodPost, "/v1/products", product("HAT")) })
		all.Wait()
		require.Equal(t, 1, shoptest.Scalar[int](t, d.Shop, `
			SELECT count(*) FROM catalogue.products p JOIN catalogue.skus k USING (product_id, sku) WHERE p.sku = 'HAT' AND deleted_at IS NULL`))
		require.Equal(t, 1, shoptest.Scalar[int](t, d.Shop, `SELECT count(*) FROM catalogue.products WHERE sku = 'HAT' AND deleted_at IS NULL`))
		d.Exec(t, `UPDATE catalogue.products SET deleted_at = now() WHERE sku = 'HAT'`)
	}
}

// CAT-37, CAT-43: a variant does not come back with a price in another currency.
func TestVariantIsNotRestoredInAnotherCurrency_CAT_37(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT").With("variants", []any{variant("HAT-RED").With("price", euros(500)), variant("HAT-BLUE")}))
	items := d.must(http.MethodGet, path+"/variants", nil).Body["items"].([]any)
	d.must(http.MethodPut, path, product("HAT").With("variants", []any{}))
	d.must(http.MethodPut, path, product("HAT").With("price", map[string]any{"amount_minor": 1000, "currency": "JPY"}))
	for i, want := range []int{http.StatusConflict, http.StatusOK} {
		a := d.call(http.MethodPost, "/v1/variants/"+items[i].(map[string]any)["id"].(string)+"/restore", nil)
		require.Equal(t, want, a.Status, a.Raw)
	}
}
