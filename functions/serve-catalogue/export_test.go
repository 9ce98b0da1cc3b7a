package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// ReadPage is readPage, for tests of both its ways.
func ReadPage(ctx context.Context, db web.Reader, in *ListRequest, few bool) ([]catalogue.Product, error) {
	return readPage(ctx, db, in, pageOptions{filterFirst: few})
}

// Statements returns the final statements of typical requests, by name.
func Statements() map[string]string {
	request := func(sort, q string, f Filter) *ListRequest {
		return &ListRequest{Paging: web.Paging{Page: 1, Limit: 20}, Filter: f, Q: q, Sort: sort}
	}
	deep := request("name", "", Filter{})
	deep.Page = 600
	all := Filter{CategoryID: "c", Tag: "t", StoreID: "s", MinPrice: 1, MaxPrice: 2, Currency: "EUR", InStockOnly: true}
	untagged := Filter{CategoryID: "c", StoreID: "s", MinPrice: 1, MaxPrice: 2, InStockOnly: true}
	tagged := Filter{Tag: "t", MinPrice: 1, MaxPrice: 2, InStockOnly: true}
	after := func(sort string, f Filter, first bool) string {
		in := request(sort, "", f)
		in.After = "c"
		return in.page(first)
	}
	return map[string]string{
		"by_index_after":          after("newest", Filter{}, false),
		"by_index_after_name":     after("name", Filter{StoreID: "s"}, false),
		"by_index_after_filtered": after("price_desc", untagged, false),
		"by_tag_after":            after("price_asc", Filter{Tag: "t"}, false),

		"by_index":          request("newest", "", Filter{}).page(false),
		"by_index_deep":     deep.page(false),
		"by_index_filtered": request("price_asc", "", untagged).page(false),
		"by_index_words":    request("price_desc", "linen", all).page(false),
		"by_index_sorted":   request("newest", "", untagged).page(true),
		"count_by_index":    request("newest", "", untagged).write(countByIndex),
		"by_tag":            request("newest", "", Filter{Tag: "t"}).page(false),
		"by_tag_filtered":   request("price_desc", "", tagged).page(false),
		"by_tag_sorted":     request("newest", "", tagged).page(true),
		"count_by_tag":      request("newest", "", tagged).write(countByTag),
		"by_keys":           request("newest", "", Filter{Tag: "t", StoreID: "s"}).page(true),
		"by_keys_filtered":  request("price_asc", "linen", all).page(true),
		"count_by_keys":     request("newest", "linen", all).write(countByKeys),
		"search":            request("relevance", "linen", Filter{}).write(bySearch),
		"search_by_price":   request("price_asc", "linen", all).write(bySearch),
		"suggestions":       bySuggestion,
	}
}
