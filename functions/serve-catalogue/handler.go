package servecatalogue

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/web"
)

// addImageURLs gives the pictures of products their addresses.
func (s handler) addImageURLs(products []Product) {
	for i := range products {
		products[i].ImageURLs = s.addresses(products[i].ImageURLs)
	}
}

func (s handler) list(ctx context.Context, db web.Reader, in *ListRequest) ([]Product, int64, error) {
	items, total, err := list(ctx, db, in)
	s.addImageURLs(items)
	return items, total, err
}

func (s handler) listInStore(ctx context.Context, db web.Reader, in *InStoreRequest) ([]Product, int64, error) {
	items, total, err := listInStore(ctx, db, in)
	s.addImageURLs(items)
	return items, total, err
}

func (s handler) search(ctx context.Context, db web.Reader, in *SearchRequest) (*SearchAnswer, error) {
	out, err := search(ctx, db, in)
	if out != nil {
		s.addImageURLs(out.Body.Items)
	}
	return out, err
}

func (s handler) read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	out, err := read(ctx, db, in)
	return s.withImageURLs(out), err
}

func (s handler) add(ctx context.Context, tx pgx.Tx, in *AddRequest) (*Answer, []events.Event, error) {
	out, emitted, err := add(ctx, tx, in)
	return s.withImageURLs(out), emitted, err
}

func (s handler) change(ctx context.Context, tx pgx.Tx, in *ChangeRequest) (*Answer, []events.Event, error) {
	out, emitted, err := change(ctx, tx, in)
	return s.withImageURLs(out), emitted, err
}

func (s handler) withImageURLs(out *Answer) *Answer {
	if out != nil {
		out.Body.ImageURLs = s.addresses(out.Body.ImageURLs)
	}
	return out
}
