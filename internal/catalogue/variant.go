package catalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

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

// ReadVariants returns the variants of a product that are not deleted, in their order; with a variantID only that one.
func ReadVariants(ctx context.Context, db web.Reader, productID, variantID string) ([]Variant, error) {
	rows, err := db.Query(ctx, `
		SELECT v.variant_id::text, v.product_id::text, v.name, v.attributes, v.sku, coalesce(v.price_minor, p.price_minor), p.currency,
			coalesce(l.available, 0), l.updated_at
		FROM catalogue.variants v
		JOIN catalogue.products p USING (product_id)
		CROSS JOIN LATERAL (
			SELECT sum(on_hand - reserved)::bigint AS available, max(updated_at) AS updated_at FROM stock.levels WHERE sku = v.sku) l
		WHERE v.product_id = @product_id AND v.deleted_at IS NULL AND (@variant_id = '' OR v.variant_id = nullif(@variant_id, '')::uuid)
		ORDER BY v.position, v.variant_id`, pgx.NamedArgs{"product_id": productID, "variant_id": variantID})
	if err != nil {
		return nil, fmt.Errorf("read variants of product %s: %w", productID, err)
	}
	items, err := pgx.CollectRows(rows, scanVariant)
	if err != nil {
		return nil, fmt.Errorf("read variants of product %s: %w", productID, err)
	}
	return items, nil
}

func scanVariant(row pgx.CollectableRow) (v Variant, err error) {
	err = row.Scan(&v.ID, &v.ProductID, &v.Name, &v.Attributes, &v.SKU, &v.Price.Minor, &v.Price.Currency,
		&v.Stock.Available, &v.Stock.UpdatedAt)
	return v, err
}
