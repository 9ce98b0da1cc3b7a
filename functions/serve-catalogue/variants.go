package servecatalogue

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/web"
)

// Variant is what a product is in one size, colour or whatever else.
type Variant struct {
	ID         string            `json:"id" format:"uuid"`
	ProductID  string            `json:"product_id" format:"uuid"`
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
	SKU        string            `json:"sku"`
	Price      money.Amount      `json:"price" doc:"that of the product where it has none of its own"`
	Stock      Stock             `json:"stock" readOnly:"true"`
}

// VariantsAnswer is all variants of a product, in the order that staff gave them.
type VariantsAnswer struct {
	Body struct {
		Items []Variant `json:"items" nullable:"false"`
	}
}

// VariantAnswer is a variant.
type VariantAnswer struct{ Body Variant }

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

// listVariants is called by visitors.
func listVariants(ctx context.Context, db web.Reader, in *Request) (*VariantsAnswer, error) {
	of, err := read(ctx, db, in) // which have the surrogate keys
	if err != nil {
		return nil, err
	}
	out := &VariantsAnswer{}
	if out.Body.Items, err = readVariants(ctx, db, of.Body.ID, ""); err != nil {
		return nil, err
	}
	return out, nil
}

// addVariant is called by staff, and by programs that keep the catalogue.
func addVariant(ctx context.Context, tx pgx.Tx, in *AddVariantRequest) (*VariantAnswer, []events.Event, error) {
	currency, err := lockCurrency(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	variantID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, in.ID, variantID.String(), currency, `
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
	currency, err := lockCurrency(ctx, tx, productID)
	if err == nil && sku != in.Body.SKU {
		err = mustBeSoldOut(ctx, tx, sku)
	}
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, productID, in.ID, currency, `
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
	said, err := touch(ctx, tx, productID)
	if err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{*said}, nil
}
