package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

// restore is called by staff, and by programs that keep the catalogue. It shows a deleted product again, with the
// variants that it had; one that is not deleted stays as it is.
func (h handler) restore(ctx context.Context, tx pgx.Tx, in *Request) (*Answer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("product")
	}
	if err := mustOwnSKUs(ctx, tx, in.ID, ""); err != nil {
		return nil, nil, err
	}
	event, err := unhide(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	var emitted []events.Event
	if event != nil {
		emitted = []events.Event{*event}
	}
	p, err := catalogue.ReadProduct(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	return h.answer(p), emitted, nil
}

// unhide marks a product as not deleted. It returns nil if there is no such deleted product.
func unhide(ctx context.Context, tx pgx.Tx, productID string) (*events.ProductChanged, error) {
	event := &events.ProductChanged{ProductID: productID, Change: events.ChangeUpdated}
	err := tx.QueryRow(ctx, `
		UPDATE catalogue.products SET deleted_at = NULL
		WHERE product_id = @product_id AND deleted_at IS NOT NULL
		RETURNING store_id::text, version`, pgx.NamedArgs{"product_id": productID}).Scan(&event.StoreID, &event.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, constraintProblem(err, "restore product "+productID)
	}
	return event, nil
}

// restoreVariant is called by staff, and by programs that keep the catalogue.
func restoreVariant(ctx context.Context, tx pgx.Tx, in *Request) (*VariantAnswer, []events.Event, error) {
	productID, err := deletedVariantOf(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	if _, err := lockProduct(ctx, tx, productID); err != nil {
		return nil, nil, err
	}
	err = mustOwnSKUs(ctx, tx, productID, in.ID)
	if err == nil {
		err = mustHaveItsCurrency(ctx, tx, in.ID)
	}
	if err != nil {
		return nil, nil, err
	}
	emitted, err := unhideVariant(ctx, tx, productID, in.ID)
	if err != nil {
		return nil, nil, err
	}
	items, err := catalogue.ReadVariants(ctx, tx, productID, in.ID)
	if err == nil && len(items) != 1 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read variant %s: %w", in.ID, err)
	}
	return &VariantAnswer{items[0]}, emitted, nil
}

func unhideVariant(ctx context.Context, tx pgx.Tx, productID, variantID string) ([]events.Event, error) {
	restored, err := tx.Exec(ctx, `
		UPDATE catalogue.variants SET deleted_at = NULL
		WHERE variant_id = @variant_id AND deleted_at IS NOT NULL`, pgx.NamedArgs{"variant_id": variantID})
	if err != nil {
		return nil, constraintProblem(err, "restore variant "+variantID)
	}
	if restored.RowsAffected() == 0 {
		return nil, nil
	}
	event, err := touch(ctx, tx, productID)
	if err != nil {
		return nil, err
	}
	return []events.Event{*event}, nil
}

// deletedVariantOf returns the product of a variant, deleted or not.
func deletedVariantOf(ctx context.Context, tx pgx.Tx, variantID string) (productID string, err error) {
	if !id.Valid(variantID) {
		return "", problem.NotFound("variant")
	}
	err = tx.QueryRow(ctx, `SELECT product_id::text FROM catalogue.variants WHERE variant_id = @variant_id`,
		pgx.NamedArgs{"variant_id": variantID}).Scan(&productID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", problem.NotFound("variant")
	}
	if err != nil {
		return "", fmt.Errorf("find variant %s: %w", variantID, err)
	}
	return productID, nil
}

// mustOwnSKUs rejects the restoration of a product, or of one variant, whose SKUs are used by something else now, and
// names them.
func mustOwnSKUs(ctx context.Context, tx pgx.Tx, productID, variantID string) error {
	args := pgx.NamedArgs{"product_id": productID, "variant_id": variantID}
	var lost []string
	err := tx.QueryRow(ctx, `
		SELECT coalesce(array_agg(sku ORDER BY sku), '{}')
		FROM (
			SELECT sku, product_id, NULL::uuid AS variant_id
			FROM catalogue.products
			WHERE product_id = @product_id AND @variant_id = ''
			UNION ALL
			SELECT sku, product_id, variant_id
			FROM catalogue.variants
			WHERE product_id = @product_id AND (deleted_at IS NULL AND @variant_id = '' OR variant_id = nullif(@variant_id, '')::uuid)
		) own
		WHERE NOT EXISTS (
			SELECT FROM catalogue.skus k
			WHERE (k.sku, k.product_id) = (own.sku, own.product_id) AND k.variant_id IS NOT DISTINCT FROM own.variant_id)`,
		args).Scan(&lost)
	if err != nil {
		return fmt.Errorf("find SKUs of product %s: %w", productID, err)
	}
	if len(lost) > 0 {
		return problem.New(http.StatusConflict, "sku-taken", "The SKU is used by another product or variant.").With("skus", lost)
	}
	return nil
}

// mustHaveItsCurrency rejects the restoration of a variant with a price of its own, if the product had another currency
// when the variant was deleted.
func mustHaveItsCurrency(ctx context.Context, tx pgx.Tx, variantID string) error {
	var other bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT FROM catalogue.variants v
			JOIN catalogue.products p USING (product_id)
			JOIN catalogue.prices old ON old.product_id = v.product_id AND old.variant_id IS NULL AND old.until >= v.deleted_at
			WHERE v.variant_id = @variant_id AND v.price_minor IS NOT NULL AND old.currency <> p.currency)`,
		pgx.NamedArgs{"variant_id": variantID}).Scan(&other)
	if err != nil {
		return fmt.Errorf("read currency of variant %s: %w", variantID, err)
	}
	if other {
		return problem.New(http.StatusConflict, "not-possible-now",
			"The variant has a price in the former currency of its product. Add it anew.")
	}
	return nil
}
