package shop

import (
	"net/http"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// productView is what the page of a product shows.
type productView struct {
	client.Product
	variants []client.Variant
	others   []client.Product
	crumbs   []ui.Crumb
	form     *ui.Form
}

// maxOthers is how many other products a product's page shows.
const maxOthers = 4

// maxQuantity is how many of one product a basket may have.
const maxQuantity = 99

func product(r *page.Request) error {
	shown, err := readProduct(r)
	if err != nil {
		return err
	}
	if shown.Slug != "" && r.PathValue("id") != shown.Slug { // its id, or words that it had before
		return r.SeeOther(ui.ProductPath(shown.Product))
	}
	return r.Show(productPage(r.View, shown))
}

func readProduct(r *page.Request) (*productView, error) {
	p, err := r.API.GetProduct(r.Context(), r.PathValue("id"))
	if isMissing(err) {
		return nil, page.NotFound()
	}
	if err != nil {
		return nil, err
	}
	shown := &productView{Product: p, form: &ui.Form{}}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error {
		all, err := r.API.GetProductVariants(ctx, p.ID)
		shown.variants = all.Items
		return err
	})
	calls.Go(func() error {
		tree, err := r.API.GetCategories(ctx)
		shown.crumbs = productCrumbs(r.View, tree.Items, p)
		return err
	})
	calls.Go(func() error {
		others, err := r.API.ListProducts(ctx, client.ListProductsQuery{
			Paging: client.Paging{Limit: maxOthers + 1}, CategoryID: p.CategoryID, InStockOnly: true,
		})
		shown.others = slices.DeleteFunc(others.Items, func(o client.Product) bool { return o.ID == p.ID })
		return err
	})
	err = calls.Wait()
	shown.others = shown.others[:min(len(shown.others), maxOthers)]
	return shown, err
}

func productCrumbs(v *ui.View, tree []client.Category, p client.Product) []ui.Crumb {
	crumbs := []ui.Crumb{{Path: "/products", Label: v.T("frame.products")}}
	if at := slices.IndexFunc(tree, func(c client.Category) bool { return c.ID == p.CategoryID }); at >= 0 {
		crumbs = crumbsOf(v, tree, CategoryPaths(tree), tree[at])
	}
	return append(crumbs, ui.Crumb{Label: p.Name})
}

// add puts a product into the basket, and leads there. Scripts of the page show the basket beside it.
func add(r *page.Request) error {
	f, submitted := r.Form()
	quantity, err := strconv.ParseInt(f.Value("quantity"), 10, 32)
	if err != nil {
		quantity = 1
	}
	if submitted {
		_, err = r.API.AddBasketItem(r.Context(), client.AddBasketItemRequest{SKU: f.Value("sku"), Quantity: quantity})
	}
	if submitted && err == nil {
		return r.SeeOther("/basket")
	}
	shown, readErr := readProduct(r)
	if readErr != nil {
		return readErr
	}
	shown.form = f
	if err != nil {
		if err := rejectItem(r, f, err); err != nil {
			return err
		}
	}
	return r.Show(productPage(r.View, shown))
}

// rejectItem states how many are left, where there are not enough.
func rejectItem(r *page.Request, f *ui.Form, err error) error {
	if lines := page.ShortLines(err); len(lines) > 0 {
		r.Status(http.StatusConflict)
		f.Add("quantity", r.View.T("product.only", lines[0].Available))
		return nil
	}
	return r.Reject(f, err)
}

// sku returns the SKU that the form begins with: the chosen one, or the first that can be had.
func (p *productView) sku() string {
	if chosen := p.form.Value("sku"); chosen != "" {
		return chosen
	}
	for _, v := range p.variants {
		if v.Stock.Available > 0 {
			return v.SKU
		}
	}
	return p.SKU
}

// variant returns the variant that the form begins with; ok is false for a product without variants.
func (p *productView) variant() (chosen client.Variant, ok bool) {
	at := slices.IndexFunc(p.variants, func(v client.Variant) bool { return v.SKU == p.sku() })
	if at < 0 {
		return chosen, false
	}
	return p.variants[at], true
}

// price returns the price of what the form begins with. A script shows that of another variant once it is chosen.
func (p *productView) price() client.Amount {
	if v, ok := p.variant(); ok {
		return v.Price
	}
	return p.Price
}

// chosen returns how many can be had of what the form begins with.
func (p *productView) chosen() int64 {
	if v, ok := p.variant(); ok {
		return v.Stock.Available
	}
	return p.available()
}

// scarce is up to how many pieces are stated as the last ones.
const scarce = 5

func noteColour(available int64) string {
	if available <= scarce {
		return "warn"
	}
	return "muted"
}

func note(v *ui.View, available int64) string {
	if available <= scarce {
		return v.T("product.left", available)
	}
	return v.T("product.available", available)
}

// available returns how many of the product can be had, of all variants together.
func (p *productView) available() int64 { return p.Stock.Available }

// quantity returns the quantity that the form begins with.
func (p *productView) quantity() int64 {
	n, err := strconv.ParseInt(p.form.Value("quantity"), 10, 32)
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// images returns the pictures of the product.
func (p *productView) images() []client.Image {
	if len(p.Images) > 0 {
		return p.Images
	}
	if image, ok := ui.Picture(p.Product); ok {
		return []client.Image{image}
	}
	return nil
}

// imageURL returns the address of the first picture, or "".
func (p *productView) imageURL() string {
	image, _ := ui.Picture(p.Product)
	return image.URL
}
