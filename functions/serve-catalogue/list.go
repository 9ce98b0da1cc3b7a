package servecatalogue

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// ListRequest asks for a page of products.
type ListRequest struct {
	web.Paging
	Filter
	Q    string `query:"q" maxLength:"100" doc:"Words that must all occur."`
	Sort string `query:"sort" enum:"newest,name,price_asc,price_desc" default:"newest"`
}

// orders are those that a list can have, each with the index it is read from.
var orders = map[string]string{
	"newest":     "p.created_at DESC, p.product_id",
	"name":       "p.name, p.product_id",
	"price_asc":  "p.currency, p.price_minor, p.product_id",
	"price_desc": "p.currency DESC, p.price_minor DESC, p.product_id DESC",
}

// list returns a page of the products on sale.
func list(ctx context.Context, db web.Reader, in *ListRequest) ([]catalogue.Product, int64, error) {
	if faults := in.Filter.faults(); faults != nil {
		return nil, 0, problem.Invalid(faults...)
	}
	n, err := count(ctx, db, in)
	if err != nil || n.total == 0 {
		shows(ctx, in, nil)
		return nil, 0, err
	}
	if !n.sure {
		in.AtLeast()
	}
	items, err := readPage(ctx, db, in, pageOptions{filterFirst: in.filterFirst(n)})
	shows(ctx, in, items)
	return items, n.total, err
}

// shows sets the surrogate keys of a list. A list of products in stock changes when anything sells out.
func shows(ctx context.Context, in *ListRequest, items []catalogue.Product) {
	names := append(catalogue.ShownStock(items), events.ShownCatalogue)
	if in.InStockOnly {
		names = append(names, events.ShownStock)
	}
	web.SurrogateKeys(ctx, names...)
}

// pageOptions is how a page is read.
type pageOptions struct {
	filterFirst bool // what is wanted is found first and sorted then
	prefix      bool // the last word may go on
}

// filterFirst reports whether n products are collected first and then sorted.
func (in *ListRequest) filterFirst(n countResult) bool {
	switch {
	case in.Q != "":
		return n.about <= fewFound
	case in.hasCounters() && !in.usesKeyIndex(""):
		return false
	}
	return n.sure && n.total <= countTo
}

// readPage reads a page in its order.
func readPage(ctx context.Context, db web.Reader, in *ListRequest, r pageOptions) ([]catalogue.Product, error) {
	order, args := orders[in.Sort], in.args()
	args["unfinished"] = r.prefix
	rows, err := db.Query(ctx, `WITH page AS (`+in.pageSQL(order, r.filterFirst)+`)`+catalogue.SelectProducts+` ORDER BY `+order, args)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	items, err := pgx.CollectRows(rows, catalogue.ScanProduct)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return items, nil
}

// pageSQL selects the ids of a page. Few are found first and sorted then. Otherwise an index that has the order is read until
// the page is full.
func (in *ListRequest) pageSQL(order string, few bool) string {
	from := in.inOrder(order)
	if few {
		from = `SELECT p.* ` + in.matching(in.Q) + in.atMost()
	}
	return `SELECT p.product_id FROM (` + from + `) p ORDER BY ` + order + ` LIMIT @limit OFFSET @offset`
}

// atMost keeps the order outside, so that nothing is read in it: few are found as they were counted.
func (in *ListRequest) atMost() string {
	if in.usesKeyIndex(in.Q) {
		return ` OFFSET 0`
	}
	return upToCounted
}

// inOrder returns a statement that reads an index in the order of the list until the page is full: that of a tag, of the shop, of
// a store, or of each category or currency, merged. Postgres plans without the bounds of the page and would estimate a tenth of
// all products, so the statement has a literal limit above them.
func (in *ListRequest) inOrder(order string) string {
	table, where, f := `catalogue.products p`, onSale, in.Filter
	switch {
	case in.Q != "":
		where += ` AND p.words @@ (SELECT catalogue.query_of(@q, @unfinished))`
		if in.Tag != "" {
			where += ` AND p.tags @> ARRAY[@tag]`
		}
	case in.Tag != "":
		table, where = `catalogue.tagged p`, `p.tag = @tag`
	}
	var strands []string
	if in.CategoryID != "" && (in.Q != "" || in.Tag == "") {
		f.CategoryID = ""
		strands, where = append(strands, `unnest(catalogue.below(@category_id::text::uuid)) AS c (category_id)`), where+` AND p.category_id = c.category_id`
	}
	if in.priced() {
		strands, where = append(strands, `unnest(catalogue.currencies()) AS m (currency)`), where+` AND p.currency = m.currency`
	}
	first := `SELECT p.* FROM ` + table + ` WHERE ` + where + ` AND ` + f.where(inStockEach) + ` ORDER BY ` + order + in.first()
	if strands == nil {
		return first
	}
	return `
		SELECT p.*
		FROM ` + strings.Join(strands, ` CROSS JOIN `) + `
		CROSS JOIN LATERAL (SELECT * FROM (` + first + `) p LIMIT @limit::bigint + @offset::bigint) p`
}

// priced reports whether prices between bounds are wanted in their order, in any currency.
func (in *ListRequest) priced() bool {
	return strings.HasPrefix(in.Sort, "price") && in.Currency == "" && (in.MinPrice > 0 || in.MaxPrice > 0)
}

// first bounds a statement to a power of ten that the page is within.
func (in *ListRequest) first() string {
	n := int64(1000)
	for n < in.Offset()+in.Limit {
		n *= 10
	}
	return fmt.Sprintf(" LIMIT %d", n)
}

func (in *ListRequest) args() pgx.NamedArgs {
	args := in.Filter.args()
	args["q"], args["limit"], args["offset"] = in.Q, in.Limit, in.Offset()
	return args
}

// countResult is how many products a list has.
type countResult struct {
	total int64
	sure  bool  // false: there are more
	about int64 // how many there may be then
}

// estimate is how many of all products there may be if hits are some of them, found part by part from the last one on.
const estimate = `coalesce(count(*) * max(last.place) / greatest(max(last.place) - min(hits.place), 1), 0)`

// count returns how many products a list has: from the counters where they have it, otherwise by counting up to countTo.
func count(ctx context.Context, db web.Reader, in *ListRequest) (n countResult, err error) {
	if in.hasCounters() && in.Q == "" {
		n.total, err = readCount(ctx, db, in)
		return countResult{total: n.total, sure: true}, err
	}
	places := `0 AS place`
	if in.Q != "" {
		places = `p.place`
	}
	err = db.QueryRow(ctx, `
		SELECT count(*), `+estimate+`
		FROM (SELECT `+places+` `+in.matching(in.Q)+upToCounted+`) hits, (SELECT max(place) AS place FROM catalogue.products) last`,
		in.args()).Scan(&n.total, &n.about)
	if err != nil {
		return n, fmt.Errorf("count products: %w", err)
	}
	return countResult{min(n.total, countTo), n.total <= countTo, n.about}, nil
}

// readCount sums up the counters.
func readCount(ctx context.Context, db web.Reader, in *ListRequest) (total int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(c.products), 0)::bigint
		FROM catalogue.counts c
		JOIN catalogue.stores s USING (store_id)
		WHERE s.participating AND s.deleted_at IS NULL AND c.tag = @tag
		AND (@store_id = '' OR c.store_id = nullif(@store_id, '')::uuid)
		AND c.category_id = ANY ((SELECT CASE WHEN @category_id = '' THEN ARRAY['ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid]
			ELSE catalogue.below(nullif(@category_id, '')::uuid) END)::uuid[])`, in.Filter.args()).Scan(&total)
	if err != nil {
		return 0, fmt.Errorf("count products: %w", err)
	}
	return total, nil
}
