package servecatalogue

import (
	"context"
	"net/url"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// CategoriesAnswer is the whole tree, each category before those below it.
type CategoriesAnswer struct {
	Body struct {
		Items []catalogue.Category `json:"items" nullable:"false"`
	}
}

// listCategories is called by visitors.
func listCategories(ctx context.Context, db web.Reader, _ *struct{}) (*CategoriesAnswer, error) {
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	items, err := catalogue.ReadCategories(ctx, db, "")
	out := &CategoriesAnswer{}
	out.Body.Items = append([]catalogue.Category{}, items...)
	return out, err
}

// readCategory is called by visitors.
func readCategory(ctx context.Context, db web.Reader, in *Request) (*catalogue.CategoryAnswer, error) {
	bySlug := !id.Valid(in.ID)
	find := catalogue.ReadCategory
	if bySlug {
		find = catalogue.ReadCategoryBySlug
	}
	out, err := find(ctx, db, in.ID)
	if err != nil {
		return nil, err
	}
	if bySlug && out.Body.Slug != in.ID {
		return nil, problem.Moved("/v1/categories/" + url.PathEscape(out.Body.Slug))
	}
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	return out, nil
}
