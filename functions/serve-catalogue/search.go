package servecatalogue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// SearchRequest looks for products.
type SearchRequest struct {
	web.Paging
	Filter
	Q    string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"words that all must be found"`
	Sort string `query:"sort" enum:"relevance,newest,name,price_asc,price_desc" default:"relevance"`
}

// SearchAnswer is a page of what was found, the best first.
type SearchAnswer struct {
	Body struct {
		web.Page[Product]
		DidYouMean  string   `json:"did_you_mean,omitempty" doc:"what was looked for instead, since nothing was found"`
		Suggestions []string `json:"suggestions" nullable:"false" doc:"names to go on with"`
		Facets      Facets   `json:"facets" doc:"of all that was found, up to a thousand"`
	}
}

// Facets are what the products found have in common, with how many have it, the most frequent first.
type Facets struct {
	Categories []Facet `json:"categories" nullable:"false"`
	Stores     []Facet `json:"stores" nullable:"false"`
	Tags       []Facet `json:"tags" nullable:"false"`
	Prices     []Range `json:"prices" nullable:"false"`
}

// Facet is a category, a store or a tag, and how many of the products found have it.
type Facet struct {
	ID    string `json:"id" doc:"what the filter wants"`
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Range is a currency, the least and the highest price in it, and how many of the products found have a price in it.
type Range struct {
	Currency string `json:"currency"`
	Min      int64  `json:"min_minor"`
	Max      int64  `json:"max_minor"`
	Count    int64  `json:"count"`
}

// search is called by whoever looks for something. What is found nowhere may not be typed to its end, and then have slips of
// the finger. What was looked for is counted, and nobody's name with it.
func search(ctx context.Context, db web.Reader, in *SearchRequest) (*SearchAnswer, error) {
	if faults := in.Filter.faults(); faults != nil {
		return nil, problem.Invalid(faults...)
	}
	in.Limit = min(in.Limit, web.MaxLimit)
	answer := &SearchAnswer{}
	hits, err := findHits(ctx, db, in, in.Q, false)
	if err == nil && hits.Total == 0 {
		hits, err = findHits(ctx, db, in, in.Q, true)
	}
	if err == nil && hits.Total == 0 {
		if answer.Body.DidYouMean, err = meant(ctx, db, in.Q); answer.Body.DidYouMean != "" {
			hits, err = findHits(ctx, db, in, answer.Body.DidYouMean, false)
		}
	}
	if err != nil {
		return nil, err
	}
	items, err := readHits(ctx, db, in, hits)
	if err != nil {
		return nil, err
	}
	answer.Body.Page = web.PageOf(items, &in.Paging, min(hits.Total, countTo), hits.Total > countTo)
	answer.Body.Facets, answer.Body.Suggestions = hits.Facets, hits.Names
	return answer, noteSearch(ctx, db, in.Q, hits.Total)
}

// hits are what has all words, up to a thousand and one.
type hits struct {
	said       string // instead of what was looked for
	unfinished bool
	Total      int64
	About      int64    // how many there may be in all
	Page       []string // ids
	Names      []string // the best different ones
	Facets
}

// findHits looks at what has all words once, for everything that is told about it. The best are the best of a thousand, which are
// among the newest: where more have the words, the words tell little. Names to go on with are those of the fifty best.
func findHits(ctx context.Context, db web.Reader, in *SearchRequest, said string, unfinished bool) (h hits, err error) {
	list := in.list(said)
	args := list.args()
	args["unfinished"], args["suggest"] = unfinished, suggestTo
	var text []byte
	err = db.QueryRow(ctx, `
		WITH query AS MATERIALIZED (
			SELECT catalogue.query_of(@q, @unfinished) AS words
		), hits AS MATERIALIZED (
			SELECT p.product_id, p.place, p.name, p.category_id, p.store_id, p.tags, p.currency, p.price_minor, p.created_at,
				ts_rank(p.words, (SELECT words FROM query)) AS rank
			`+in.wanted(said)+upToCounted+`
		)
		SELECT json_build_object('Total', (SELECT count(*) FROM hits), 'About', (
			SELECT `+about+` FROM hits, (SELECT max(place) AS place FROM catalogue.products) last), 'Page', (
			SELECT coalesce(json_agg(product_id), '[]') FROM (
				SELECT product_id FROM hits p ORDER BY `+in.order()+` LIMIT @limit OFFSET @offset) p), 'Names', (
			SELECT coalesce(json_agg(name), '[]') FROM (
				SELECT name FROM (SELECT name, rank FROM hits ORDER BY rank DESC, length(name), name LIMIT 10 * @suggest) best
				GROUP BY name ORDER BY max(rank) DESC, length(name), name LIMIT @suggest) n), 'categories', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT c.category_id AS id, c.name, n AS count
				FROM (SELECT category_id, count(*) AS n FROM hits GROUP BY 1) h JOIN catalogue.categories c USING (category_id)
				ORDER BY 3 DESC, 1 LIMIT 20) f), 'stores', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT s.store_id AS id, s.name, n AS count
				FROM (SELECT store_id, count(*) AS n FROM hits GROUP BY 1) h JOIN catalogue.stores s USING (store_id)
				ORDER BY 3 DESC, 1 LIMIT 20) f), 'tags', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT tag AS id, tag AS name, sum(n)::bigint AS count
				FROM (SELECT tags, count(*) AS n FROM hits GROUP BY tags) h, unnest(tags) AS tag
				GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 20) f), 'prices', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT currency, min(price_minor) AS min_minor, max(price_minor) AS max_minor, count(*) FROM hits
				GROUP BY 1 ORDER BY 4 DESC, 1) f))`, args).Scan(&text)
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return h, fmt.Errorf("search products: %w", err)
	}
	h.said, h.unfinished = said, unfinished
	return h, nil
}

// list is the search as a list.
func (in *SearchRequest) list(said string) *ListRequest {
	return &ListRequest{Paging: in.Paging, Filter: in.Filter, Q: said, Sort: in.Sort}
}

func (in *SearchRequest) order() string {
	if in.Sort == "relevance" {
		return "p.rank DESC, p.product_id"
	}
	return orders[in.Sort]
}

// readHits reads the products of the page. An order other than the best first is kept over all that has the words.
func readHits(ctx context.Context, db web.Reader, in *SearchRequest, h hits) ([]Product, error) {
	if h.Total > countTo && in.Sort != "relevance" {
		return readPage(ctx, db, in.list(h.said), pageOptions{few: h.About <= fewFound, unfinished: h.unfinished})
	}
	rows, err := db.Query(ctx, `
		WITH page AS (SELECT * FROM unnest(@ids::uuid[]) WITH ORDINALITY AS p (product_id, place))
		`+selectProducts+` ORDER BY page.place`, pgx.NamedArgs{"ids": h.Page})
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	items, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	return items, nil
}

// noteSearch counts what was looked for.
func noteSearch(ctx context.Context, db web.Reader, said string, found int64) error {
	rows, err := db.Query(ctx, `SELECT catalogue.note_search(@said, @found)`, pgx.NamedArgs{"said": said, "found": found})
	if err != nil {
		return fmt.Errorf("count a search: %w", err)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count a search: %w", err)
	}
	return nil
}
