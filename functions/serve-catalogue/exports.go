package servecatalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/web"
)

// ExportsRequest asks for the rows after a SKU.
type ExportsRequest struct {
	After string `query:"after" maxLength:"64" doc:"the SKU of the last row that one has; none: from the first on"`
}

// ExportsAnswer is up to 500 products as a table has them, by SKU.
type ExportsAnswer struct {
	Body struct {
		Rows  []ImportRow `json:"rows" nullable:"false" doc:"none: that was all"`
		Total int64       `json:"total,omitempty" doc:"how many there are in all; with the first rows only"`
	}
}

// exportRows is called by staff, and by programs that keep the catalogue: it shows all that was not deleted, whether it is on
// sale or not, in the form that can be imported again.
func exportRows(ctx context.Context, db web.Reader, in *ExportsRequest) (*ExportsAnswer, error) {
	out := &ExportsAnswer{}
	tree, err := readTree(ctx, db, "")
	if err != nil {
		return nil, err
	}
	if out.Body.Rows, err = readRows(ctx, db, in.After, pathsOf(tree)); err != nil {
		return nil, err
	}
	if in.After == "" {
		out.Body.Total, err = countRows(ctx, db)
	}
	return out, err
}

// readRows reads the index of SKUs on from one. Postgres would think of a tenth of all if it did not see the bound.
func readRows(ctx context.Context, db web.Reader, after string, paths map[string]string) ([]ImportRow, error) {
	rows, err := db.Query(ctx, `
		SELECT p.sku, p.name, p.description, p.price_minor, p.currency, coalesce(p.category_id::text, ''), p.tags, s.name, p.active
		FROM catalogue.skus k
		JOIN catalogue.products p USING (product_id)
		JOIN catalogue.stores s USING (store_id)
		WHERE k.sku > @after AND k.variant_id IS NULL AND p.deleted_at IS NULL AND s.deleted_at IS NULL
		ORDER BY k.sku
		LIMIT 500`, pgx.NamedArgs{"after": after})
	if err != nil {
		return nil, fmt.Errorf("read products after %q: %w", after, err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ImportRow, err error) {
		err = row.Scan(&r.SKU, &r.Name, &r.Description, &r.Price.Minor, &r.Price.Currency, &r.Category, &r.Tags, &r.Store, &r.Active)
		r.Category = paths[r.Category]
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read products after %q: %w", after, err)
	}
	return found, nil
}

func countRows(ctx context.Context, db web.Reader) (total int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT count(*)
		FROM catalogue.products p
		JOIN catalogue.stores s USING (store_id)
		WHERE p.deleted_at IS NULL AND s.deleted_at IS NULL`).Scan(&total)
	if err != nil {
		return 0, fmt.Errorf("count products: %w", err)
	}
	return total, nil
}
