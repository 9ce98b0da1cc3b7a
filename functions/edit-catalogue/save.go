package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// AddRequest adds a product.
type AddRequest struct{ Body ProductBody }

// ChangeRequest replaces what a product is.
type ChangeRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body ProductBody
}

// add adds a product with its variants.
func add(ctx context.Context, tx pgx.Tx, in *AddRequest) (p catalogue.Product, emitted []events.Event, err error) {
	productID, err := uuid.NewV7()
	if err != nil {
		return p, nil, err
	}
	event, err := insertProduct(ctx, tx, productID.String(), &in.Body)
	if err == nil {
		err = createVariants(ctx, tx, event, &in.Body)
	}
	if err != nil {
		return p, nil, err
	}
	p, err = catalogue.ReadProduct(ctx, tx, event.ProductID)
	return p, []events.Event{*event}, err
}

// change replaces a product. It emits nothing when nothing differs.
func change(
	ctx context.Context, tx pgx.Tx, in *ChangeRequest,
) (p catalogue.Product, emitted []events.Event, err error) {
	if !id.Valid(in.ID) {
		return p, nil, problem.NotFound("product")
	}
	event, err := replace(ctx, tx, in.ID, &in.Body)
	if err != nil {
		return p, nil, err
	}
	if event != nil {
		emitted = []events.Event{*event}
	}
	p, err = catalogue.ReadProduct(ctx, tx, in.ID)
	return p, emitted, err
}

// replace replaces a product by the body. It returns nil when nothing differs.
func replace(ctx context.Context, tx pgx.Tx, productID string, b *ProductBody) (*events.ProductChanged, error) {
	was, err := lockProduct(ctx, tx, productID)
	if err == nil && was.SKU != b.SKU {
		err = mustBeSoldOut(ctx, tx, was.SKU)
	}
	if err == nil && was.Currency != b.Price.Currency && b.Variants == nil {
		err = mustHaveNoPrices(ctx, tx, productID)
	}
	if err != nil {
		return nil, err
	}
	event, err := updateProduct(ctx, tx, productID, b)
	if err != nil {
		return nil, err
	}
	varied, err := saveVariants(ctx, tx, productID, b.Variants)
	if err != nil || event == nil && !varied {
		return nil, err
	}
	if event == nil {
		event, err = touch(ctx, tx, productID)
	}
	if err == nil {
		err = createEmptyLevels(ctx, tx, productID)
	}
	return event, err
}

// createVariants gives a new product its variants, and all of them a stock level of 0.
func createVariants(ctx context.Context, tx pgx.Tx, made *events.ProductChanged, b *ProductBody) error {
	if _, err := saveVariants(ctx, tx, made.ProductID, b.Variants); err != nil {
		return err
	}
	return createEmptyLevels(ctx, tx, made.ProductID)
}

func (b *ProductBody) args(productID string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"product_id": productID, "store_id": b.StoreID, "category_id": b.CategoryID, "sku": b.SKU, "name": b.Name, "slug": b.Slug, "description": b.Description,
		"price_minor": b.Price.Minor, "currency": b.Price.Currency, "tags": b.Tags, "outside_number": b.OutsideNumber, "active": b.active(),
	}
}

// insertProduct adds a product to a store, which is not deleted until the transaction ends.
func insertProduct(ctx context.Context, tx pgx.Tx, productID string, b *ProductBody) (*events.ProductChanged, error) {
	event := &events.ProductChanged{ProductID: productID, StoreID: b.StoreID, Change: events.ChangeCreated}
	err := tx.QueryRow(ctx, `
		INSERT INTO catalogue.products (product_id, store_id, category_id, sku, name, slug, description, price_minor, currency, tags, outside_number,
			active)
		SELECT @product_id, store_id, nullif(@category_id, '')::uuid, @sku, @name, @slug, @description, @price_minor, @currency, @tags, @outside_number, @active
		FROM catalogue.stores
		WHERE store_id = @store_id AND deleted_at IS NULL
		FOR SHARE
		RETURNING version`, b.args(productID)).Scan(&event.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, unknownStore()
	}
	return event, constraintProblem(err, "add product "+productID)
}

// updateProduct changes what is different, and returns nil when nothing is.
func updateProduct(ctx context.Context, tx pgx.Tx, productID string, b *ProductBody) (*events.ProductChanged, error) {
	event := &events.ProductChanged{ProductID: productID, StoreID: b.StoreID, Change: events.ChangeUpdated}
	var different bool
	err := tx.QueryRow(ctx, `
		WITH store AS (
			SELECT store_id FROM catalogue.stores
			WHERE store_id = @store_id AND deleted_at IS NULL
			FOR SHARE
		), changed AS (
			UPDATE catalogue.products SET store_id = @store_id, category_id = nullif(@category_id, '')::uuid, sku = @sku, name = @name,
				slug = coalesce(nullif(catalogue.slug_of(@slug), ''), slug), description = @description, price_minor = @price_minor, currency = @currency, tags = @tags, outside_number = @outside_number, active = @active
			WHERE product_id = @product_id AND EXISTS (SELECT FROM store)
			AND (store_id, category_id, sku, name, slug, description, price_minor, currency, tags, outside_number, active) IS DISTINCT FROM
				(@store_id, nullif(@category_id, '')::uuid, @sku, @name, coalesce(nullif(catalogue.slug_of(@slug), ''), slug), @description, @price_minor, @currency, @tags, @outside_number, @active)
			RETURNING version
		)
		SELECT changed.version IS NOT NULL, coalesce(changed.version, 0)
		FROM store LEFT JOIN changed ON true`, b.args(productID)).Scan(&different, &event.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, unknownStore()
	}
	if err != nil || !different {
		return nil, constraintProblem(err, "change product "+productID)
	}
	return event, nil
}

func unknownStore() error {
	return problem.Invalid(problem.FieldError{Field: "store_id", Message: "is not a store of this shop"})
}

// mustHaveNoPrices rejects another currency for a product whose variants have prices of their own, which would be in
// that currency.
func mustHaveNoPrices(ctx context.Context, tx pgx.Tx, productID string) error {
	var skus string
	err := tx.QueryRow(ctx, `
		SELECT coalesce(string_agg(sku, ', ' ORDER BY position, variant_id), '')
		FROM catalogue.variants
		WHERE product_id = @product_id AND deleted_at IS NULL AND price_minor IS NOT NULL`,
		pgx.NamedArgs{"product_id": productID}).Scan(&skus)
	if err != nil {
		return fmt.Errorf("read prices of variants of product %s: %w", productID, err)
	}
	if skus != "" {
		return problem.Invalid(problem.FieldError{
			Field: "price.currency", Message: "needs new prices of these variants: " + skus,
		})
	}
	return nil
}

// locked is what a product was before a change.
type locked struct{ SKU, Currency string }

// lockProduct keeps others from changing a product and its variants.
func lockProduct(ctx context.Context, db web.Reader, productID string) (was locked, err error) {
	if !id.Valid(productID) {
		return was, problem.NotFound("product")
	}
	err = db.QueryRow(ctx, `
		SELECT p.sku, p.currency
		FROM catalogue.products p
		JOIN catalogue.stores s USING (store_id)
		WHERE p.product_id = @product_id AND p.deleted_at IS NULL AND s.deleted_at IS NULL
		FOR NO KEY UPDATE OF p`, pgx.NamedArgs{"product_id": productID}).Scan(&was.SKU, &was.Currency)
	if errors.Is(err, pgx.ErrNoRows) {
		return was, problem.NotFound("product")
	}
	if err != nil {
		return was, fmt.Errorf("lock product %s: %w", productID, err)
	}
	return was, nil
}

// touch increases the version of a product after a change elsewhere.
func touch(ctx context.Context, tx pgx.Tx, productID string) (*events.ProductChanged, error) {
	event := &events.ProductChanged{ProductID: productID, Change: events.ChangeUpdated}
	err := tx.QueryRow(ctx, `
		UPDATE catalogue.products SET updated_at = now()
		WHERE product_id = @product_id
		RETURNING store_id::text, version`, pgx.NamedArgs{"product_id": productID}).Scan(&event.StoreID, &event.Version)
	if err != nil {
		return nil, fmt.Errorf("touch product %s: %w", productID, err)
	}
	return event, nil
}

// mustBeSoldOut rejects a new SKU for something in stock: its goods are labelled with the old one.
func mustBeSoldOut(ctx context.Context, tx pgx.Tx, sku string) error {
	var goods int64
	err := tx.QueryRow(ctx, `
		SELECT coalesce(sum(on_hand), 0)::bigint
		FROM stock.levels
		WHERE sku = @sku`, pgx.NamedArgs{"sku": sku}).Scan(&goods)
	if err != nil {
		return fmt.Errorf("count goods of %s: %w", sku, err)
	}
	if goods > 0 {
		return problem.New(http.StatusConflict, "in-use", "There are goods in stock with the old SKU.").With("goods", goods)
	}
	return nil
}

// createEmptyLevels creates the missing stock levels of a product and its variants in the warehouse of their store,
// with 0 pieces.
func createEmptyLevels(ctx context.Context, tx pgx.Tx, productID string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO stock.levels (level_id, sku, warehouse_id)
		SELECT gen_random_uuid(), k.sku, s.warehouse_id
		FROM catalogue.skus k
		JOIN catalogue.products p USING (product_id)
		JOIN catalogue.stores s USING (store_id)
		WHERE k.product_id = @product_id
		ORDER BY k.sku
		ON CONFLICT (sku, warehouse_id) DO NOTHING`, pgx.NamedArgs{"product_id": productID})
	if err != nil {
		return fmt.Errorf("make levels of product %s: %w", productID, err)
	}
	return nil
}

// constraintProblem returns the problem for a violated constraint of the schema.
func constraintProblem(err error, doing string) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &pg):
	case pg.ConstraintName == "skus_pkey":
		return problem.New(http.StatusConflict, "sku-taken", "The SKU is used by another product or variant.")
	case pg.ConstraintName == "slugs_pkey":
		return problem.New(http.StatusConflict, "slug-taken", "The slug is or was that of something else.")
	case pg.ConstraintName == "categories_form_a_tree", pg.ConstraintName == "categories_not_their_own_parents":
		return problem.New(http.StatusConflict, "not-possible-now", "A category cannot be below itself.")
	case pg.ConstraintName == "categories_parent_id_fkey":
		return problem.Invalid(problem.FieldError{Field: "parent_id", Message: "is not a category of this shop"})
	case pg.ConstraintName == "products_category_id_fkey":
		return problem.Invalid(problem.FieldError{Field: "category_id", Message: "is not a category of this shop"})
	}
	return fmt.Errorf("%s: %w", doing, err)
}
