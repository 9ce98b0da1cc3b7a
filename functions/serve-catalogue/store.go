package servecatalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/web"
)

// Product is something that is sold. How many there are is shown, and kept elsewhere.
type Product struct {
	ID          string       `json:"id" format:"uuid"`
	StoreID     string       `json:"store_id" format:"uuid"`
	StoreName   string       `json:"store_name"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	SKU         string       `json:"sku"`
	Price       money.Amount `json:"price"`
	Active      bool         `json:"active"`
	Stock       Stock        `json:"stock"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// Stock is how many can be ordered now.
type Stock struct {
	Available int64 `json:"available"`
}

const selectProducts = `
	SELECT p.product_id::text, p.store_id::text, s.name, p.name, p.description, p.sku, p.price_minor, p.currency, p.active,
		(SELECT coalesce(sum(on_hand - reserved), 0)::bigint FROM stock.levels l WHERE l.sku = p.sku), p.created_at, p.updated_at
	FROM catalogue.products p
	JOIN catalogue.stores s USING (store_id)`

func scan(row pgx.CollectableRow) (p Product, err error) {
	err = row.Scan(&p.ID, &p.StoreID, &p.StoreName, &p.Name, &p.Description, &p.SKU, &p.Price.Minor, &p.Price.Currency, &p.Active,
		&p.Stock.Available, &p.CreatedAt, &p.UpdatedAt)
	p.CreatedAt, p.UpdatedAt = p.CreatedAt.UTC(), p.UpdatedAt.UTC()
	return p, err
}

func readPage(ctx context.Context, db web.Reader, limit, offset int64) (items []Product, total int64, err error) {
	const onSale = `deleted_at IS NULL AND active`
	if err := db.QueryRow(ctx, `SELECT count(*) FROM catalogue.products WHERE `+onSale).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count products: %w", err)
	}
	rows, err := db.Query(ctx, selectProducts+`
		WHERE p.deleted_at IS NULL AND p.active
		ORDER BY p.name, p.product_id
		LIMIT @limit OFFSET @offset`, pgx.NamedArgs{"limit": limit, "offset": offset})
	if err != nil {
		return nil, 0, fmt.Errorf("list products: %w", err)
	}
	items, err = pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, 0, fmt.Errorf("list products: %w", err)
	}
	return items, total, nil
}

func readProduct(ctx context.Context, db web.Reader, productID string) (Product, error) {
	rows, err := db.Query(ctx, selectProducts+`
		WHERE p.product_id = @product_id AND p.deleted_at IS NULL`, pgx.NamedArgs{"product_id": productID})
	if err != nil {
		return Product{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scan)
}
