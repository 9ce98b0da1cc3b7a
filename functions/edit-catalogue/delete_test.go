package editcatalogue_test

import (
	"net/http"
	"strings"
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
