package servecatalogue

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// FacetsRequest names the category and the tag that are chosen.
type FacetsRequest struct {
	CategoryID string `query:"category_id" format:"uuid" doc:"The category and all below it."`
	Tag        string `query:"tag" maxLength:"50"`
}

// CategoryCount is how many products on sale are in a category and below it.
type CategoryCount struct {
	CategoryID string `json:"category_id" format:"uuid"`
	Count      int64  `json:"count"`
}

// FacetsAnswer has the numbers of products that each next choice leads to.
type FacetsAnswer struct {
	Body struct {
		Categories []CategoryCount `json:"categories" nullable:"false" doc:"Those with products, with the chosen tag."`
		Tags       []Tag           `json:"tags" nullable:"false" doc:"The most frequent ones in the chosen category, at most 50."`
	}
}

// readFacets is called by visitors. It reads counters and no products.
func readFacets(ctx context.Context, db web.Reader, in *FacetsRequest) (*FacetsAnswer, error) {
	if in.CategoryID != "" && !id.Valid(in.CategoryID) {
		return nil, problem.Invalid(problem.FieldError{Field: "category_id", Message: "is not a UUID"})
	}
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	out := &FacetsAnswer{}
	var err error
	if out.Body.Categories, err = countByCategory(ctx, db, in.Tag); err != nil {
		return nil, err
	}
	out.Body.Tags, err = countByTagIn(ctx, db, in.CategoryID)
	return out, err
}

// countByCategory returns the categories with products that bear a tag, or any for "". A category has the products of those
// below it.
func countByCategory(ctx context.Context, db web.Reader, tag string) ([]CategoryCount, error) {
	tree, err := catalogue.ReadCategories(ctx, db, "")
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `
		SELECT c.category_id::text, sum(c.products)::bigint
		FROM catalogue.counts c
		JOIN catalogue.stores s USING (store_id)
		WHERE c.tag = @tag AND s.participating AND s.deleted_at IS NULL
		GROUP BY c.category_id`, pgx.NamedArgs{"tag": tag})
	if err != nil {
		return nil, fmt.Errorf("count products by category: %w", err)
	}
	counts := map[string]int64{}
	var of string
	var products int64
	_, err = pgx.ForEachRow(rows, []any{&of, &products}, func() error {
		counts[of] = products
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count products by category: %w", err)
	}
	facets := []CategoryCount{}
	for _, c := range slices.Backward(tree) { // each is before those below it
		counts[c.ParentID] += counts[c.ID]
		if counts[c.ID] > 0 {
			facets = append(facets, CategoryCount{c.ID, counts[c.ID]})
		}
	}
	slices.Reverse(facets)
	return facets, nil
}

// countByTagIn returns the tags of the products of a category and all below it, or of all products.
func countByTagIn(ctx context.Context, db web.Reader, categoryID string) ([]Tag, error) {
	rows, err := db.Query(ctx, `
		SELECT c.tag, sum(c.products)::bigint AS count
		FROM catalogue.counts c
		JOIN catalogue.stores s USING (store_id)
		WHERE c.tag <> '' AND s.participating AND s.deleted_at IS NULL
		AND c.category_id = ANY ((SELECT CASE WHEN @category_id = '' THEN ARRAY['ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid]
			ELSE catalogue.below(nullif(@category_id, '')::uuid) END)::uuid[])
		GROUP BY c.tag
		HAVING sum(c.products) > 0
		ORDER BY count DESC, c.tag
		LIMIT 50`, pgx.NamedArgs{"category_id": categoryID})
	if err != nil {
		return nil, fmt.Errorf("count products by tag: %w", err)
	}
	tags, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Tag])
	if err != nil {
		return nil, fmt.Errorf("count products by tag: %w", err)
	}
	return append([]Tag{}, tags...), nil
}
