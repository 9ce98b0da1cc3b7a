package servecatalogue

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	// countTo is how far products are counted one by one. Beyond a thousand the exact number is of little use.
	countTo = 1000
	// fewFound is up to how many matches of words are collected first and then sorted.
	fewFound = 20_000
)

// upToCounted limits a statement to countTo rows, and one more to know whether there are more.
var upToCounted = fmt.Sprintf(" LIMIT %d", countTo+1)

// Filter selects products; they must satisfy all its conditions.
type Filter struct {
	CategoryID  string `query:"category_id" format:"uuid" doc:"The category and all below it."`
	Tag         string `query:"tag" maxLength:"50"`
	StoreID     string `query:"store_id" format:"uuid"`
	MinPrice    int64  `query:"min_price" minimum:"0" doc:"In minor units."`
	MaxPrice    int64  `query:"max_price" minimum:"0" doc:"In minor units."`
	Currency    string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Currency of the prices."`
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

// hasCounters reports whether the counters have the number of products.
func (f Filter) hasCounters() bool {
	return f.MinPrice == 0 && f.MaxPrice == 0 && f.Currency == "" && !f.InStockOnly
}

func (f Filter) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"category_id": f.CategoryID, "tag": f.Tag, "store_id": f.StoreID, "min_price": f.MinPrice, "max_price": f.MaxPrice, "currency": f.Currency,
		"q": "", "unfinished": false, // what is wanted without words
	}
}

// onSale is the condition for products in lists and searches, as in their indexes.
const onSale = `p.active AND p.deleted_at IS NULL`

// That something of p is in stock is asked of each product that is looked at; or it is joined where Postgres knows that a thousand
// products are enough, or it would join all of the shop.
const (
	inStockEach   = `(SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1)`
	inStockJoined = `EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)`
)

// where returns the filter as a condition on p, without words and tag, which have an index or a table of their own.
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

// usesKeyIndex reports whether the index of keys is faster than an index in the order of the list.
func (f Filter) usesKeyIndex(q string) bool {
	return q != "" || f.Tag != "" && (f.CategoryID != "" || f.StoreID != "")
}

// matching returns the FROM and WHERE of the products that match, in no order. By keys they are read partition by partition, as far
// as the caller reads; OFFSET 0 keeps Postgres from using another index for the other conditions. Without keys the caller reads at
// most a thousand.
func (f Filter) matching(q string) string {
	switch {
	case f.usesKeyIndex(q):
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
