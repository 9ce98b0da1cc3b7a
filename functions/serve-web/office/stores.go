package office

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// low is up to how many pieces a level is shown as low.
const low = 5

func figure(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// stores lists the stores, and adds one.
func stores(r *page.Request) error {
	f, ok := r.Form()
	if ok {
		made, err := r.API.AddStore(r.Context(), storeBody(f))
		if err == nil {
			r.Notify("good", "store.added", made.Name)
			return r.SeeOther("/office/stores")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	all, err := readStores(r.Context(), r.API)
	if err != nil {
		return err
	}
	t := table.Table[client.Store]{Key: "office.stores", Columns: storeColumns(r.View)}
	t.Hold(r, "name", all)
	return t.Show(r, storesPage(r.View, t, f))
}

// readStores returns all stores.
func readStores(ctx context.Context, api *client.Client) (all []client.Store, err error) {
	for number := int64(1); ; number++ {
		found, err := api.ListStores(ctx, client.Paging{Page: number, Limit: 100})
		if err != nil {
			return nil, err
		}
		all = append(all, found.Items...)
		if len(found.Items) == 0 || int64(len(all)) >= found.Total {
			return all, nil
		}
	}
}

func storeColumns(v *ui.View) []table.Column[client.Store] {
	return []table.Column[client.Store]{
		linked("store.name", func(s client.Store) string { return s.Name }, func(s client.Store) string { return "/office/stores/" + s.ID }).ByText("name"),
		text("store.place", func(s client.Store) string { return s.Location }).ByText("location"),
		shown(text("orders.state", func(s client.Store) string { return v.T("store." + openOrClosed(s)) }).ByText("state"),
			func(s client.Store) templ.Component { return openState(v, s) }),
		unseen("store.open-again", func(s client.Store) templ.Component { return openSwitch(v, s) }),
	}
}

func openOrClosed(s client.Store) string {
	if s.Participating {
		return "open"
	}
	return "closed"
}

func storeBody(f *ui.Form) client.StoreBody {
	return client.StoreBody{Name: f.Value("name"), Location: f.Value("location")}
}

// storeDetails is a store with its products.
type storeDetails struct {
	client.Store
	products table.Table[client.Product]
	form     *ui.Form
	undo     []string // ids of products that were just deleted
}

// store shows a store, and changes its name and place.
func store(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if ok {
		_, err := r.API.ChangeStore(r.Context(), id, storeBody(f))
		if err == nil {
			r.Notify("good", "product.saved")
			return r.SeeOther("/office/stores/" + id)
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	return showStore(r, id, f)
}

func showStore(r *page.Request, id string, f *ui.Form) error {
	d := storeDetails{form: f, undo: deletedJustNow(r)}
	d.products = table.Table[client.Product]{Key: "office.products", Columns: storeProductColumns(r.View), Choice: &table.Choice[client.Product]{
		Name: "product", Form: "bulk", Value: func(p client.Product) string { return p.ID }, Label: func(p client.Product) string { return p.Name },
	}}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		d.Store, err = r.API.GetStore(ctx, id)
		return err
	})
	calls.Go(func() error {
		return d.products.Read(r, "name", func(_ context.Context, paging client.Paging, sort string) (client.Page[client.Product], error) {
			return r.API.ListStoreProducts(ctx, id, client.ListStoreProductsQuery{Paging: paging, Sort: sort})
		})
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	if len(f.Values) == 0 || r.Method == http.MethodGet {
		d.form = ui.NewForm("name", d.Name, "location", d.Location)
	}
	return d.products.Show(r, storePage(r.View, d))
}

func storeProductColumns(v *ui.View) []table.Column[client.Product] {
	price, currency := amount(v, "products.price", func(p client.Product) client.Amount { return p.Price })
	price.Up, price.Down = "price_asc", "price_desc"
	name := table.Column[client.Product]{
		Key: "orders.product", Class: "long", Head: true, Up: "name", Text: func(p client.Product) string { return p.Name },
		Cell: func(p client.Product) templ.Component { return productName(p) },
	}
	sku := table.Column[client.Product]{Key: "product.sku", FileOnly: true, Text: func(p client.Product) string { return p.SKU }}
	return []table.Column[client.Product]{
		name, sku, price, currency, number("products.available", func(p client.Product) int64 { return p.Stock.Available }),
	}
}

// doomed is products of a store that are about to be deleted.
type doomed struct {
	client.Store
	products []client.Product // none: all products of the store
	total    int64
}

// deleteInStore deletes the products that were chosen, or all of a store, after it has asked.
func deleteInStore(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	chosen, all := f.Values["product"], f.Value("act") == "all"
	switch {
	case !ok:
		return r.SeeOther("/office/stores/" + id)
	case len(chosen) == 0 && !all:
		r.Notify("bad", "products.none-chosen")
		return r.SeeOther("/office/stores/" + id)
	case f.Value("sure") == "":
		return askToDelete(r, id, chosen)
	case all:
		return deleteAllInStore(r, id)
	}
	answer, err := r.API.DeleteProducts(r.Context(), client.DeleteProductsRequest{IDs: chosen})
	if err != nil {
		return err
	}
	var deleted []string
	for _, result := range answer.Results {
		if result.Deleted {
			deleted = append(deleted, result.ID)
		}
	}
	if len(deleted) > 0 && len(deleted) <= maxUndo {
		r.SetCookie("undo", strings.Join(deleted, "."), "/office", undoLife)
	}
	if missing := len(chosen) - len(deleted); missing > 0 {
		r.Notify("bad", "products.some-changed", strconv.Itoa(len(deleted)), strconv.Itoa(missing))
	} else {
		r.Notify("good", "store.products-deleted", strconv.Itoa(len(deleted)))
	}
	return r.SeeOther("/office/stores/" + id)
}

func askToDelete(r *page.Request, id string, chosen []string) error {
	found, err := r.API.GetStore(r.Context(), id)
	if err != nil {
		return err
	}
	d := doomed{Store: found, products: make([]client.Product, len(chosen)), total: int64(len(chosen))}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.SetLimit(8)
	for i := range chosen {
		calls.Go(func() error {
			p, err := r.API.GetProduct(ctx, chosen[i])
			if page.Is(err, "not-found") { // it is gone already
				p, err = client.Product{ID: chosen[i], Name: short(chosen[i])}, nil
			}
			d.products[i] = p
			return err
		})
	}
	calls.Go(func() error {
		if len(chosen) > 0 {
			return nil
		}
		of, err := r.API.ListStoreProducts(ctx, id, client.ListStoreProductsQuery{Paging: client.Paging{Limit: 1}})
		d.total = of.Total
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(doomedPage(r.View, d))
}

// deleteAllInStore deletes all products of a store, also of one with more than the API deletes at once.
func deleteAllInStore(r *page.Request, id string) error {
	deleted := int64(0)
	for {
		answer, err := r.API.DeleteStoreProducts(r.Context(), id, client.DeleteStoreProductsQuery{Confirm: true})
		if err != nil {
			return err
		}
		deleted += answer.Deleted
		if answer.Left == 0 || answer.Deleted == 0 {
			r.Notify("good", "store.products-deleted", decimal(deleted))
			return r.SeeOther("/office/stores/" + id)
		}
	}
}

// changeStore opens, closes or deletes a store.
func changeStore(r *page.Request) error {
	id := r.PathValue("id")
	var err error
	switch r.PathValue("act") {
	case "open":
		_, err = r.API.ChangeStoreParticipating(r.Context(), id)
	case "close":
		_, err = r.API.DeleteStoreParticipating(r.Context(), id)
	case "delete":
		if err = r.API.DeleteStore(r.Context(), id, client.DeleteStoreQuery{Confirm: true}); err == nil {
			r.Notify("good", "store.deleted")
			return r.SeeOther("/office/stores")
		}
	default:
		return page.NotFound()
	}
	if err != nil && !page.Is(err, "already-participating") {
		return err
	}
	r.Notify("good", "product.saved")
	return r.SeeOther("/office/stores/" + id)
}
