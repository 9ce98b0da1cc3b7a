package servecatalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/web"
)

// ListRequest asks for a page of products.
type ListRequest struct {
	web.Paging
	Filter
	Q    string `query:"q" maxLength:"100" doc:"words that all must be found"`
	Sort string `query:"sort" enum:"newest,name,price_asc,price_desc" default:"newest"`
}

// orders are those that a list can have, each with the index it is read from.
var orders = map[string]string{
	"newest":     "p.created_at DESC, p.product_id",
	"name":       "p.name, p.product_id",
	"price_asc":  "p.currency, p.price_minor, p.product_id",
	"price_desc": "p.currency DESC, p.price_minor DESC, p.product_id DESC",
}

// list shows what is on sale.
func list(ctx context.Context, db web.Reader, in *ListRequest) ([]Product, int64, error) {
	if faults := in.Filter.faults(); faults != nil {
		return nil, 0, web.Invalid(faults...)
	}
	total, sure, err := count(ctx, db, in)
	if err != nil || total == 0 {
		shows(ctx, in, nil)
		return nil, 0, err
	}
	if !sure {
		in.AtLeast()
	}
	items, err := readPage(ctx, db, in, total)
	shows(ctx, in, items)
	return items, total, err
}

// shows says what a list shows. One of what is in stock is another one when anything sells out.
func shows(ctx context.Context, in *ListRequest, items []Product) {
	names := append(shownOf(items), events.ShownCatalogue)
	if in.InStockOnly {
		names = append(names, events.ShownStock)
	}
	web.Shows(ctx, names...)
}

// readPage reads a page in its order.
func readPage(ctx context.Context, db web.Reader, in *ListRequest, total int64) ([]Product, error) {
	order := orders[in.Sort]
	rows, err := db.Query(ctx, `WITH page AS (`+in.pageSQL(order, total)+`)`+selectProducts+` ORDER BY `+order, in.args())
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	items, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return items, nil
}

// pageSQL selects the ids of a page. Few that have a tag or words are found first and sorted then. Otherwise the index that has
// the order is read until the page is full: that of the shop, of a store, or of each category below the asked one, where the
// first of each are enough to know the first of all. Postgres plans without knowing the bounds of the page and would think of a
// tenth of all products; so it is told a number that they are surely below.
func (in *ListRequest) pageSQL(order string, total int64) string {
	few := total <= fewProducts && (in.Tag != "" || in.Q != "")
	where, first := in.where(in.Q, few), in.first()
	from := `SELECT p.* FROM catalogue.products p WHERE ` + where + in.inCategories() + ` ORDER BY ` + order + first
	switch {
	case few: // OFFSET 0 keeps the order outside: nothing is read in it
		from = `SELECT * FROM catalogue.products p WHERE ` + where + in.inCategories() + ` OFFSET 0`
	case in.CategoryID != "":
		from = `
			SELECT p.*
			FROM unnest(catalogue.below(@category_id::text::uuid)) AS c (category_id)
			CROSS JOIN LATERAL (
				SELECT * FROM (
					SELECT * FROM catalogue.products p
					WHERE p.category_id = c.category_id AND ` + where + `
					ORDER BY ` + order + first + `) p
				LIMIT @limit::bigint + @offset::bigint) p`
	}
	return `SELECT p.product_id FROM (` + from + `) p ORDER BY ` + order + ` LIMIT @limit OFFSET @offset`
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
	args["q"], args["unfinished"], args["limit"], args["offset"] = in.Q, false, in.Limit, in.Offset()
	return args
}

// count is how many products a list has. It is read from the counts where they tell. Otherwise it is counted, but not further
// than people care; then it is not sure.
func count(ctx context.Context, db web.Reader, in *ListRequest) (total int64, sure bool, err error) {
	if !in.countable() || in.Q != "" {
		err = db.QueryRow(ctx, `
			SELECT count(*)
			FROM (SELECT FROM catalogue.products p WHERE `+in.where(in.Q, true)+in.inCategories()+upToCounted+`) p`, in.args()).Scan(&total)
		if err != nil {
			return 0, false, fmt.Errorf("count products: %w", err)
		}
		return min(total, countTo), total <= countTo, nil
	}
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(c.products), 0)::bigint
		FROM catalogue.counts c
		JOIN catalogue.stores s USING (store_id)
		WHERE s.participating AND s.deleted_at IS NULL AND c.tag = @tag
		AND (@store_id = '' OR c.store_id = nullif(@store_id, '')::uuid)
		AND c.category_id = ANY ((SELECT CASE WHEN @category_id = '' THEN ARRAY['ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid]
			ELSE catalogue.below(nullif(@category_id, '')::uuid) END)::uuid[])`, in.Filter.args()).Scan(&total)
	if err != nil {
		return 0, false, fmt.Errorf("count products: %w", err)
	}
	return total, true, nil
}
