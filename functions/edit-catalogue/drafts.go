package editcatalogue

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// DraftsRequest asks for a page of the products that are not on sale.
type DraftsRequest struct {
	web.Paging
	Q string `query:"q" maxLength:"100" doc:"A part of the name or SKU."`
}

// listDrafts is called by staff, and by programs that keep the catalogue: visitors do not see these products.
func (h handler) listDrafts(ctx context.Context, db web.Reader, in *DraftsRequest) ([]catalogue.Product, int64, error) {
	items, total, err := web.QueryPage(ctx, db, catalogue.ScanProduct, `
		FROM catalogue.products p
		JOIN catalogue.stores s USING (store_id)
		CROSS JOIN LATERAL (
			SELECT sum(l.on_hand - l.reserved)::bigint AS available, max(l.updated_at) AS updated_at, array_agg(DISTINCT k.sku) AS skus
			FROM catalogue.skus k
			LEFT JOIN stock.levels l USING (sku)
			WHERE k.product_id = p.product_id) l
		WHERE NOT p.active AND p.deleted_at IS NULL AND s.deleted_at IS NULL
		AND (@q = '' OR strpos(catalogue.fold(p.name), catalogue.fold(@q)) > 0 OR strpos(lower(p.sku), lower(@q)) > 0)`,
		`SELECT `+catalogue.ProductColumns, `ORDER BY p.updated_at DESC, p.product_id LIMIT @limit OFFSET @offset`,
		pgx.NamedArgs{"q": in.Q, "limit": in.Limit, "offset": in.Offset()})
	for i := range items {
		items[i].SetImageURLs(h.pictures.BaseURL())
	}
	return items, total, err
}
