package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Request names a product.
type Request struct {
	ID string `path:"id" format:"uuid"`
}

// Answer is a product.
type Answer struct{ Body catalogue.Product }

// VariantsAnswer is all variants of a product, in the order that staff gave them.
type VariantsAnswer struct {
	Body struct {
		Items []catalogue.Variant `json:"items" nullable:"false"`
	}
}

// read is called by visitors. An inactive product is shown to those who edit the catalogue, a deleted one to nobody.
func read(ctx context.Context, db web.Reader, in *Request) (p catalogue.Product, err error) {
	p, err = catalogue.ReadProduct(ctx, db, in.ID)
	if err == nil && !p.Active && !auth.CallerFrom(ctx).Allowed(catalogue.Editors) {
		return catalogue.Product{}, problem.NotFound("product")
	}
	if err != nil {
		return p, err
	}
	web.SurrogateKeys(ctx, append(catalogue.ShownStock([]catalogue.Product{p}), events.ShownProduct(p.ID),
		events.ShownStore(p.StoreID))...)
	return p, nil
}

// listVariants is called by visitors.
func listVariants(ctx context.Context, db web.Reader, in *Request) (*VariantsAnswer, error) {
	p, err := read(ctx, db, in) // for its surrogate keys
	if err != nil {
		return nil, err
	}
	out := &VariantsAnswer{}
	if out.Body.Items, err = catalogue.ReadVariants(ctx, db, p.ID, ""); err != nil {
		return nil, err
	}
	return out, nil
}
