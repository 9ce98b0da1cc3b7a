package servecatalogue

import (
	"context"
	"net/url"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Request names a product or a category.
type Request struct {
	ID string `path:"id" maxLength:"200" doc:"Its id or slug."`
}

// Answer is a product.
type Answer struct{ Body catalogue.Product }

// VariantsAnswer is all variants of a product, in the order that staff gave them.
type VariantsAnswer struct {
	Body struct {
		Items []catalogue.Variant `json:"items" nullable:"false"`
	}
}

// read is called by visitors. An inactive product is shown to those who edit the catalogue, and a deleted one is not found. An
// old slug leads to the current one; part is what follows it in the address.
func read(ctx context.Context, db web.Reader, in *Request, part string) (p catalogue.Product, err error) {
	bySlug := !id.Valid(in.ID)
	if bySlug {
		p, err = catalogue.ReadProductBySlug(ctx, db, in.ID)
	} else {
		p, err = catalogue.ReadProduct(ctx, db, in.ID)
	}
	if err == nil && !p.Active && !auth.CallerFrom(ctx).Allowed(catalogue.Editors) {
		return catalogue.Product{}, problem.NotFound("product")
	}
	if err != nil {
		return p, err
	}
	if bySlug && p.Slug != in.ID {
		return p, problem.Moved("/v1/products/" + url.PathEscape(p.Slug) + part)
	}
	web.SurrogateKeys(ctx, append(catalogue.ShownStock([]catalogue.Product{p}), events.ShownProduct(p.ID),
		events.ShownStore(p.StoreID))...)
	return p, nil
}

// listVariants is called by visitors.
func listVariants(ctx context.Context, db web.Reader, in *Request) (*VariantsAnswer, error) {
	p, err := read(ctx, db, in, "/variants") // for its surrogate keys
	if err != nil {
		return nil, err
	}
	out := &VariantsAnswer{}
	if out.Body.Items, err = catalogue.ReadVariants(ctx, db, p.ID, ""); err != nil {
		return nil, err
	}
	return out, nil
}
