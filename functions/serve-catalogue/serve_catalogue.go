// Package servecatalogue shows what is sold.
package servecatalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-catalogue"

// New declares the function.
func New(access config.Access) function.Function {
	return function.Function{
		Name: name,
		Door: web.Door(name, access, web.List("/v1/products", web.All, list), web.Get("/v1/products/{id}", web.All, read)),
	}
}

// ListRequest asks for a page of products.
type ListRequest struct{ web.Paging }

func list(ctx context.Context, db web.Reader, in *ListRequest) ([]Product, int64, error) {
	return readPage(ctx, db, in.Limit, in.Offset())
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
	return &Answer{p}, nil
}
