package servecatalogue

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/popup-shop/popup/internal/web"
)

// Lists and searches have several plans, each a whole statement in a file of its own: by_index.go, by_tag.go,
// by_keys.go and search.go. A line of a statement that is needed only for some requests ends in a marker with the
// condition, such as "-- if store". {order} is the order of the list, {after} what comes after a cursor in it, and {first} a limit. testdata has the final
// statements of typical requests.
//
// The text is chosen by what a request has, and not by parameters such as `@store_id IS NULL OR …`, because Postgres
// makes one plan for all values of a prepared statement.

// marker begins the condition of a line.
const marker = "-- if "

// conditions are those that a request meets, by their names in markers.
type conditions map[string]bool

// orders are those that a list can have, each with the index it is read from.
var orders = map[string]string{
	"newest":     "p.created_at DESC, p.product_id DESC",
	"name":       `p.name COLLATE "und-x-icu", p.product_id`,
	"price_asc":  "p.currency, p.price_minor, p.product_id",
	"price_desc": "p.currency DESC, p.price_minor DESC, p.product_id DESC",
}

// afters are the conditions for what comes after a cursor in each order.
var afters = map[string]string{
	"newest":     "(p.created_at, p.product_id) < (@after_time::timestamptz, @after_id::text::uuid)",
	"name":       `(p.name COLLATE "und-x-icu", p.product_id) > (@after_name, @after_id::text::uuid)`,
	"price_asc":  "(p.currency, p.price_minor, p.product_id) > (@after_currency, @after_price::bigint, @after_id::text::uuid)",
	"price_desc": "(p.currency, p.price_minor, p.product_id) < (@after_currency, @after_price::bigint, @after_id::text::uuid)",
}

// byRelevance is the order of a search without another.
const byRelevance = "p.rank DESC, p.product_id"

// write returns a statement for a request: without the lines whose conditions the request does not meet, and in its
// order.
func (in *ListRequest) write(statement string) string {
	met := in.conditions()
	var text strings.Builder
	for line := range strings.Lines(statement) {
		sql, condition, conditional := strings.Cut(line, marker)
		if conditional && !met[strings.TrimSpace(condition)] {
			continue
		}
		text.WriteString(strings.TrimRight(sql, " \t\n"))
		text.WriteByte('\n')
	}
	return strings.NewReplacer("{order}", cmp.Or(orders[in.Sort], byRelevance), "{after}", afters[in.Sort], "{first}",
		first(&in.Paging)).Replace(text.String())
}

func (in *ListRequest) conditions() conditions {
	met := conditions{
		"q": in.Q != "", "tag": in.Tag != "", "store": in.StoreID != "", "category": in.CategoryID != "",
		"min_price": in.MinPrice > 0, "max_price": in.MaxPrice > 0, "currency": in.Currency != "", "in_stock": in.InStockOnly,
		"any_currency": in.mergesCurrencies(), "after": in.After != "", "page": in.After == "",
	}
	met["merged"] = met["category"] || met["any_currency"]
	return met
}

// mergesCurrencies reports whether prices between bounds are wanted in their order, in any currency. The index of
// prices has that order for each currency.
func (in *ListRequest) mergesCurrencies() bool {
	return strings.HasPrefix(in.Sort, "price") && in.Currency == "" && (in.MinPrice > 0 || in.MaxPrice > 0)
}

// first returns a power of ten that the page is within. Postgres plans without the bounds of the page and would
// estimate a tenth of all products, so the statement has a literal limit above them.
func first(p *web.Paging) string {
	n := int64(1000)
	for n < p.Offset()+p.Limit {
		n *= 10
	}
	return fmt.Sprint(n)
}
