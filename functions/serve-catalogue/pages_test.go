package servecatalogue_test

import (
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
