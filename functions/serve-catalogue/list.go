package servecatalogue

import (
	"context"
	"fmt"

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
	Q     string `query:"q" maxLength:"100" doc:"Words that must all occur."`
	Sort  string `query:"sort" enum:"newest,name,price_asc,price_desc" default:"newest"`
	After string `query:"after" maxLength:"2000" doc:"The next of the page before, instead of page: for lists of any length."`

	cursor cursor // that After is
}

// list returns a page of the products on sale.
func list(ctx context.Context, db web.Reader, in *ListRequest) ([]catalogue.Product, int64, error) {
	faults := append(in.Filter.faults(), in.readCursor()...)
	if faults != nil {
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
	if int64(len(items)) == in.Limit {
		in.SetNext(cursorOf(in.Sort, items[len(items)-1]).String())
	}
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
	case in.hasCounters() && !in.usesKeyIndex():
		return false
	}
	return n.sure && n.total <= countTo
}

// readPage reads a page in its order.
func readPage(ctx context.Context, db web.Reader, in *ListRequest, o pageOptions) ([]catalogue.Product, error) {
	args := in.args()
	args["unfinished"] = o.prefix
	rows, err := db.Query(ctx, in.page(o.filterFirst), args)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	items, err := pgx.CollectRows(rows, catalogue.ScanProduct)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return items, nil
}

// page returns the statement that reads a page.
func (in *ListRequest) page(filterFirst bool) string {
	return in.write(`
	WITH page AS (` + in.plan(filterFirst) + `
	)` + catalogue.SelectProducts + `
	ORDER BY {order}`)
}

// plan returns the statement that selects the ids of a page.
func (in *ListRequest) plan(filterFirst bool) string {
	switch {
	case filterFirst && in.usesKeyIndex():
		return byKeys
	case filterFirst && in.Tag != "":
		return byTagSorted
	case filterFirst:
		return byIndexSorted
	case in.Tag != "" && in.Q == "":
		return byTag
	}
	return byIndex
}

// countPlan returns the statement that counts products up to 1,001, and estimates how many there are in all.
func (in *ListRequest) countPlan() string {
	switch {
	case in.usesKeyIndex():
		return countByKeys
	case in.Tag != "":
		return countByTag
	}
	return countByIndex
}

func (in *ListRequest) args() pgx.NamedArgs {
	args := in.Filter.args()
	args["q"], args["limit"], args["offset"] = in.Q, in.Limit, in.Offset()
	in.cursor.add(args)
	return args
}

// countResult is how many products a list has.
type countResult struct {
	total int64
	sure  bool  // false: there are more
	about int64 // how many there may be then
}

// count returns how many products a list has: from the counters where they have it, otherwise by counting up to
// countTo.
func count(ctx context.Context, db web.Reader, in *ListRequest) (n countResult, err error) {
	if in.hasCounters() && in.Q == "" {
		n.total, err = readCount(ctx, db, in)
		return countResult{total: n.total, sure: true}, err
	}
	err = db.QueryRow(ctx, in.write(in.countPlan()), in.args()).Scan(&n.total, &n.about)
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
