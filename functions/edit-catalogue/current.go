package editcatalogue

import (
	"context"

	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// What follows reads the current representation of an object for If-Match, as serve-catalogue shows it.

// read locks the product: a change of one of its parts with the same ETag waits, and then finds another ETag.
func (h handler) read(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	return h.readLocked(ctx, db, in.ID)
}

// readOfVariant returns the product of a variant.
func (h handler) readOfVariant(ctx context.Context, db web.Reader, in *Request) (*Answer, error) {
	productID, _, err := variantOf(ctx, db, in.ID)
	if err != nil {
		return nil, err
	}
	return h.readLocked(ctx, db, productID)
}

func (h handler) readLocked(ctx context.Context, db web.Reader, productID string) (*Answer, error) {
	if _, err := lockProduct(ctx, db, productID); err != nil {
		return nil, err
	}
	p, err := catalogue.ReadProduct(ctx, db, productID)
	return h.answer(p), err
}

func readCategory(ctx context.Context, db web.Reader, in *Request) (*catalogue.CategoryAnswer, error) {
	return catalogue.ReadCategory(ctx, db, in.ID)
}

func readStore(ctx context.Context, db web.Reader, in *Request) (*catalogue.StoreAnswer, error) {
	return catalogue.ReadStore(ctx, db, in.ID)
}
