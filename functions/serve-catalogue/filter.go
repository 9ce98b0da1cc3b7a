package servecatalogue

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/web"
)

const (
	// countTo is how far products are counted one by one: whoever finds a thousand does not care how many more there are.
	countTo = 1000
	// fewProducts with a tag or with words are found first and sorted then.
	fewProducts = 20_000
)

// upToCounted bounds a statement to what is counted, and one more to know that there is more.
var upToCounted = fmt.Sprintf(" LIMIT %d", countTo+1)

// Filter says which products are wanted; all of what it says must be so.
type Filter struct {
	CategoryID  string `query:"category_id" format:"uuid" doc:"and everything below it"`
	Tag         string `query:"tag" maxLength:"50"`
	StoreID     string `query:"store_id" format:"uuid"`
	MinPrice    int64  `query:"min_price" minimum:"0" doc:"in minor units"`
	MaxPrice    int64  `query:"max_price" minimum:"0" doc:"in minor units"`
	Currency    string `query:"currency" pattern:"^[A-Z]{3}$" doc:"of the prices"`
	InStockOnly bool   `query:"in_stock_only"`
}

func (f Filter) faults() (faults []web.Fault) {
	for field, value := range map[string]string{"category_id": f.CategoryID, "store_id": f.StoreID} {
		if value != "" && !id.Valid(value) {
			faults = append(faults, web.Fault{Field: field, Why: "is not a UUID"})
		}
	}
	if f.MaxPrice > 0 && f.MinPrice > f.MaxPrice {
		faults = append(faults, web.Fault{Field: "max_price", Why: "is below min_price"})
	}
	return faults
}

// countable says that the counts tell how many products there are.
func (f Filter) countable() bool {
	return f.MinPrice == 0 && f.MaxPrice == 0 && f.Currency == "" && !f.InStockOnly
}

func (f Filter) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"category_id": f.CategoryID, "tag": f.Tag, "store_id": f.StoreID, "min_price": f.MinPrice, "max_price": f.MaxPrice, "currency": f.Currency,
	}
}

// where is the filter as a condition on products p, without categories. Unless few are expected, what would find them by an
// index of its own is written so that it does not: the page is read in its order, and these are looked at on the way.
func (f Filter) where(q string, few bool) string {
	all := []string{
		`p.active AND p.deleted_at IS NULL`,
		`p.store_id <> ALL ((SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])`,
	}
	add := func(wanted bool, condition string) {
		if wanted {
			all = append(all, condition)
		}
	}
	found := func(wanted bool, condition string) {
		if !few {
			condition = `(` + condition + `) IS TRUE`
		}
		add(wanted, condition)
	}
	found(f.Tag != "", `p.tags @> ARRAY[@tag]`)
	add(f.StoreID != "", `p.store_id = @store_id::text::uuid`)
	found(q != "", `p.words @@ (SELECT catalogue.query_of(@q, @unfinished))`)
	add(f.MinPrice > 0, `p.price_minor >= @min_price`)
	add(f.MaxPrice > 0, `p.price_minor <= @max_price`)
	add(f.Currency != "", `p.currency = @currency`)
	add(f.InStockOnly, `EXISTS (
		SELECT FROM catalogue.skus k JOIN stock.levels l USING (sku) WHERE k.product_id = p.product_id AND l.on_hand > l.reserved)`)
	return strings.Join(all, "\n\t\tAND ")
}

// inCategories adds the category and all below it.
func (f Filter) inCategories() string {
	if f.CategoryID == "" {
		return ""
	}
	return ` AND p.category_id = ANY ((SELECT catalogue.below(@category_id::text::uuid))::uuid[])`
}
