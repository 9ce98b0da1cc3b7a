package editcatalogue_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/producttable"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/typed"
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
		"created", "updated", "unchanged", "created", "unchanged", "errorsku is that of a variant, or of goods of something deleted",
		"errorname must not be blank", "errorstore is the name of none of our stores, or of several", "errorcategory names none of our categories, or several",
		"errorprice_minor must not be below 0, and at most a trillion",
	}, d.imported(
		row("NEW"), row("OLD"), row("OLD"), row("PLAIN").With("category", ""), row("NEW"), row("OLD-RED"),
		row("A").With("name", " "), row("B").With("store", "Nowhere"), row("C").With("category",
			"Hats"), row("D").With("price", euros(-1)),
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

// CAT-40: the middle of three rows is wrong in each way that a row can be wrong.
func TestWrongRowStopsNoOther_CAT_40(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.category("Hats", d.category("Clothes", ""))
	for field, c := range map[string]struct {
		value any
		want  []string
	}{
		"name":        {strings.Repeat("x", 201), []string{"name is longer than 200 characters"}},
		"sku":         {strings.Repeat("x", 65), []string{"sku is longer than 64 characters"}},
		"description": {strings.Repeat("x", 20_001), []string{"description is longer than 20000 characters"}},
		"category":    {strings.Repeat("x", 2000), []string{"category names none of our categories, or several"}},
		"store":       {"", []string{"store is the name of none of our stores, or of several"}},
		"tags":        {[]string{"a", strings.Repeat("x", 51), " "}, []string{"tags is longer than 50 characters", "tags must not be blank"}},
		"price":       {map[string]any{"amount_minor": -1, "currency": "ZZZ"}, []string{"price_minor", "currency"}},
	} {
		result := d.must(http.MethodPost, "/v1/products/imports", map[string]any{"rows": []any{
			row("A-" + field), row("B-"+field).With(field, c.value), row("C-" + field),
		}}).Body["results"].([]any)
		require.Equal(t, []any{"created", "error", "created"}, []any{
			result[0].(map[string]any)["result"], result[1].(map[string]any)["result"], result[2].(map[string]any)["result"],
		}, field)
		errs := result[1].(map[string]any)["errors"].([]any)
		require.Len(t, errs, len(c.want), field)
		for i, want := range c.want {
			e := errs[i].(map[string]any)
			require.Contains(t, e["column"].(string)+" "+e["why"].(string), want)
		}
	}
}

// CAT-40: a dry run reports what an import does, and does nothing.
func TestDryRunStoresNothing_CAT_40(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.category("Hats", d.category("Clothes", ""))
	d.add(product("OLD"))
	rows := []any{row("NEW"), row("OLD"), row("BAD").With("name", ""), row("NEW").With("name", "Other")}
	state := func() string {
		return shoptest.Scalar[string](t, d.Shop, `
			SELECT concat((SELECT json_agg(p ORDER BY product_id) FROM catalogue.products p), (SELECT count(*) FROM stock.levels),
				(SELECT count(*) FROM catalogue.skus), (SELECT count(*) FROM bus.event))`)
	}
	before := state()
	dry := d.must(http.MethodPost, "/v1/products/imports", map[string]any{"rows": rows, "dry_run": true}).Body
	require.Equal(t, before, state())
	require.Equal(t, dry, d.must(http.MethodPost, "/v1/products/imports", map[string]any{"rows": rows}).Body)
	require.NotEqual(t, before, state())
}

// tableOf writes rows of an export as popup does.
func tableOf(t require.TestingT, rows []any) string {
	var text bytes.Buffer
	table := csv.NewWriter(&text)
	require.NoError(t, table.Write(producttable.Columns))
	encoded, err := json.Marshal(rows)
	require.NoError(t, err)
	var typed []client.ImportRow
	require.NoError(t, json.Unmarshal(encoded, &typed))
	for _, each := range typed {
		require.NoError(t, table.Write(producttable.Cells(each)))
	}
	table.Flush()
	return text.String()
}

// importTable imports a table as popup does, and returns the results that are not "unchanged".
func (d desk) importTable(t require.TestingT, table string) (changes []string) {
	require.NoError(t, producttable.Read(strings.NewReader(table), func(int64) {}, func(rows []producttable.Row) error {
		var asked []any
		for _, each := range rows {
			require.Empty(t, each.Errs)
			asked = append(asked, each.ImportRow)
		}
		for _, result := range d.imported(asked...) {
			if result != "unchanged" {
				changes = append(changes, result)
			}
		}
		return nil
	}))
	return changes
}

// CAT-41: what is exported and imported again changes nothing, whatever the names and tags have in them.
func TestExportAndImportChangeNothing_CAT_41(t *testing.T) {
	t.Parallel()
	d := sit(t)
	runes := rapid.OneOf(rapid.RuneFrom([]rune(`|\> '"=+-@,;abÄ冬`)), rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.P, unicode.S))
	line := rapid.StringOfN(runes, 1, 20, 50).Filter(func(s string) bool { return typed.Line(s) != "" && typed.IsLine(typed.Line(s)) })
	var categories []string
	skus := 0
	rapid.Check(t, func(r *rapid.T) {
		parent := ""
		if len(categories) > 0 && rapid.Bool().Draw(r, "below") {
			parent = rapid.SampledFrom(categories).Draw(r, "parent")
		}
		name := rapid.OneOf(line, rapid.SampledFrom([]string{"E", "F", "E > F", `E \> F`, "E > F > F"})).Draw(r, "category")
		categories = append(categories, d.category(name, parent))
		skus++
		body := product(fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"=", "'=", "-", `"`, "SKU"}).Draw(r, "sku"), skus)).
			With("category_id", rapid.SampledFrom(categories).Draw(r, "in")).With("name", line.Draw(r, "name")).
			With("description", rapid.StringOfN(runes, 0, 50, -1).Draw(r, "description")).
			With("tags", rapid.SliceOfN(line, 0, 4).Draw(r, "tags")).With("active", rapid.Bool().Draw(r, "active"))
		d.add(body)
		if skus%20 != 0 {
			return
		}
		rows, _ := d.exported()
		require.Empty(r, d.importTable(r, tableOf(r, rows)))
	})
	store := d.must(http.MethodPost, "/v1/stores", map[string]any{"name": "Tide & Thread", "location": "Kiel"}).Body["id"]
	d.add(product("TWIN").With("store_id", store))
	rows, _ := d.exported()
	require.Empty(t, d.importTable(t, tableOf(t, rows)), "two stores have one name")
}
