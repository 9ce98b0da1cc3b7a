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
		Door: web.Door(name, access, web.Get("/v1/products", web.All, list), web.Get("/v1/products/{id}", web.All, read)),
	}
}

// ListRequest asks for a page of products.
type ListRequest struct {
	Page  int64 `query:"page" minimum:"1" maximum:"1000000" default:"1"`
	Limit int64 `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"at most 100 are answered"`
}

// ListAnswer is a page of products.
type ListAnswer struct {
	Body struct {
		Items      []Product `json:"items"`
		Page       int64     `json:"page"`
		Limit      int64     `json:"limit"`
		Total      int64     `json:"total"`
		TotalPages int64     `json:"total_pages"`
	}
}

const maxLimit = 100

func list(ctx context.Context, db web.Reader, in *ListRequest) (*ListAnswer, error) {
	limit := min(in.Limit, maxLimit)
	items, total, err := readPage(ctx, db, in.Page, limit)
	if err != nil {
		return nil, err
	}
	answer := &ListAnswer{}
	answer.Body.Items, answer.Body.Page, answer.Body.Limit, answer.Body.Total = items, in.Page, limit, total
	answer.Body.TotalPages = (total + limit - 1) / limit
	return answer, nil
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
