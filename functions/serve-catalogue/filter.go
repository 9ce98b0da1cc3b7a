package servecatalogue

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	// countTo is how far products are counted one by one: whoever finds a thousand does not care how many more there are.
	countTo = 1000
	// fewFound by their words are found first and sorted then.
	fewFound = 20_000
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

func (f Filter) faults() (faults []problem.FieldError) {
	for field, value := range map[string]string{"category_id": f.CategoryID, "store_id": f.StoreID} {
		if value != "" && !id.Valid(value) {
			faults = append(faults, problem.FieldError{Field: field, Message: "is not a UUID"})
		}
	}
	if f.MaxPrice > 0 && f.MinPrice > f.MaxPrice {
		faults = append(faults, problem.FieldError{Field: "max_price", Message: "is below min_price"})
	}
	return faults
}

// countable reports whether the counts tell how many products there are.
func (f Filter) countable() bool {
	return f.MinPrice == 0 && f.MaxPrice == 0 && f.Currency == "" && !f.InStockOnly
}

func (f Filter) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"category_id": f.CategoryID, "tag": f.Tag, "store_id": f.StoreID, "min_price": f.MinPrice, "max_price": f.MaxPrice, "currency": f.Currency,
		"q": "", "unfinished": false, // what is wanted without words
	}
}

// onSale are the products that lists and searches show, as their indexes know them.
const onSale = `p.active AND p.deleted_at IS NULL`

// That something of p is in stock is asked of each product that is looked at; or it is joined where Postgres knows that a thousand
// products are enough, or it would join all of the shop.
const (
	inStockEach   = `(SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1)`
	inStockJoined = `EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)`
)

// where is the filter as a condition on p, without what is looked for by keys or in a table of its own: words and tag.
func (f Filter) where(inStock string) string {
	all := []string{
		`p.store_id <> ALL ((SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])`,
	}
	add := func(wanted bool, condition string) {
		if wanted {
			all = append(all, condition)
		}
	}
	add(f.StoreID != "", `p.store_id = @store_id::text::uuid`)
	add(f.CategoryID != "", `p.category_id = ANY ((SELECT catalogue.below(@category_id::text::uuid))::uuid[])`)
	add(f.MinPrice > 0, `p.price_minor >= @min_price`)
	add(f.MaxPrice > 0, `p.price_minor <= @max_price`)
	add(f.Currency != "", `p.currency = @currency`)
	add(f.InStockOnly, inStock)
	return strings.Join(all, "\n\t\tAND ")
}

// keyed reports whether keys find what is wanted faster than any index that has an order.
func (f Filter) keyed(q string) bool {
	return q != "" || f.Tag != "" && (f.CategoryID != "" || f.StoreID != "")
}

// wanted selects from products p what is wanted, in no order. What is found by keys is read part by part, as far as somebody
// reads; OFFSET 0 keeps all other conditions from looking for an index of their own. What is not is for those who read
// no more than a thousand.
func (f Filter) wanted(q string) string {
	switch {
	case f.keyed(q):
		f.CategoryID, f.StoreID = "", ""
		return `
			FROM catalogue.asked(
				CASE WHEN @q <> '' THEN catalogue.query_of(@q, @unfinished) END,
				CASE WHEN @category_id <> '' THEN catalogue.below(nullif(@category_id, '')::uuid) END,
				nullif(@store_id, '')::uuid, nullif(@tag, '')) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p
				WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys AND ` + onSale + `
				OFFSET 0) p
			WHERE ` + f.where(inStockEach)
	case f.Tag != "":
		return `FROM catalogue.tagged p WHERE p.tag = @tag AND ` + f.where(inStockJoined)
	}
	return `FROM catalogue.products p WHERE ` + onSale + ` AND ` + f.where(inStockJoined)
}
