package shop

import (
	"cmp"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// onHome is how many products the first page shows.
const onHome = 12

// front is what the first page shows.
type front struct {
	featured   *client.Product
	newest     []client.Product
	categories []client.Category
	steps      []step // for the admin of an empty shop
}

// step is something that an admin does before the shop can sell.
type step struct {
	Key, Path string
	Done      bool
}

// firstSteps returns what the admin of an empty shop has done, and what is left.
func firstSteps(r *page.Request) ([]step, error) {
	settings := r.Settings()
	stores, err := r.API.ListStores(r.Context(), client.Paging{Limit: 1})
	if err != nil {
		return nil, err
	}
	return []step{
		{"steps.name", "/office/settings", settings.Name != "popup"},
		{"steps.texts", "/office/settings", len(settings.Texts) > 0},
		{"steps.store", "/office/stores", stores.Total > 0},
		{"steps.product", "/office/products/new", false},
		{"steps.stock", "/office/stock", false},
	}, nil
}

func home(r *page.Request) error {
	var shown front
	var products client.Page[client.Product]
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		products, err = r.API.ListProducts(ctx, client.ListProductsQuery{Paging: client.Paging{Limit: onHome}, Sort: "newest"})
		return err
	})
	calls.Go(func() error {
		tree, err := r.API.GetCategories(ctx)
		for _, c := range tree.Items {
			if c.Level == 1 {
				shown.categories = append(shown.categories, c)
			}
		}
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	shown.newest = products.Items
	if len(products.Items) == 0 && r.View.User.Role == "admin" {
		var err error
		if shown.steps, err = firstSteps(r); err != nil {
			return err
		}
	}
	for i, p := range products.Items {
		if _, ok := ui.Picture(p); ok && p.Stock.Available > 0 {
			shown.featured = cmp.Or(shown.featured, &products.Items[i])
		}
	}
	return r.Show(homePage(r.View, shown))
}

// image returns the picture that stands for the shop where it is shared, or "".
func (f front) image() string {
	if f.featured == nil {
		return ""
	}
	found, _ := ui.Picture(*f.featured)
	return found.URL
}
