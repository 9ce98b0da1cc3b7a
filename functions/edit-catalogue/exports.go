package editcatalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/tablecell"
	"github.com/popup-shop/popup/internal/web"
)

// ExportsRequest asks for the rows after a SKU.
type ExportsRequest struct {
	After string `query:"after" maxLength:"64" doc:"what the answer before named as next; none: from the first row on"`
}

// ExportsAnswer is up to 500 products as a table has them, by SKU.
type ExportsAnswer struct {
	Body struct {
		Rows  []ImportRow `json:"rows" nullable:"false" doc:"may be none though there are more, where many were deleted"`
		Next  string      `json:"next,omitempty" doc:"what to ask after next; none: that was all"`
		Total int64       `json:"total,omitempty" doc:"how many there are in all; with the first rows only"`
	}
}

// exportRows is called by staff, and by programs that keep the catalogue: it shows all that was not deleted, whether it
// is on sale or not, in the form that can be imported again.
func exportRows(ctx context.Context, db web.Reader, in *ExportsRequest) (*ExportsAnswer, error) {
	out := &ExportsAnswer{}
	names, err := readReferences(ctx, db)
	if err != nil {
		return nil, err
	}
	if out.Body.Rows, out.Body.Next, err = readRows(ctx, db, in.After, names); err != nil {
		return nil, err
	}
	if in.After == "" {
		out.Body.Total, err = countRows(ctx, db)
	}
	return out, err
}

// readRows reads the index of SKUs on from one, so far and no further, however many of them are of something deleted.
// OFFSET 0 keeps Postgres from reading all products for a page of them.
func readRows(
	ctx context.Context, db web.Reader, after string, names references,
) (found []ImportRow, next string, err error) {
	rows, err := db.Query(ctx, `
		WITH page AS MATERIALIZED (
			SELECT sku, product_id
			FROM catalogue.skus
			WHERE sku > @after AND variant_id IS NULL
			ORDER BY sku
			LIMIT 500
		)
		SELECT p.sku, p.name, p.description, p.price_minor, p.currency, coalesce(p.category_id::text, ''), p.tags, p.store_id::text, p.active,
			p.deleted_at IS NULL AND s.deleted_at IS NULL, (SELECT count(*) FROM page) = 500
		FROM page
		CROSS JOIN LATERAL (SELECT * FROM catalogue.products p WHERE p.product_id = page.product_id OFFSET 0) p
		JOIN catalogue.stores s USING (store_id)
		ORDER BY page.sku`, pgx.NamedArgs{"after": after})
	if err != nil {
		return nil, "", fmt.Errorf("read products after %q: %w", after, err)
	}
	var r ImportRow
	var there, more bool
	found = []ImportRow{}
	_, err = pgx.ForEachRow(rows, []any{
		&r.SKU, &r.Name, &r.Description, &r.Price.Minor, &r.Price.Currency, &r.Category, &r.Tags, &r.Store, &r.Active, &there, &more,
	}, func() error {
		if next = r.SKU; there {
			r.Category, r.Store = names.categories[r.Category], names.stores[r.Store]
			found = append(found, r)
		}
		r.Tags = nil // the next row's are its own
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read products after %q: %w", after, err)
	}
	if !more {
		next = ""
	}
	return found, next, nil
}

// references are the texts that name categories and stores, by their ids.
type references struct{ categories, stores map[string]string }

func readReferences(ctx context.Context, db web.Reader) (r references, err error) {
	tree, err := catalogue.ReadCategories(ctx, db, "")
	if err != nil {
		return r, err
	}
	stores, err := readStoreNames(ctx, db)
	if err != nil {
		return r, err
	}
	return references{tablecell.References(namesOf(tree)), tablecell.References(stores)}, nil
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
