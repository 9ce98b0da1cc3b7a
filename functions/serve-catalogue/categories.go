package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
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
	out, err := catalogue.ReadCategory(ctx, db, in.ID)
	if err == nil {
		web.SurrogateKeys(ctx, events.ShownCatalogue)
	}
	return out, err
}
