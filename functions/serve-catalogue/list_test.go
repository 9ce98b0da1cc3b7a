package servecatalogue_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/invariant"

	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
	"github.com/popup-shop/popup/internal/seed"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/web"
)

// catalogue is a shop with a made-up catalogue beside the demo's. Its products are in two parts at least.
func catalogue(t *testing.T, products int) *shoptest.Shop {
	t.Helper()
	shop := shoptest.Open(t, functions.All)
	shop.Exec(t, fmt.Sprintf(`ALTER TABLE catalogue.products ALTER COLUMN place RESTART WITH %d`, 16384-products%16384/2))
	require.NoError(t, seed.Catalogue(t.Context(), shop.Pool, products))
	return shop
}

const onSale = `FROM catalogue.products p WHERE p.active AND p.deleted_at IS NULL `

// orderOf is how SQL would sort.
var orderOf = map[string]string{
	"newest": "created_at DESC, product_id DESC", "name": `name COLLATE "und-x-icu", product_id`,
	"price_asc": "currency, price_minor, product_id", "price_desc": "currency DESC, price_minor DESC, product_id DESC",
}

// CAT-18, CAT-19, CAT-23: every filter, alone and together with others, in every order, equals a simple SQL query,
// whether few products are sorted or many are read in the order of an index.
func TestAFilterShowsWhatSQLFindsByHand(t *testing.T) {
	t.Parallel()
	for what, n := range map[string]int{"few": 400, "many": 12_000} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			shop := catalogue(t, n)
			top := shoptest.Scalar[string](t, shop, `SELECT category_id::text FROM catalogue.categories WHERE name = 'Kitchen'`)
			store := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.products WHERE sku = 'MADE-0000001'`)
			in := map[string]string{
				"category_id=" + top: `category_id IN (SELECT unnest(catalogue.below('` + top + `')))`,
				"store_id=" + store:  `store_id = '` + store + `'`,
				"tag=new":            `'new' = ANY (tags)`,
				"min_price=3000":     `price_minor >= 3000`,
				"max_price=9000":     `price_minor <= 9000`,
				"currency=EUR":       `currency = 'EUR'`,
				"in_stock_only=true": `(SELECT sum(on_hand - reserved) FROM stock.levels JOIN catalogue.skus USING (sku) WHERE product_id = p.product_id) > 0`,
				"q=linen":            `name || ' ' || description ~* '\mlinen\M'`,
			}
			sets := [][]string{nil}
			for query := range in {
				sets = append(sets, []string{query})
				for other := range in {
					if other > query {
						sets = append(sets, []string{query, other})
					}
				}
			}
			sets = append(sets, slices.Collect(maps.Keys(in)))
			for i, queries := range sets {
				where := onSale
				for _, query := range queries {
					where += ` AND ` + in[query]
				}
				sort := []string{"newest", "name", "price_asc", "price_desc"}[i%4]
				requireList(t, shop, "/v1/products?limit=7&sort="+sort+"&"+strings.Join(queries, "&"), where, orderOf[sort])
			}
		})
	}
}

// requireList compares the first three pages of a list and its total with SQL.
func requireList(t *testing.T, shop *shoptest.Shop, path, from, order string) {
	t.Helper()
	total := shoptest.Scalar[int64](t, shop, `SELECT count(*) `+from)
	var got []string
	for page := 1; page <= 3; page++ {
		a := get(t, shop, path+"&page="+strconv.Itoa(page))
		require.Equal(t, http.StatusOK, a.Status, "%s: %s", path, a.Raw)
		if a.Body["total_at_least"] == true {
			require.Equal(t, 1000.0, a.Body["total"], path)
			require.Greater(t, total, int64(1000), path)
		} else {
			require.EqualValues(t, total, a.Body["total"], path)
		}
		got = append(got, skus(a)...)
	}
	want := shoptest.Scalar[[]string](t, shop,
		`SELECT coalesce(array_agg(sku), '{}') FROM (SELECT sku `+from+` ORDER BY `+order+` LIMIT 21) p`)
	require.Equal(t, want, append([]string{}, got...), path)
}

// Whether few products are found first and sorted then, or an index is read in its order, the page is the same.
func TestBothWaysReadTheSamePage(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 2000)
	top := shoptest.Scalar[string](t, shop, `SELECT category_id::text FROM catalogue.categories WHERE name = 'Kitchen'`)
	for sort := range orderOf {
		for _, filter := range []servecatalogue.Filter{
			{Tag: "new"},
			{Tag: "new", CategoryID: top},
			{Tag: "gift", InStockOnly: true},
			{Tag: "new", Currency: "JPY"},
			{Tag: "gift", MaxPrice: 9000},
			{MinPrice: 2000, MaxPrice: 9000},
			{CategoryID: top, MaxPrice: 9000},
			{InStockOnly: true, MaxPrice: 5000},
		} {
			for i := range int64(6) {
				in := &servecatalogue.ListRequest{Paging: web.Paging{Page: 1 + i/2, Limit: 9}, Filter: filter, Sort: sort}
				if i%2 == 1 {
					in.Q = "gift"
				}
				few, err := servecatalogue.ReadPage(t.Context(), shop.Pool, in, true)
				require.NoError(t, err)
				many, err := servecatalogue.ReadPage(t.Context(), shop.Pool, in, false)
				require.NoError(t, err)
				require.Len(t, few, 9, "%s %+v", sort, in)
				require.Equal(t, few, many, "%s %+v", sort, in)
			}
		}
	}
}

// CAT-27: what a closed store sells is in no list, and back when it opens.
func TestWhatAClosedStoreSellsIsNotShown(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	all := get(t, shop, "/v1/products").Body["total"].(float64)
	shop.Exec(t, `UPDATE catalogue.stores SET participating = false WHERE name = 'Tide & Thread'`)
	left := get(t, shop, "/v1/products")
	require.Less(t, left.Body["total"].(float64), all)
	require.Len(t, skus(left), int(left.Body["total"].(float64)))
	require.NotContains(t, skus(left), shoptest.Tee)
	require.Empty(t, skus(get(t, shop, "/v1/products/search?q=cap")))
	shop.Exec(t, `UPDATE catalogue.stores SET participating = true`)
	require.Equal(t, all, get(t, shop, "/v1/products").Body["total"])
}

// CAT-27: what cannot be bought is not suggested either, not even for a typing error.
func TestWhatIsNotOnSaleIsNotSuggested_CAT_27(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	suggested := func(q string) (names []string) {
		for _, item := range get(t, shop, "/v1/products/suggestions?q="+q).Body["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		return names
	}
	for how, change := range map[string]struct{ end, undo string }{
		"product off sale": {`UPDATE catalogue.products SET active = false`, `UPDATE catalogue.products SET active = true`},
		"product deleted":  {`UPDATE catalogue.products SET deleted_at = now()`, `UPDATE catalogue.products SET deleted_at = NULL`},
		"store closed":     {`UPDATE catalogue.stores SET participating = false`, `UPDATE catalogue.stores SET participating = true`},
		"store deleted":    {`UPDATE catalogue.stores SET deleted_at = now()`, `UPDATE catalogue.stores SET deleted_at = NULL`},
	} {
		for _, q := range []string{"harb", "harbuor"} {
			require.Contains(t, suggested(q), "Harbour cap", how)
			shop.Exec(t, change.end)
			require.Empty(t, suggested(q), "%s: %s", how, q)
			shop.Exec(t, change.undo)
		}
	}
}

func TestFiltersThatMakeNoSenseAreNamed(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	for query, field := range map[string]string{
		"category_id=x": "category_id", "store_id=urn:uuid:" +
			uuid.NewString(): "store_id", "min_price=-1": "min_price", "max_price=x": "max_price",
		"min_price=5&max_price=4": "max_price", "currency=eur": "currency", "sort=random": "sort", "in_stock_only=perhaps": "in_stock_only",
		"tag=" + strings.Repeat("x", 51): "tag", "q=" + strings.Repeat("x", 101): "q",
	} {
		a := get(t, shop, "/v1/products?"+query)
		require.Equal(t, http.StatusBadRequest, a.Status, query)
		require.Equal(t, []string{field}, a.Fields(), query)
	}
	for _, query := range []string{"tag=nothing", "category_id=" + uuid.NewString(), "q=%25", "q='", "q=" + url.QueryEscape(`\ :*&|!()<->`), "max_price=1"} {
		a := get(t, shop, "/v1/products?"+query)
		require.Equal(t, []any{http.StatusOK, 0.0, []any{}}, []any{a.Status, a.Body["total"], a.Body["items"]}, query)
	}
}

// What keys are made of may have any form, and part by part the last products come first.
func TestKeysFindWhatFiltersSelect(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 400)
	shop.Exec(t, `UPDATE catalogue.products SET tags = ARRAY[$1] WHERE sku = 'MADE-0000007'`, `it's a \ "tag" & (more)`)
	store := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.products WHERE sku = 'MADE-0000007'`)
	for query, want := range map[string][]string{
		"tag=" + url.QueryEscape(`it's a \ "tag" & (more)`) + "&store_id=" + store: {"MADE-0000007"},
		"tag=" + url.QueryEscape(`it's a`) + "&store_id=" + store:                  nil,
		"q=the&store_id=" + store:                        nil, // no word to look for is not any word
		"q=made-0000007&store_id=" + store:               {"MADE-0000007"},
		"q=made-0000007&category_id=" + uuid.NewString(): nil,
	} {
		require.Equal(t, want, skus(get(t, shop, "/v1/products?"+query)), query)
	}
	require.Equal(t, int64(2), shoptest.Scalar[int64](t, shop,
		`SELECT count(DISTINCT catalogue.part_of(place)) FROM catalogue.products WHERE sku LIKE 'MADE-%'`))
	found := shoptest.Scalar[[]int64](t, shop, `
		SELECT array_agg(catalogue.part_of(place)) FROM (
			SELECT p.place
			FROM catalogue.asked(to_tsquery('mug'), NULL, NULL, NULL) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys OFFSET 0) p) f`)
	require.Contains(t, found, int64(0))
	require.Contains(t, found, int64(1))
	require.True(t, slices.IsSortedFunc(found, func(a, b int64) int { return int(b - a) }))
}

// CAT-25: what people call most reads no table from end to end that grows.
func TestListsAndSearchesReadIndexes(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, shoptest.InFull(100_000, 20_000))
	plans := invariant.NewPlans(shop.Pool)
	require.NoError(t, servecatalogue.ProbeQueries(t.Context(), plans))
	require.Empty(t, plans.Scans)
	require.Greater(t, plans.Seen, 50)

	unfinished := search(t, shop, "handma", "&sort=name")
	require.Equal(t, []any{1000.0, true}, []any{unfinished.Body["total"], unfinished.Body["total_at_least"]})
	require.Len(t, skus(unfinished), 20, "an order is kept over all that has a word which is not typed to its end")

	shop.Exec(t, `DROP INDEX catalogue.skus_by_product`)
	blind := invariant.NewPlans(shop.Pool)
	require.NoError(t, servecatalogue.ProbeQueries(t.Context(), blind))
	require.NotEmpty(t, blind.Scans, "without the index it is seen")
}
