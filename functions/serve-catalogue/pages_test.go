package servecatalogue_test

import (
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// CAT-18.
func TestNoPageHoldsMoreThanAHundred(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 400)
	a := get(t, shop, "/v1/products?limit=1000")
	require.Len(t, skus(a), 100)
	total := shoptest.Scalar[float64](t, shop, `SELECT count(*) `+onSale)
	require.Equal(t, []any{100.0, total, float64(int(total+99) / 100)},
		[]any{a.Body["limit"], a.Body["total"], a.Body["total_pages"]})
}

// CAT-23: three pages of twenty are the first sixty of one page, in each order.
func TestPagesOfWhatWasFoundFollowEachOther(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 1000)
	for _, sort := range []string{"relevance", "newest", "name", "price_asc", "price_desc"} {
		whole := skus(search(t, shop, "linen", "&limit=100&sort="+sort))
		require.Greater(t, len(whole), 50, "there is enough to page through")
		var paged []string
		for page := 1; page <= 3; page++ {
			paged = append(paged, skus(search(t, shop, "linen", "&limit=20&sort="+sort+"&page="+strconv.Itoa(page)))...)
		}
		require.Equal(t, whole[:min(60, len(whole))], paged, sort)
	}
}

// CAT-22, of a catalogue of a size that a laptop makes in time.
func TestSuggestionsComeWhileOneTypes(t *testing.T) {
	shop := catalogue(t, shoptest.InFull(10_000, 1_000))
	get(t, shop, "/v1/products/suggestions?q=l") // the plans are made
	var slowest time.Duration
	for _, q := range []string{"k", "ke", "key", "keyb", "keybo", "linen", "liñen", "湯", "keybaord"} {
		began := time.Now()
		get(t, shop, "/v1/products/suggestions?q="+url.QueryEscape(q))
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("slowest: %s", slowest)
	require.Less(t, slowest, shoptest.InFull(50*time.Millisecond, 500*time.Millisecond),
		"50 ms, where others do not use the machine")
}

// CAT-23, CAT-39: page after page by the cursor is the whole list, in each order and with each filter, whatever is added
// meanwhile before it.
func TestCursorReadsTheWholeList_CAT_23(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 400)
	shop.Exec(t, `UPDATE catalogue.products SET created_at = '2026-01-01' WHERE sku LIKE 'MADE-00001%'`) // many at once
	top := shoptest.Scalar[string](t, shop, `SELECT category_id::text FROM catalogue.categories WHERE name = 'Kitchen'`)
	for sort := range orderOf {
		for _, filter := range []string{"", "&category_id=" + top, "&tag=new", "&tag=new&category_id=" + top, "&max_price=9000", "&q=linen"} {
			path := "/v1/products?sort=" + sort + filter
			var whole, paged []string
			for page := 1; page == 1 || len(whole)%100 == 0; page++ {
				whole = append(whole, skus(get(t, shop, path+"&limit=100&page="+strconv.Itoa(page)))...)
			}
			next := ""
			for {
				a := get(t, shop, path+"&limit=7"+next)
				paged = append(paged, skus(a)...)
				cursor, more := a.Body["next"].(string)
				if !more {
					break
				}
				next = "&after=" + url.QueryEscape(cursor)
			}
			require.Equal(t, whole, paged, path)
			require.Greater(t, len(paged), 7, path)
		}
	}
	cursor := get(t, shop, "/v1/products?sort=name").Body["next"].(string)
	for query, field := range map[string]string{
		"after=x": "after", "after=" + cursor: "after", "sort=name&page=2&after=" + cursor: "page", "page=501": "page",
	} {
		a := get(t, shop, "/v1/products?"+query)
		require.Equal(t, 400, a.Status, query)
		require.Equal(t, []string{field}, a.Fields(), query)
	}
	require.NotContains(t, get(t, shop, "/v1/products?limit=100&page=5").Body, "next", "it is the last")
	store := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.products WHERE sku = 'MADE-0000001'`)
	first := get(t, shop, "/v1/stores/"+store+"/products?limit=5")
	second := get(t, shop, "/v1/stores/"+store+"/products?limit=5&after="+first.Body["next"].(string))
	require.Equal(t, skus(get(t, shop, "/v1/stores/"+store+"/products?limit=10")), append(skus(first), skus(second)...))
}

// CAT-39.
func TestNamesSortAsPeopleExpect_CAT_39(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	names := []string{"Zebra", "apple", "Äpfel", "éclair", "Eclair"}
	shop.Exec(t, `UPDATE catalogue.products SET active = false`)
	shop.Exec(t, `
		INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency, tags)
		SELECT gen_random_uuid(), $1, name, name, 1, 'EUR', '{t}' FROM unnest($2::text[]) AS name`, shoptest.TheStore, names)
	for _, filter := range []string{"", "&tag=t", "&store_id=" + shoptest.TheStore, "&max_price=5"} {
		require.Equal(t, []string{"Äpfel", "apple", "Eclair", "éclair", "Zebra"}, skus(get(t, shop, "/v1/products?sort=name"+filter)), filter)
	}
}
