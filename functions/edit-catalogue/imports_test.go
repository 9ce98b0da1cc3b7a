package editcatalogue_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func row(sku string) shoptest.Body {
	return shoptest.Body{
		"sku": sku, "name": "Knit hat", "price": euros(2900), "store": "Tide & Thread", "category": "Clothes>Hats",
		"tags": []string{"warm"}, "active": true,
	}
}

func (d desk) imported(rows ...any) (results []string) {
	d.t.Helper()
	for _, each := range d.must(http.MethodPost, "/v1/products/imports",
		map[string]any{"rows": rows}).Body["results"].([]any) {
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
	before := len(d.emitted())
	require.Equal(t, []string{
		"created", "updated", "unchanged", "created", "unchanged", "errorsku is that of a variant, or of something deleted",
		"errorname must not be blank", "errorstore is the name of none of our stores, or of several", "errorcategory is none of our categories",
		"errorprice.amount_minor must be above 0, and at most a trillion",
	}, d.imported(
		row("NEW"), row("OLD"), row("OLD"), row("PLAIN").With("category", ""), row("NEW"), row("OLD-RED"),
		row("A").With("name", " "), row("B").With("store", "Nowhere"), row("C").With("category",
			"Hats"), row("D").With("price", euros(0)),
	))
	require.Len(t, d.emitted(), before+3)
	p := d.must(http.MethodGet, path, nil).Body
	require.Equal(t, []any{hats, 7.0, []any{"warm"}}, []any{p["category_id"], p["outside_number"], p["tags"]},
		"what a table does not hold stays")
	require.Len(t, get(t, d.Shop, path+"/variants").Body["items"], 1)
	require.Equal(t, 1, shoptest.Scalar[int](t, d.Shop, `SELECT count(*) FROM stock.levels WHERE sku = 'NEW'`))
	require.Equal(t, []string{"unchanged", "unchanged"}, d.imported(row("NEW"), row("OLD")))
}

// exported reads all rows there are, as often as it takes.
func (d desk) exported() (rows []any, total float64) {
	d.t.Helper()
	for after := ""; ; {
		body := d.must(http.MethodGet, "/v1/products/exports?after="+url.QueryEscape(after), nil).Body
		if after == "" {
			total = body["total"].(float64)
		}
		rows = append(rows, body["rows"].([]any)...)
		if after, _ = body["next"].(string); after == "" {
			return rows, total
		}
	}
}

func TestStaffTakesOutAllThatWasNotDeletedAndMayPutItBackAsItIs(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.category("Hats", d.category("Clothes", ""))
	before, _ := d.exported()
	d.imported(row("AWAY").With("active", false), row("&amp; 帽"))
	gone := d.add(product("GONE"))
	d.must(http.MethodDelete, gone, nil)
	d.add(product("OTHER").With("variants", []any{variant("OTHER-RED")}))
	var many []any
	for n := range 1100 {
		if many = append(many, row(fmt.Sprintf("MANY-%04d", n))); len(many) == 100 {
			d.imported(many...)
			many = nil
		}
	}
	var some []string
	for n := range 600 { // more than an answer holds, and not all of them
		some = append(some, shoptest.Scalar[string](t, d.Shop,
			`SELECT product_id::text FROM catalogue.products WHERE sku = $1`, fmt.Sprintf("MANY-%04d", n)))
	}
	for ids := range slices.Chunk(some, 100) {
		d.must(http.MethodPost, "/v1/products/deletions", map[string]any{"ids": ids})
	}
	rows, total := d.exported()
	require.Len(t, rows, len(before)+503)
	require.EqualValues(t, len(rows), total)
	skus := map[any]any{}
	for _, each := range rows {
		skus[each.(map[string]any)["sku"]] = each
	}
	require.Len(t, skus, len(rows), "each once")
	require.NotContains(t, skus, "GONE")
	require.NotContains(t, skus, "OTHER-RED")
	away := skus["AWAY"].(map[string]any)
	require.Equal(t, []any{false, "Clothes > Hats", []any{"warm"}, "Tide & Thread"},
		[]any{away["active"], away["category"], away["tags"], away["store"]})
	for at := 0; at < len(rows); at += 100 {
		for _, result := range d.imported(rows[at:min(at+100, len(rows))]...) {
			require.Equal(t, "unchanged", result)
		}
	}
}
