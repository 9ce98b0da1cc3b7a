package servecatalogue_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/functiontest"
)

func row(sku string) functiontest.Body {
	return functiontest.Body{"sku": sku, "name": "Knit hat", "price": euros(2900), "store": "Tide & Thread", "category": "Clothes>Hats", "tags": []string{"warm"}, "active": true}
}

func (d desk) imported(rows ...any) (results []string) {
	d.t.Helper()
	for _, each := range d.must(http.MethodPost, "/v1/products/imports", map[string]any{"rows": rows}).Body["results"].([]any) {
		result := each.(map[string]any)
		why, _ := result["why"].(string)
		results = append(results, result["result"].(string)+why)
	}
	return results
}

func TestRowsAreMatchedWithProductsBySKUAndAWrongOneStopsNoOther(t *testing.T) {
	t.Parallel()
	d := sit(t)
	hats := d.category("Hats", d.category("Clothes", ""))
	path := d.add(product("OLD").With("outside_number", 7).With("variants", []any{variant("OLD-RED")}))
	before := len(d.said())
	require.Equal(t, []string{
		"created", "updated", "unchanged", "created", "unchanged", "errorsku is that of a variant, or of something deleted",
		"errorname must not be blank", "errorstore is the name of none of our stores, or of several", "errorcategory is none of our categories",
		"errorprice.amount_minor must be above 0, and at most a trillion",
	}, d.imported(
		row("NEW"), row("OLD"), row("OLD"), row("PLAIN").With("category", ""), row("NEW"), row("OLD-RED"),
		row("A").With("name", " "), row("B").With("store", "Nowhere"), row("C").With("category", "Hats"), row("D").With("price", euros(0)),
	))
	require.Len(t, d.said(), before+3)
	p := d.must(http.MethodGet, path, nil).Body
	require.Equal(t, []any{hats, 7.0, []any{"warm"}}, []any{p["category_id"], p["outside_number"], p["tags"]}, "what a table does not hold stays")
	require.Len(t, get(t, d.Shop, path+"/variants").Body["items"], 1)
	require.Equal(t, 1, functiontest.One[int](t, d.Shop, `SELECT count(*) FROM stock.levels WHERE sku = 'NEW'`))
	require.Equal(t, []string{"unchanged", "unchanged"}, d.imported(row("NEW"), row("OLD")))
}
