package editcatalogue_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// CAT-01.
func TestAProductReadsAsItWasWritten(t *testing.T) {
	t.Parallel()
	d := sit(t)
	body := product("YUKATA-1").With("name", "浴衣「朝顔」 “Asagao” <b>").With("description", "綿一〇〇％。\n手染め。").
		With("tags", []string{" 夏 ", "yukata", "夏"}).With("outside_number", 2389212).With("active", false)
	path := d.add(body)
	p := d.must(http.MethodGet, path, nil).Body
	for _, field := range []string{"name", "description", "sku", "store_id", "active"} {
		require.Equal(t, body[field], p[field], field)
	}
	require.Equal(t, []any{"夏", "yukata"}, p["tags"], "trimmed, and each once")
	require.Equal(t, []any{euros(2900.0), 2389212.0, []any{}}, []any{p["price"], p["outside_number"], p["image_urls"]})
	require.NoError(t, uuid.Validate(p["id"].(string)))

	changed := d.must(http.MethodPut, path, body.With("name", "浴衣「夕顔」")).Body
	require.Equal(t, []any{p["id"], "浴衣「夕顔」", p["created_at"]},
		[]any{changed["id"], changed["name"], changed["created_at"]})
	require.True(t, at(t, changed["updated_at"]).After(at(t, p["updated_at"])))
	require.Equal(t, []string{"product.changed created", "product.changed updated"}, d.emitted())

	again := d.must(http.MethodPut, path, body.With("name", "浴衣「夕顔」")).Body
	require.Equal(t, changed, again, "what is so already is left alone")
	require.Len(t, d.emitted(), 2)
}

func at(t *testing.T, value any) time.Time {
	t.Helper()
	read, err := time.Parse(time.RFC3339Nano, value.(string))
	require.NoError(t, err)
	return read
}

// CAT-02.
func TestPricesAreWholeNumbersOfAnySize(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for sku, minor := range map[string]int64{"A": 250_000, "B": 99_999_999_999} {
		p := d.must(http.MethodGet, d.add(product(sku).With("price", euros(minor))), nil).Body
		require.Equal(t, float64(minor), p["price"].(map[string]any)["amount_minor"])
	}
	for _, price := range []any{1.5, "1", euros(1.5), map[string]any{"amount_minor": 1, "currency": "ZZZ"}, map[string]any{"amount_minor": 1}} {
		a := d.call(http.MethodPost, "/v1/products", product("C").With("price", price))
		require.Equal(t, http.StatusBadRequest, a.Status, price)
		require.True(t, strings.HasPrefix(a.Fields()[0], "price"), a.Raw)
	}
}

// CAT-03, CAT-05: also what is no field of a product, such as its stock.
func TestWhatCannotBeAProductIsRefusedByField(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1"))
	tags := make([]string, 51)
	for i := range tags {
		tags[i] = uuid.NewString()
	}
	for what, c := range map[string]struct {
		field string
		value any
		fault string
	}{
		"blank name":         {"name", " \u3000", "name"},
		"no name":            {"name", nil, "name"},
		"name of two lines":  {"name", "a\nb", "name"},
		"price -1":           {"price", euros(-1), "price.amount_minor"},
		"no SKU":             {"sku", "", "sku"},
		"unknown store":      {"store_id", uuid.NewString(), "store_id"},
		"strange store":      {"store_id", "urn:uuid:" + uuid.NewString(), "store_id"},
		"unknown category":   {"category_id", uuid.NewString(), "category_id"},
		"long tag":           {"tags", []string{"a", strings.Repeat("x", 51)}, "tags[1]"},
		"blank tag":          {"tags", []string{" "}, "tags[0]"},
		"too many tags":      {"tags", tags, "tags"},
		"stock":              {"stock", map[string]any{"available": 5}, "stock"},
		"variants alike":     {"variants", []any{variant("V"), variant("V")}, "variants[1].sku"},
		"variant like it":    {"variants", []any{variant("HAT-1")}, "variants[0].sku"},
		"variant in dollars": {"variants", []any{variant("V").With("price", map[string]any{"amount_minor": 1, "currency": "USD"})}, "variants[0].price.currency"},
	} {
		for method, to := range map[string]string{http.MethodPost: "/v1/products", http.MethodPut: path} {
			a := d.call(method, to, product("HAT-1").With(c.field, c.value))
			require.Equal(t, http.StatusBadRequest, a.Status, "%s by %s: %s", what, method, a.Raw)
			require.Equal(t, []string{c.fault}, a.Fields(), "%s by %s", what, method)
		}
	}
	require.Equal(t, []string{"product.changed created"}, d.emitted())
}

// CAT-04.
func TestASKUIsThatOfOneThing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	hat := d.add(product("HAT-1").With("variants", []any{variant("HAT-1-RED")}))
	shoe := d.add(product("SHOE-1"))
	for _, sku := range []string{"HAT-1", "HAT-1-RED", shoptest.Cap} {
		for method, to := range map[string]string{http.MethodPost: "/v1/products", http.MethodPut: shoe} {
			a := d.call(method, to, product(sku))
			require.Equal(t, []any{http.StatusConflict, "/problems/sku-taken"}, []any{a.Status, a.Body["type"]}, "%s by %s",
				sku, method)
		}
		a := d.call(http.MethodPost, shoe+"/variants", variant(sku))
		require.Equal(t, []any{http.StatusConflict, "/problems/sku-taken"}, []any{a.Status, a.Body["type"]}, sku)
	}
	d.must(http.MethodPut, hat, product("HAT-2"))
	d.must(http.MethodPut, shoe, product("HAT-1"))
}

func TestGoodsKeepTheirSKU(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1"))
	d.Exec(t, `INSERT INTO stock.movements (level_id, kind, quantity, reference) SELECT level_id, 'inbound', 3, 'test' FROM stock.levels WHERE sku = 'HAT-1'`)
	a := d.call(http.MethodPut, path, product("HAT-2"))
	require.Equal(t, []any{http.StatusConflict, "/problems/in-use", 3.0}, []any{a.Status, a.Body["type"], a.Body["goods"]})
}

// CAT-05, CAT-28.
func TestANewProductHasNoneInTheWarehouseOfItsStore(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1").With("variants", []any{variant("HAT-1-RED")}))
	for _, sku := range []string{"HAT-1", "HAT-1-RED"} {
		require.Equal(t, shoptest.Harbour, shoptest.Scalar[string](t, d.Shop,
			`SELECT warehouse_id::text FROM stock.levels WHERE (sku, on_hand) = ($1, 0)`, sku))
	}
	available := func() any { return d.must(http.MethodGet, path, nil).Body["stock"].(map[string]any)["available"] }
	require.Equal(t, 0.0, available())
	d.Exec(t, `INSERT INTO stock.movements (level_id, kind, quantity, reference) SELECT level_id, 'inbound', 5, 'test' FROM stock.levels WHERE sku = 'HAT-1-RED'`)
	require.Equal(t, 5.0, available())
	require.Zero(t, shoptest.Scalar[int](t, d.Shop, `
		SELECT count(*) FROM information_schema.columns WHERE table_schema = 'catalogue' AND table_name IN ('products', 'variants') AND column_name ~ 'quantity|stock|on_hand'`))
}

// CAT-06.
func TestCustomersReadAndStaffWrites(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1"))
	customer, program := d.SignIn(t, "customer").Bearer, d.SignIn(t, "client", "catalogue").Bearer
	for method, to := range map[string]string{http.MethodPost: "/v1/products", http.MethodPut: path, http.MethodDelete: path} {
		for bearer, want := range map[string]int{"": http.StatusUnauthorized, customer: http.StatusForbidden} {
			require.Equal(t, want, d.Call(t, "edit-catalogue", method, to, product("HAT-2"), "Authorization", bearer).Status,
				method)
		}
	}
	require.Equal(t, http.StatusOK, d.Call(t, "edit-catalogue", http.MethodPut, path, product("HAT-2"), "Authorization",
		program).Status)
	require.Equal(t, http.StatusOK, d.Call(t, "serve-catalogue", http.MethodGet, path, nil, "Authorization",
		customer).Status)
	require.Equal(t, http.StatusNoContent, d.call(http.MethodDelete, path, nil).Status)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodPut, path, product("HAT-2")).Status)
}

// CAT-37: a product, a variant and an order may cost nothing.
func TestProductMayCostNothing_CAT_37(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("GIFT").With("price", euros(0)).With("variants", []any{variant("GIFT-RED").With("price", euros(0))}))
	d.must(http.MethodPut, path, product("GIFT").With("price", euros(0)).With("name", "Sticker"))
	require.Equal(t, euros(0.0), d.must(http.MethodGet, path, nil).Body["price"])
	require.Equal(t, []string{"created"}, d.imported(row("FREE").With("category", "").With("price", euros(0))))
	d.SetStock(t, "GIFT", shoptest.Harbour, 5)
	d.Place(t, shoptest.Order(shoptest.Of("GIFT", 1), shoptest.Of(shoptest.Cap, 1)))
	d.Place(t, shoptest.Order(shoptest.Of("GIFT", 1)))
	quote := d.Call(t, "place-order", http.MethodPost, "/v1/quotes", map[string]any{"lines": []any{map[string]any{"sku": "GIFT", "quantity": 1}}})
	require.Equal(t, euros(0.0), quote.Body["to_pay"])
	require.Empty(t, quote.Body["problems"])
}

// CAT-37: a price of a variant is never read in another currency.
func TestCurrencyChangesWithThePricesOfVariants_CAT_37(t *testing.T) {
	t.Parallel()
	d := sit(t)
	yen := map[string]any{"amount_minor": 1000, "currency": "JPY"}
	path := d.add(product("HAT").With("variants", []any{variant("HAT-RED").With("price", euros(500)), variant("HAT-BLUE")}))
	a := d.call(http.MethodPut, path, product("HAT").With("price", yen))
	require.Equal(t, http.StatusBadRequest, a.Status)
	require.Equal(t, []string{"price.currency"}, a.Fields())
	require.Contains(t, a.Raw, "HAT-RED")
	require.NotContains(t, a.Raw, "HAT-BLUE")
	require.Equal(t, []string{"errorcurrency needs new prices of these variants: HAT-RED", "created"},
		d.imported(row("HAT").With("category", "").With("price", yen), row("NEXT").With("category", "")))
	require.Equal(t, "EUR", d.must(http.MethodGet, path, nil).Body["price"].(map[string]any)["currency"])

	d.must(http.MethodPut, path, product("HAT").With("price", yen).With("variants", []any{variant("HAT-RED").With("price", yen)}))
	d.must(http.MethodPut, path, product("HAT").With("variants", []any{variant("HAT-RED")}))
	d.must(http.MethodPut, path, product("HAT").With("price", yen))
}

// What is not on sale is listed for staff alone, the newest change first.
func TestDraftsAreListedForStaff(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for _, sku := range []string{"HAT-1", "HAT-2"} {
		d.add(product(sku).With("name", "Zürich "+sku).With("active", false))
	}
	d.add(product("HAT-3"))
	gone := d.add(product("HAT-4").With("active", false))
	d.must(http.MethodDelete, gone, nil)
	drafts := func(query string) []string {
		return skus(d.Call(t, "edit-catalogue", http.MethodGet, "/v1/products/drafts"+query, nil, "Authorization", d.Staff(t)))
	}
	require.Equal(t, []string{"HAT-2", "HAT-1"}, drafts(""))
	require.Equal(t, []string{"HAT-1"}, drafts("?q=zurich+hat-1"))
	require.Equal(t, []string{"HAT-2"}, drafts("?q=hat-2"))
	require.Empty(t, drafts("?q=%25"))
}
