package editcatalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// variantOf finds the product of a variant, and its SKU.
func variantOf(ctx context.Context, db web.Reader, variantID string) (productID, sku string, err error) {
	if !id.Valid(variantID) {
		return "", "", problem.NotFound("variant")
	}
	err = db.QueryRow(ctx, `
		SELECT product_id::text, sku
		FROM catalogue.variants
		WHERE variant_id = @variant_id AND deleted_at IS NULL`, pgx.NamedArgs{"variant_id": variantID}).Scan(&productID, &sku)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", problem.NotFound("variant")
	}
	if err != nil {
		return "", "", fmt.Errorf("find variant %s: %w", variantID, err)
	}
	return productID, sku, nil
}

// store puts one variant into the catalogue, and shows it.
func (b VariantBody) store(
	ctx context.Context, tx pgx.Tx, productID, variantID, currency, sql string,
) (*VariantAnswer, []events.Event, error) {
	var faults faults
	if faults.variant("", b, currency); faults != nil {
		return nil, nil, faults.problem()
	}
	row := b.row(variantID, 0)
	tag, err := tx.Exec(ctx, sql, pgx.NamedArgs{
		"variant_id": variantID, "product_id": productID, "sku": row.SKU, "name": row.Name, "attributes": row.Attributes, "price_minor": row.PriceMinor,
	})
	if err != nil {
		return nil, nil, constraintProblem(err, "store variant "+variantID)
	}
	if tag.RowsAffected() == 0 {
		return nil, nil, problem.NotFound("variant")
	}
	if err := createEmptyLevels(ctx, tx, productID); err != nil {
		return nil, nil, err
	}
	event, err := touch(ctx, tx, productID)
	if err != nil {
		return nil, nil, err
	}
	items, err := catalogue.ReadVariants(ctx, tx, productID, variantID)
	if err == nil && len(items) != 1 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read variant %s: %w", variantID, err)
	}
	return &VariantAnswer{items[0]}, []events.Event{*event}, nil
}

// variantRow is a variant as the table has it.
type variantRow struct {
	VariantID  string            `json:"variant_id"`
	SKU        string            `json:"sku"`
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
	PriceMinor *int64            `json:"price_minor"`
	Position   int               `json:"position"`
}

func (b VariantBody) row(variantID string, position int) variantRow {
	row := variantRow{VariantID: variantID, SKU: b.SKU, Name: b.Name, Attributes: b.Attributes, Position: position}
	if row.Attributes == nil {
		row.Attributes = map[string]string{}
	}
	if b.Price != nil {
		row.PriceMinor = &b.Price.Minor
	}
	return row
}

// saveVariants makes the variants of a product those that are given, in one statement: what has a SKU that it had stays
// the same variant. Without any given, nothing changes.
func saveVariants(ctx context.Context, tx pgx.Tx, productID string, given []VariantBody) (changed bool, err error) {
	if given == nil {
		return false, nil
	}
	all := make([]variantRow, len(given))
	for i, b := range given {
		variantID, err := uuid.NewV7()
		if err != nil {
			return false, err
		}
		all[i] = b.row(variantID.String(), i)
	}
	err = tx.QueryRow(ctx, `
		WITH given AS (
			SELECT * FROM jsonb_to_recordset(@variants::jsonb) AS g (variant_id uuid, sku text, name text, attributes jsonb, price_minor bigint, position integer)
		), own AS (
			SELECT sku, variant_id FROM catalogue.skus WHERE product_id = @product_id AND variant_id IS NOT NULL
		), changed AS (
			UPDATE catalogue.variants v SET name = g.name, attributes = g.attributes, price_minor = g.price_minor, position = g.position, deleted_at = NULL
			FROM given g
			WHERE v.product_id = @product_id AND v.sku = g.sku AND EXISTS (SELECT FROM own WHERE own.variant_id = v.variant_id) AND (v.deleted_at IS NOT NULL
				OR (v.name, v.attributes, v.price_minor, v.position) IS DISTINCT FROM (g.name, g.attributes, g.price_minor, g.position))
			RETURNING 1
		), gone AS (
			UPDATE catalogue.variants v SET deleted_at = now()
			WHERE v.product_id = @product_id AND v.deleted_at IS NULL AND v.sku NOT IN (SELECT sku FROM given)
			RETURNING 1
		), added AS (
			INSERT INTO catalogue.variants (variant_id, product_id, sku, name, attributes, price_minor, position)
			SELECT g.variant_id, @product_id, g.sku, g.name, g.attributes, g.price_minor, g.position
			FROM given g
			WHERE NOT EXISTS (SELECT FROM own WHERE own.sku = g.sku)
			RETURNING 1
		)
		SELECT EXISTS (SELECT FROM changed UNION ALL SELECT FROM gone UNION ALL SELECT FROM added)`,
		pgx.NamedArgs{"product_id": productID, "variants": all}).Scan(&changed)
	return changed, constraintProblem(err, "save variants of product "+productID)
}
