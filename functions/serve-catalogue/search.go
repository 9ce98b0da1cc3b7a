package servecatalogue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// SearchRequest searches products.
type SearchRequest struct {
	web.Paging
	Filter
	Q    string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"Words that must all occur."`
	Sort string `query:"sort" enum:"relevance,newest,name,price_asc,price_desc" default:"relevance"`
}

// SearchAnswer is a page of the matches, the best first.
type SearchAnswer struct {
	Body struct {
		web.Page[catalogue.Product]
		DidYouMean  string   `json:"did_you_mean,omitempty" doc:"The corrected search, where the given one has no match."`
		Suggestions []string `json:"suggestions" nullable:"false" doc:"Names of matching products."`
		Facets      Facets   `json:"facets" doc:"Facets of the first thousand matches."`
	}
}

// Facets are properties of the matches with their numbers, the most frequent first.
type Facets struct {
	Categories []Facet `json:"categories" nullable:"false"`
	Stores     []Facet `json:"stores" nullable:"false"`
	Tags       []Facet `json:"tags" nullable:"false"`
	Prices     []Range `json:"prices" nullable:"false"`
}

// Facet is a category, a store or a tag, with the number of matches.
type Facet struct {
	ID    string `json:"id" doc:"Value for the filter."`
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Range is a currency, the lowest and the highest price in it, and the number of matches.
type Range struct {
	Currency string `json:"currency"`
	Min      int64  `json:"min_minor"`
	Max      int64  `json:"max_minor"`
	Count    int64  `json:"count"`
}

// search is called by visitors. Without a match the last word is taken as a prefix, and then the spelling is corrected.
// Searches are counted without their callers.
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
		if answer.Body.DidYouMean, err = correctSpelling(ctx, db, in.Q); answer.Body.DidYouMean != "" {
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

// hits are the products with all words, up to 1,001.
type hits struct {
	query  string // instead of what was looked for
	prefix bool
	Total  int64
	About  int64    // how many there may be in all
	Page   []string // ids
	Names  []string // the best different ones
	Facets
}

// bySearch returns the hits of a search as one JSON object: total, estimate, page of ids, name suggestions and facets,
// over at most 1,001 matching products, the newest. With more matches the ranking is of little use. Suggestions are
// names of the fifty best matches.
const bySearch = `
		WITH query AS MATERIALIZED (
			SELECT catalogue.query_of(@q, @unfinished) AS words
		), hits AS MATERIALIZED (
			SELECT p.product_id, p.place, p.name, p.category_id, p.store_id, p.tags, p.currency, p.price_minor, p.created_at,
				ts_rank(p.words, (SELECT words FROM query)) AS rank
			FROM catalogue.asked(
				CASE WHEN @q <> '' THEN catalogue.query_of(@q, @unfinished) END,
				CASE WHEN @category_id <> '' THEN catalogue.below(nullif(@category_id, '')::uuid) END,
				nullif(@store_id, '')::uuid, nullif(@tag, '')) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p
				WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys AND p.active AND p.deleted_at IS NULL
				OFFSET 0) p
			WHERE p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1) -- if in_stock
			LIMIT 1001
		)
		SELECT json_build_object('Total', (SELECT count(*) FROM hits), 'About', (
			SELECT coalesce(count(*) * max(last.place) / greatest(max(last.place) - min(hits.place), 1), 0)
			FROM hits, (SELECT max(place) AS place FROM catalogue.products) last), 'Page', (
			SELECT coalesce(json_agg(product_id), '[]') FROM (
				SELECT product_id FROM hits p ORDER BY {order} LIMIT @limit OFFSET @offset) p), 'Names', (
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
				GROUP BY 1 ORDER BY 4 DESC, 1) f))`

// findHits runs one query for a search.
func findHits(ctx context.Context, db web.Reader, in *SearchRequest, query string, prefix bool) (h hits, err error) {
	list := in.list(query)
	args := list.args()
	args["unfinished"], args["suggest"] = prefix, suggestTo
	var text []byte
	err = db.QueryRow(ctx, list.write(bySearch), args).Scan(&text)
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return h, fmt.Errorf("search products: %w", err)
	}
	h.query, h.prefix = query, prefix
	return h, nil
}

// list returns the search as a list.
func (in *SearchRequest) list(query string) *ListRequest {
	return &ListRequest{Paging: in.Paging, Filter: in.Filter, Q: query, Sort: in.Sort}
}

// readHits returns the products of the page. An order other than relevance covers all matches, not only 1,001.
func readHits(ctx context.Context, db web.Reader, in *SearchRequest, h hits) ([]catalogue.Product, error) {
	if h.Total > countTo && in.Sort != "relevance" {
		return readPage(ctx, db, in.list(h.query), pageOptions{filterFirst: h.About <= fewFound, prefix: h.prefix})
	}
	rows, err := db.Query(ctx, `
		WITH page AS (SELECT * FROM unnest(@ids::uuid[]) WITH ORDINALITY AS p (product_id, place))
		`+catalogue.SelectProducts+` ORDER BY page.place`, pgx.NamedArgs{"ids": h.Page})
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	items, err := pgx.CollectRows(rows, catalogue.ScanProduct)
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	return items, nil
}

// noteSearch counts a search.
func noteSearch(ctx context.Context, db web.Reader, query string, found int64) error {
	rows, err := db.Query(ctx, `SELECT catalogue.note_search(@said, @found)`, pgx.NamedArgs{"said": query, "found": found})
	if err != nil {
		return fmt.Errorf("count a search: %w", err)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count a search: %w", err)
	}
	return nil
}
