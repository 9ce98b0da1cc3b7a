package servecatalogue_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// WEB-14: each facet leads to as many products as it states, for every category and tag.
func TestFacetsAreTheTotalsOfTheirLists_WEB_14(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	get := func(path string) shoptest.Response {
		a := shop.Call(t, "serve-catalogue", http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		return a
	}
	total := func(query string) any { return get("/v1/products?" + query).Body["total"] }
	list := func(a shoptest.Response, name string) []any { return a.Body[name].([]any) }
	shop.Exec(t, `UPDATE catalogue.stores SET participating = false WHERE name = (SELECT min(name) FROM catalogue.stores)`)
	all := get("/v1/facets")
	require.GreaterOrEqual(t, len(list(all, "categories")), 3)
	for _, each := range list(all, "categories") {
		category := each.(map[string]any)
		id := category["category_id"].(string)
		require.Equal(t, total("category_id="+id), category["count"], "%v", category)
		for _, each := range list(get("/v1/facets?category_id="+id), "tags") {
			tag := each.(map[string]any)
			require.Equal(t, total("category_id="+id+"&tag="+url.QueryEscape(tag["tag"].(string))), tag["count"], "%v in %v", tag, category)
		}
	}
	for _, each := range list(all, "tags") {
		tag := each.(map[string]any)
		require.Equal(t, total("tag="+url.QueryEscape(tag["tag"].(string))), tag["count"], "%v", tag)
		for _, each := range list(get("/v1/facets?tag="+url.QueryEscape(tag["tag"].(string))), "categories") {
			category := each.(map[string]any)
			require.Equal(t, total("tag="+url.QueryEscape(tag["tag"].(string))+"&category_id="+category["category_id"].(string)), category["count"])
		}
	}
	require.Equal(t, []string{"category_id"}, shop.Call(t, "serve-catalogue", http.MethodGet, "/v1/facets?category_id=x", nil).Fields())
	require.Empty(t, list(get("/v1/facets?tag=nothing"), "categories"))
}
