package office

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// productList is a page of products and what selects them.
type productList struct {
	table.Table[client.Product]
	q        string
	drafts   bool
	form     *ui.Form
	conflict *conflict // a price that was changed while another one was typed
	undo     []string  // ids of products that were just deleted
}

func (l productList) path() string {
	if l.drafts {
		return "/office/products?view=off"
	}
	return "/office/products"
}

func products(r *page.Request) error { return showProducts(r, productList{form: ui.NewForm()}) }

func showProducts(r *page.Request, l productList) error {
	l.q, l.drafts, l.undo = r.FormValue("q"), r.FormValue("view") == "off", deletedJustNow(r)
	l.Key, l.Columns = "office.products", productColumns(r.View, l.drafts)
	l.Choice = &table.Choice[client.Product]{
		Name: "product", Form: "bulk", Value: func(p client.Product) string { return p.ID }, Label: func(p client.Product) string { return p.Name },
	}
	err := l.Read(r, "newest", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Product], error) {
		if l.drafts {
			return r.API.ListDrafts(ctx, client.ListDraftsQuery{Paging: paging, Q: l.q})
		}
		return r.API.ListProducts(ctx, client.ListProductsQuery{Paging: paging, Q: l.q, Sort: sort})
	})
	if err != nil {
		return err
	}
	return l.Show(r, productsPage(r.View, l))
}

// deletedJustNow returns the ids of the products whose deletion can be undone with one click.
func deletedJustNow(r *page.Request) []string {
	if deleted := r.ReadCookie("undo"); deleted != "" {
		return strings.Split(deleted, ".")
	}
	return nil
}

// productColumns returns the columns of products. Those that are off sale are listed in one order only.
func productColumns(v *ui.View, drafts bool) []table.Column[client.Product] {
	name := table.Column[client.Product]{
		Key: "orders.product", Class: "long", Head: true, Up: "name", Text: func(p client.Product) string { return p.Name },
		Cell: func(p client.Product) templ.Component { return productName(p) },
	}
	price, currency := amount(v, "products.price", func(p client.Product) client.Amount { return p.Price })
	price.Up, price.Down, price.Class = "price_asc", "price_desc", ""
	price.Cell = func(p client.Product) templ.Component { return priceForm(v, p) }
	added := moment(v, "products.added", func(p client.Product) time.Time { return p.CreatedAt })
	added.Down = "newest"
	if drafts {
		name.Up, price.Up, price.Down, added.Down = "", "", "", ""
	}
	return []table.Column[client.Product]{
		{Key: "products.picture", Unseen: true, Class: "thumb", Cell: func(p client.Product) templ.Component { return ui.ProductImage(p, "48px", false) }},
		name,
		{Key: "product.sku", FileOnly: true, Text: func(p client.Product) string { return p.SKU }},
		price, currency,
		shown(number("products.available", func(p client.Product) int64 { return p.Stock.Available }),
			func(p client.Product) templ.Component { return stockForm(v, p) }),
		text("products.store", func(p client.Product) string { return p.StoreName }),
		added,
	}
}

// changeProducts changes the price of one product, or all products that were chosen. One that cannot be changed stops
// no other.
func changeProducts(r *page.Request) error {
	f, ok := r.Form()
	next := page.LocalPath(f.Value("next"))
	if !ok {
		return r.SeeOther(next)
	}
	switch f.Value("act") {
	case "price":
		return changePrice(r, f, next)
	case "stock":
		return changeAvailable(r, f, next)
	}
	change, err := bulkChange(f)
	if err != nil {
		r.Notify("bad", "products.percent-wrong")
		return r.SeeOther(next)
	}
	done, failed := 0, 0
	for _, id := range f.Values["product"] {
		err := eachProduct(r, id, f.Value("act"), change)
		switch {
		case err == nil:
			done++
		case isRefusal(err):
			failed++
		default:
			return err
		}
	}
	switch {
	case f.Value("act") == "delete" && done > 0:
		r.SetCookie("undo", strings.Join(f.Values["product"], "."), "/office", undoLife)
	case f.Value("act") == "restore":
		r.SetCookie("undo", "", "/office", 0)
	}
	switch {
	case len(f.Values["product"]) == 0:
		r.Notify("bad", "products.none-chosen")
	case failed > 0:
		r.Notify("bad", "products.some-changed", strconv.Itoa(done), strconv.Itoa(failed))
	default:
		r.Notify("good", "products.changed", strconv.Itoa(done))
	}
	return r.SeeOther(next)
}

// isRefusal reports whether an error is about one product only.
func isRefusal(err error) bool {
	return page.Is(err, "invalid", "in-use", "not-found", "not-possible-now", "precondition-failed", "sku-taken")
}

// bulkChange returns the change of a body that the form asks for.
func bulkChange(f *ui.Form) (func(*client.ProductBody), error) {
	on := f.Value("act") == "on"
	switch f.Value("act") {
	case "percent":
		percent, err := strconv.ParseInt(strings.TrimSuffix(f.Value("percent"), "%"), 10, 64)
		if err != nil || percent < -100 || percent > 1000 {
			return nil, strconv.ErrRange
		}
		return func(b *client.ProductBody) { b.Price.Minor = (b.Price.Minor*(100+percent) + 50) / 100 }, nil
	case "tag":
		return func(b *client.ProductBody) { b.Tags = append(b.Tags, f.Value("tag")) }, nil
	}
	return func(b *client.ProductBody) { b.Active = &on }, nil
}

func eachProduct(r *page.Request, id, act string, change func(*client.ProductBody)) error {
	switch act {
	case "delete":
		return r.API.DeleteProduct(r.Context(), id)
	case "restore":
		_, err := r.API.RestoreProduct(r.Context(), id)
		return err
	}
	p, tag, err := readProduct(r.Context(), r.API, id)
	if err != nil {
		return err
	}
	body := bodyOf(p)
	change(&body)
	_, err = r.API.ChangeProduct(r.Context(), id, body, client.Header("If-Match", tag))
	return err
}

// readProduct returns a product with its ETag.
func readProduct(ctx context.Context, api *client.Client, id string) (p client.Product, tag string, err error) {
	var answered http.Response
	p, err = api.GetProduct(ctx, id, client.Answered(&answered))
	return p, answered.Header.Get("ETag"), err
}

// bodyOf returns the body that leaves a product as it is.
func bodyOf(p client.Product) client.ProductBody {
	active := p.Active
	return client.ProductBody{
		StoreID: p.StoreID, Name: p.Name, Description: p.Description, SKU: p.SKU, Price: p.Price, CategoryID: p.CategoryID,
		Tags: slices.Clone(p.Tags), OutsideNumber: p.OutsideNumber, Active: &active,
	}
}

// shelf is what a form for a product chooses from.
type shelf struct {
	stores     []client.Store
	categories []client.Category
	currency   string
}

func readShelf(ctx context.Context, api *client.Client) (s shelf, err error) {
	calls, ctx := errgroup.WithContext(ctx)
	calls.Go(func() error {
		found, err := api.ListStores(ctx, client.Paging{Limit: 100})
		s.stores = found.Items
		return err
	})
	calls.Go(func() error {
		found, err := api.GetCategories(ctx)
		s.categories = found.Items
		return err
	})
	calls.Go(func() error {
		found, err := api.GetSettings(ctx)
		s.currency = found.Currency
		return err
	})
	return s, calls.Wait()
}

func (s shelf) storeChoices() (all []ui.Choice) {
	for _, store := range s.stores {
		all = append(all, ui.Choice{Value: store.ID, Label: store.Name})
	}
	return all
}

// categoryChoices lists the tree, with each level further to the right.
func (s shelf) categoryChoices(none string) []ui.Choice {
	all := []ui.Choice{{Label: none}}
	for _, c := range s.categories {
		all = append(all, ui.Choice{Value: c.ID, Label: strings.Repeat("\u2003", int(max(c.Level-1, 0))) + c.Name})
	}
	return all
}
