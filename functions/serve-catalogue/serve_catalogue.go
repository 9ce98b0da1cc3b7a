// Package servecatalogue shows what is sold.
package servecatalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-catalogue"

// New declares the function.
func New(access config.Access) function.Function {
	return function.Function{
		Name: name,
		Door: web.Door(name, access,
			web.Cached(5*time.Minute, web.List("/v1/products", web.All, list)),
			web.Cached(30*time.Minute, web.Get("/v1/products/{id}", web.All, read)),
		),
	}
}

// ListRequest asks for a page of products.
type ListRequest struct{ web.Paging }

func list(ctx context.Context, db web.Reader, in *ListRequest) ([]Product, int64, error) {
	items, total, err := readPage(ctx, db, in.Limit, in.Offset())
	shows(ctx, items)
	return items, total, err
}

// Request names a product.
type Request struct {
	ID string `path:"id" format:"uuid"`
}

// Answer is a product.
type Answer struct{ Body Product }

func read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	if !id.Valid(in.ID) {
		return nil, web.NotFound("product")
	}
	p, err := readProduct(ctx, db, in.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, web.NotFound("product")
	}
	if err != nil {
		return nil, fmt.Errorf("read product %s: %w", in.ID, err)
	}
	shows(ctx, []Product{p})
	return &Answer{p}, nil
}

// shows says what an answer shows: it is out of date once any of it changes.
func shows(ctx context.Context, items []Product) {
	names := []string{events.ShownCatalogue}
	for _, p := range items {
		names = append(names, events.ShownSKU(p.SKU))
	}
	web.Shows(ctx, names...)
}
