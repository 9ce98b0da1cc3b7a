package servecatalogue

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/web"
)

// dress gives the pictures of products their addresses.
func (s shelf) dress(products []Product) {
	for i := range products {
		products[i].ImageURLs = s.addresses(products[i].ImageURLs)
	}
}

func (s shelf) list(ctx context.Context, db web.Reader, in *ListRequest) ([]Product, int64, error) {
	items, total, err := list(ctx, db, in)
	s.dress(items)
	return items, total, err
}

func (s shelf) listInStore(ctx context.Context, db web.Reader, in *InStoreRequest) ([]Product, int64, error) {
	items, total, err := listInStore(ctx, db, in)
	s.dress(items)
	return items, total, err
}

func (s shelf) search(ctx context.Context, db web.Reader, in *SearchRequest) (*SearchAnswer, error) {
	out, err := search(ctx, db, in)
	if out != nil {
		s.dress(out.Body.Items)
	}
	return out, err
}

func (s shelf) read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	out, err := read(ctx, db, in)
	return s.one(out), err
}

func (s shelf) add(ctx context.Context, tx pgx.Tx, in *AddRequest) (*Answer, []events.Event, error) {
	out, said, err := add(ctx, tx, in)
	return s.one(out), said, err
}

func (s shelf) change(ctx context.Context, tx pgx.Tx, in *ChangeRequest) (*Answer, []events.Event, error) {
	out, said, err := change(ctx, tx, in)
	return s.one(out), said, err
}

func (s shelf) one(out *Answer) *Answer {
	if out != nil {
		out.Body.ImageURLs = s.addresses(out.Body.ImageURLs)
	}
	return out
}
