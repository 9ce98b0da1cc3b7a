package catalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Category is a node in the tree of categories. The roots are on level 1.
type Category struct {
	ID       string   `json:"id" format:"uuid"`
	Name     string   `json:"name"`
	Slug     string   `json:"slug" doc:"Its words in addresses. Old ones lead to the current one."`
	ParentID string   `json:"parent_id,omitempty" format:"uuid"`
	Level    int64    `json:"level"`
	ChildIDs []string `json:"child_ids" nullable:"false"`
}

// CategoryAnswer is a category.
type CategoryAnswer struct{ Body Category }

// ReadCategoryBySlug is ReadCategory by a slug that the category has or had.
func ReadCategoryBySlug(ctx context.Context, db web.Reader, slug string) (*CategoryAnswer, error) {
	var categoryID string
	err := db.QueryRow(ctx, `
		SELECT owner_id::text
		FROM catalogue.slugs
		WHERE kind = 'category' AND slug = catalogue.slug_of(@slug)`, pgx.NamedArgs{"slug": slug}).Scan(&categoryID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("category")
	}
	if err != nil {
		return nil, fmt.Errorf("find category %s: %w", slug, err)
	}
	return ReadCategory(ctx, db, categoryID)
}

// ReadCategory returns a category, or a problem if there is none.
func ReadCategory(ctx context.Context, db web.Reader, categoryID string) (*CategoryAnswer, error) {
	if !id.Valid(categoryID) {
		return nil, problem.NotFound("category")
	}
	items, err := ReadCategories(ctx, db, categoryID)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, problem.NotFound("category")
	}
	return &CategoryAnswer{items[0]}, nil
}

// ReadCategories returns all categories, each before those below it; with a categoryID only that one.
func ReadCategories(ctx context.Context, db web.Reader, categoryID string) ([]Category, error) {
	rows, err := db.Query(ctx, `
		WITH RECURSIVE tree AS (
			SELECT category_id, parent_id, name, slug, 1 AS level, ARRAY[name COLLATE "und-x-icu", category_id::text] AS path
			FROM catalogue.categories
			WHERE parent_id IS NULL
			UNION ALL
			SELECT c.category_id, c.parent_id, c.name, c.slug, t.level + 1, t.path || ARRAY[c.name COLLATE "und-x-icu", c.category_id::text]
			FROM catalogue.categories c
			JOIN tree t ON c.parent_id = t.category_id
		)
		SELECT category_id::text, name, slug, coalesce(parent_id::text, ''), level::bigint, ARRAY(
			SELECT c.category_id::text FROM catalogue.categories c WHERE c.parent_id = tree.category_id ORDER BY c.name COLLATE "und-x-icu", c.category_id)
		FROM tree
		WHERE @category_id = '' OR category_id = nullif(@category_id, '')::uuid
		ORDER BY path`, pgx.NamedArgs{"category_id": categoryID})
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Category])
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	return items, nil
}
