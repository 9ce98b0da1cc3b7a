package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// ReadPage is readPage, for tests of both its ways.
func ReadPage(ctx context.Context, db web.Reader, in *ListRequest, few bool) ([]catalogue.Product, error) {
	return readPage(ctx, db, in, pageOptions{filterFirst: few})
}
