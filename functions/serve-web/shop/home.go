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
