package servecatalogue_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

func get(t *testing.T, shop *shoptest.Shop, path string) shoptest.Response {
	return shop.Call(t, "serve-catalogue", http.MethodGet, path, nil)
}

// skus are those of a page.
func skus(a shoptest.Response) (all []string) {
	list, _ := a.Body["items"].([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any)["sku"].(string))
	}
	return all
}

func TestProductIsShownWithItsPriceAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 2)))
	shop.Send(t, "reserve-stock", placed.OrderPlaced)

	p := get(t, shop, "/v1/products/"+placed.Lines[0].ProductID).Body
	require.Equal(t, map[string]any{"amount_minor": 3900.0, "currency": "EUR"}, p["price"])
	require.Equal(t, 298.0, p["stock"].(map[string]any)["available"], "of all warehouses, without what is held")
	require.Equal(t, []any{shoptest.Tee, "Low Tide T-shirt", "Tide & Thread", true},
		[]any{p["sku"], p["name"], p["store_name"], p["active"]})
}

func TestPagesHoldEveryProductOnce(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	var all []string
	for page := 1; page <= 3; page++ {
		a := get(t, shop, "/v1/products?limit=3&page="+strconv.Itoa(page))
		require.Equal(t, []any{8.0, 3.0, 3.0}, []any{a.Body["total"], a.Body["total_pages"], a.Body["limit"]})
		all = append(all, skus(a)...)
	}
	require.ElementsMatch(t, skus(get(t, shop, "/v1/products")), all)
	require.Len(t, all, 8)
	require.Empty(t, skus(get(t, shop, "/v1/products?limit=3&page=4")))
	require.Equal(t, 100.0, get(t, shop, "/v1/products?limit=1000").Body["limit"])
}

func TestWhatIsNotOnSaleIsNotListed(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	shop.Exec(t, `UPDATE catalogue.products SET active = false WHERE sku = $1`, shoptest.Cap)
	shop.Exec(t, `UPDATE catalogue.products SET deleted_at = now() WHERE sku = $1`, shoptest.Tee)
	a := get(t, shop, "/v1/products")
	require.NotContains(t, skus(a), shoptest.Cap)
	require.NotContains(t, skus(a), shoptest.Tee)
	require.Equal(t, 6.0, a.Body["total"])

	id := func(sku string) string {
		return shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`, sku)
	}
	staff, editor, customer := shop.Staff(t), shop.SignIn(t, "client", "catalogue").Bearer, shop.SignIn(t, "customer").Bearer
	for _, part := range []string{"", "/variants"} {
		for bearer, want := range map[string]int{
			"": http.StatusNotFound, customer: http.StatusNotFound, staff: http.StatusOK, editor: http.StatusOK,
		} {
			path := "/v1/products/" + id(shoptest.Cap) + part
			require.Equal(t, want, shop.Call(t, "serve-catalogue", http.MethodGet, path, nil, "Authorization", bearer).Status, part)
			path = "/v1/products/" + id(shoptest.Tee) + part
			require.Equal(t, http.StatusNotFound, shop.Call(t, "serve-catalogue", http.MethodGet, path, nil, "Authorization", bearer).Status)
		}
	}
}

func TestProductThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/products/"+uuid.NewString()).Status)
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/products/urn:uuid:"+uuid.NewString()).Status)
}

func TestQueriesThatMakeNoSenseAreNamed(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	for query, field := range map[string]string{"page=0": "page", "limit=0": "limit", "limit=1001": "limit", "page=x": "page", "pages=1": "pages"} {
		a := get(t, shop, "/v1/products?"+query)
		require.Equal(t, http.StatusBadRequest, a.Status, query)
		require.Equal(t, []string{field}, a.Fields(), query)
	}
}
