package office

import (
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// low is up to how many pieces a level is shown as low.
const low = 5

func number(n *int64) string {
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
	found, err := r.API.ListStores(r.Context(), client.Paging{Page: pageOf(r), Limit: sizeOf(r)})
	if err != nil {
		return err
	}
	return r.Show(storesPage(r.View, found, f))
}

func storeBody(f *ui.Form) client.StoreBody {
	return client.StoreBody{Name: f.Value("name"), Location: f.Value("location")}
}

// storeDetails is a store with its products.
type storeDetails struct {
	client.Store
	products client.Page[client.Product]
	form     *ui.Form
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
	d := storeDetails{form: f}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		d.Store, err = r.API.GetStore(ctx, id)
		return err
	})
	calls.Go(func() (err error) {
		d.products, err = r.API.ListStoreProducts(ctx, id, client.ListStoreProductsQuery{
			Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, Sort: "name",
		})
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	if len(f.Values) == 0 || r.Method == http.MethodGet {
		d.form = ui.NewForm("name", d.Name, "location", d.Location)
	}
	return r.Show(storePage(r.View, d))
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

// customers lists accounts and guests.
func customers(r *page.Request) error {
	q := client.ListUsersQuery{
		Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, Q: r.FormValue("q"), Role: r.FormValue("role"), Ordered: r.FormValue("ordered"),
	}
	found, err := r.API.ListUsers(r.Context(), q)
	if err != nil {
		return err
	}
	return r.Show(customersPage(r.View, found, q))
}
