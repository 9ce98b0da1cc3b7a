package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// handler handles requests whose responses have the addresses of pictures, which begin with picturesURL.
type handler struct{ picturesURL string }

func (h handler) list(ctx context.Context, db web.Reader, in *ListRequest) ([]catalogue.Product, int64, error) {
	items, total, err := list(ctx, db, in)
	h.addImageURLs(items)
	return items, total, err
}

func (h handler) listInStore(
	ctx context.Context, db web.Reader, in *InStoreRequest,
) ([]catalogue.Product, int64, error) {
	items, total, err := listInStore(ctx, db, in)
	h.addImageURLs(items)
	return items, total, err
}

func (h handler) search(ctx context.Context, db web.Reader, in *SearchRequest) (*SearchAnswer, error) {
	out, err := search(ctx, db, in)
	if out != nil {
		h.addImageURLs(out.Body.Items)
	}
	return out, err
}

func (h handler) read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	p, err := read(ctx, db, in, "")
	p.SetImageURLs(h.picturesURL)
	return &Answer{p}, err
}

// addImageURLs gives the pictures of products their addresses.
func (h handler) addImageURLs(products []catalogue.Product) {
	for i := range products {
		products[i].SetImageURLs(h.picturesURL)
	}
}
