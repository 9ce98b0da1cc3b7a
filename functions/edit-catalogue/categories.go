package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// CategoryBody is the input for a category.
type CategoryBody struct {
	Name     string `json:"name" maxLength:"200"`
	ParentID string `json:"parent_id,omitempty" format:"uuid" doc:"Empty for a root."`
	Slug     string `json:"slug,omitempty" maxLength:"80" doc:"Its words in addresses; by default they are made from the name."`
}

// AddCategoryRequest adds a category.
type AddCategoryRequest struct{ Body CategoryBody }

// ChangeCategoryRequest renames or moves a category, with all that is below it.
type ChangeCategoryRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body CategoryBody
}

// addCategory is called by staff, and by programs that keep the catalogue.
func addCategory(
	ctx context.Context, tx pgx.Tx, in *AddCategoryRequest,
) (*catalogue.CategoryAnswer, []events.Event, error) {
	categoryID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, events.CategoryChanged{CategoryID: categoryID.String(), Change: events.ChangeCreated}, `
		INSERT INTO catalogue.categories (category_id, name, parent_id, slug)
		VALUES (@category_id, @name, nullif(@parent_id, '')::uuid, @slug)`)
}

// changeCategory is called by staff, and by programs that keep the catalogue.
func changeCategory(
	ctx context.Context, tx pgx.Tx, in *ChangeCategoryRequest,
) (*catalogue.CategoryAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("category")
	}
	return in.Body.store(ctx, tx, events.CategoryChanged{CategoryID: in.ID, Change: events.ChangeUpdated}, `
		UPDATE catalogue.categories SET name = @name, parent_id = nullif(@parent_id, '')::uuid, slug = coalesce(nullif(@slug, ''), slug)
		WHERE category_id = @category_id`)
}

// Resolve returns every field that is wrong.
func (b *CategoryBody) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	var faults faults
	faults.text("name", b.Name)
	if b.ParentID != "" {
		faults.uuid("parent_id", b.ParentID)
	}
	faults.slug("slug", b.Slug)
	return web.FieldErrors(at, faults)
}

// store stores a category and returns it.
func (b CategoryBody) store(
	ctx context.Context, tx pgx.Tx, event events.CategoryChanged, sql string,
) (*catalogue.CategoryAnswer, []events.Event, error) {
	stored, err := tx.Exec(ctx, sql, pgx.NamedArgs{
		"category_id": event.CategoryID, "name": b.Name, "parent_id": b.ParentID, "slug": b.Slug,
	})
	if err != nil {
		return nil, nil, constraintProblem(err, "store category "+event.CategoryID)
	}
	if stored.RowsAffected() == 0 {
		return nil, nil, problem.NotFound("category")
	}
	items, err := catalogue.ReadCategories(ctx, tx, event.CategoryID)
	if err != nil {
		return nil, nil, err
	}
	return &catalogue.CategoryAnswer{Body: items[0]}, []events.Event{event}, nil
}

// deleteCategory is called by staff, and by programs that keep the catalogue. It rejects a category with products or
// children.
func deleteCategory(ctx context.Context, tx pgx.Tx, in *Request) (*struct{}, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("category")
	}
	if err := mustBeEmpty(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	if err := forgetCategory(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	_, err := tx.Exec(ctx, `DELETE FROM catalogue.categories WHERE category_id = @category_id`,
		pgx.NamedArgs{"category_id": in.ID})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23503" { // something was added to it meanwhile
		return nil, nil, categoryInUse()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("delete category %s: %w", in.ID, err)
	}
	return &struct{}{}, []events.Event{events.CategoryChanged{CategoryID: in.ID, Change: events.ChangeDeleted}}, nil
}

func categoryInUse() *problem.Problem {
	return problem.New(http.StatusConflict, "in-use", "The category has products or subcategories.")
}

// mustBeEmpty returns a problem when a category has visible products or children.
func mustBeEmpty(ctx context.Context, tx pgx.Tx, categoryID string) error {
	var products, children int64
	err := tx.QueryRow(ctx, `
		SELECT (
			SELECT count(*)
			FROM catalogue.products p JOIN catalogue.stores s USING (store_id)
			WHERE p.category_id = c.category_id AND p.deleted_at IS NULL AND s.deleted_at IS NULL), (
			SELECT count(*) FROM catalogue.categories b WHERE b.parent_id = c.category_id)
		FROM catalogue.categories c
		WHERE c.category_id = @category_id`, pgx.NamedArgs{"category_id": categoryID}).Scan(&products, &children)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return problem.NotFound("category")
	case err != nil:
		return fmt.Errorf("count what is in category %s: %w", categoryID, err)
	case products+children > 0:
		return categoryInUse().With("products", products).With("children", children)
	}
	return nil
}

// forgetCategory removes a category from hidden products.
func forgetCategory(ctx context.Context, tx pgx.Tx, categoryID string) error {
	_, err := tx.Exec(ctx, `
		UPDATE catalogue.products SET category_id = NULL
		WHERE category_id = @category_id
		AND (deleted_at IS NOT NULL OR store_id IN (SELECT store_id FROM catalogue.stores WHERE deleted_at IS NOT NULL))`, pgx.NamedArgs{"category_id": categoryID})
	if err != nil {
		return fmt.Errorf("forget category %s: %w", categoryID, err)
	}
	return nil
}
