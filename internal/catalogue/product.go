// Package catalogue has what the functions that show the catalogue and that change it share: the types of their
// responses and the statements that read them.
package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Editors may change the catalogue, and see what is not on sale.
var Editors = access.Any(access.Staff, access.Client("catalogue"))

// Product is something that is sold. How many there are is shown, and kept elsewhere.
type Product struct {
	ID            string       `json:"id" format:"uuid"`
	StoreID       string       `json:"store_id" format:"uuid"`
	StoreName     string       `json:"store_name"`
	Name          string       `json:"name"`
	Slug          string       `json:"slug" doc:"Its words in addresses. Old ones lead to the current one."`
	Description   string       `json:"description"`
	SKU           string       `json:"sku"`
	Price         money.Amount `json:"price"`
	CategoryID    string       `json:"category_id,omitempty" format:"uuid"`
	Tags          []string     `json:"tags" nullable:"false"`
	ImageURLs     []string     `json:"image_urls" nullable:"false" doc:"The addresses of images."`
	Images        []Image      `json:"images" nullable:"false"`
	OutsideNumber *int64       `json:"outside_number,omitempty" doc:"its number in somebody else's catalogue"`
	Active        bool         `json:"active"`
	Stock         Stock        `json:"stock" readOnly:"true"`
	CreatedAt     time.Time    `json:"created_at"`
	UpdatedAt     time.Time    `json:"updated_at"`

	skus    []string                // its own and those of its variants
	details map[string]ImageDetails // of its pictures, by name
}

// Stock is how many can be ordered now, of a product and all its variants.
type Stock struct {
	Available int64      `json:"available"`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// ProductColumns are the columns that ScanProduct scans.
const ProductColumns = `p.product_id::text, p.store_id::text, s.name, p.name, p.slug, p.description, p.sku, p.price_minor, p.currency,
		coalesce(p.category_id::text, ''), p.tags, p.images, p.image_details, p.outside_number, p.active, p.created_at, p.updated_at,
		coalesce(l.available, 0), l.updated_at, l.skus`

// SelectProducts is a statement without an order that reads the products whose ids are in a table named page.
// ScanProduct scans its rows.
const SelectProducts = `
	SELECT ` + ProductColumns + `
	FROM page
	JOIN catalogue.products p USING (product_id)
	JOIN catalogue.stores s USING (store_id)
	CROSS JOIN LATERAL (
		SELECT sum(l.on_hand - l.reserved)::bigint AS available, max(l.updated_at) AS updated_at, array_agg(DISTINCT k.sku) AS skus
		FROM catalogue.skus k
		LEFT JOIN stock.levels l USING (sku)
		WHERE k.product_id = p.product_id) l`

// ScanProduct scans a row of SelectProducts. The pictures have their names and no addresses.
func ScanProduct(row pgx.CollectableRow) (p Product, err error) {
	err = row.Scan(&p.ID, &p.StoreID, &p.StoreName, &p.Name, &p.Slug, &p.Description, &p.SKU, &p.Price.Minor, &p.Price.Currency,
		&p.CategoryID, &p.Tags, &p.ImageURLs, &p.details, &p.OutsideNumber, &p.Active, &p.CreatedAt, &p.UpdatedAt,
		&p.Stock.Available, &p.Stock.UpdatedAt, &p.skus)
	p.CreatedAt, p.UpdatedAt = p.CreatedAt.UTC(), p.UpdatedAt.UTC()
	return p, err
}

// ReadProduct returns a product that is not deleted, on sale or not, or a problem if there is none.
func ReadProduct(ctx context.Context, db web.Reader, productID string) (p Product, err error) {
	if !id.Valid(productID) {
		return p, problem.NotFound("product")
	}
	return readProduct(ctx, db, productID, `
		WITH page AS (SELECT product_id FROM catalogue.products WHERE product_id = @product AND deleted_at IS NULL)
		`+SelectProducts+` WHERE s.deleted_at IS NULL`)
}

// ReadProductBySlug is ReadProduct by a slug that the product has or had.
func ReadProductBySlug(ctx context.Context, db web.Reader, slug string) (p Product, err error) {
	return readProduct(ctx, db, slug, `
		WITH page AS (SELECT owner_id AS product_id FROM catalogue.slugs WHERE kind = 'product' AND slug = catalogue.slug_of(@product))
		`+SelectProducts+` WHERE s.deleted_at IS NULL AND p.deleted_at IS NULL`)
}

func readProduct(ctx context.Context, db web.Reader, product, sql string) (p Product, err error) {
	rows, err := db.Query(ctx, sql, pgx.NamedArgs{"product": product})
	if err != nil {
		return p, fmt.Errorf("read product %s: %w", product, err)
	}
	p, err = pgx.CollectExactlyOneRow(rows, ScanProduct)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, problem.NotFound("product")
	}
	if err != nil {
		return p, fmt.Errorf("read product %s: %w", product, err)
	}
	return p, nil
}

// SetImageURLs gives the pictures of a product that was scanned their addresses, which begin with base.
func (p *Product) SetImageURLs(base string) {
	p.Images = Images(base, p.ImageURLs, p.details)
	p.ImageURLs = ImageURLs(base, p.ImageURLs)
}

// ImageURLs returns the addresses of pictures, which begin with base and end with their names.
func ImageURLs(base string, names []string) []string {
	addresses := make([]string, len(names))
	for i, name := range names {
		addresses[i] = base + name
	}
	return addresses
}

// ShownStock returns the surrogate keys of the stock that products show: it changes without them.
func ShownStock(products []Product) (keys []string) {
	for _, p := range products {
		for _, sku := range p.skus {
			keys = append(keys, events.ShownSKU(sku))
		}
	}
	return keys
}
