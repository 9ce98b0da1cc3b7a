package editcatalogue

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
)

// VariantAnswer is a variant.
type VariantAnswer struct{ Body catalogue.Variant }

// AddVariantRequest adds a variant to a product.
type AddVariantRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body VariantBody
}

// ChangeVariantRequest replaces what a variant is.
type ChangeVariantRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body VariantBody
}

// addVariant is called by staff, and by programs that keep the catalogue.
func addVariant(ctx context.Context, tx pgx.Tx, in *AddVariantRequest) (*VariantAnswer, []events.Event, error) {
	product, err := lockProduct(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	variantID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, in.ID, variantID.String(), product.Currency, `
		INSERT INTO catalogue.variants (variant_id, product_id, sku, name, attributes, price_minor, position)
		SELECT @variant_id, @product_id, @sku, @name, @attributes, @price_minor, coalesce(max(position) + 1, 0)
		FROM catalogue.variants
		WHERE product_id = @product_id`)
}

// changeVariant is called by staff, and by programs that keep the catalogue.
func changeVariant(ctx context.Context, tx pgx.Tx, in *ChangeVariantRequest) (*VariantAnswer, []events.Event, error) {
	productID, sku, err := variantOf(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	product, err := lockProduct(ctx, tx, productID)
	if err == nil && sku != in.Body.SKU {
		err = mustBeSoldOut(ctx, tx, sku)
	}
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, productID, in.ID, product.Currency, `
		UPDATE catalogue.variants SET sku = @sku, name = @name, attributes = @attributes, price_minor = @price_minor
		WHERE variant_id = @variant_id AND product_id = @product_id AND deleted_at IS NULL`)
}

// deleteVariant hides it: orders speak of it.
func deleteVariant(ctx context.Context, tx pgx.Tx, in *Request) (*struct{}, []events.Event, error) {
	productID, _, err := variantOf(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	if _, err := lockProduct(ctx, tx, productID); err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE catalogue.variants SET deleted_at = now()
		WHERE variant_id = @variant_id AND deleted_at IS NULL`, pgx.NamedArgs{"variant_id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("delete variant %s: %w", in.ID, err)
	}
	event, err := touch(ctx, tx, productID)
	if err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{*event}, nil
}
