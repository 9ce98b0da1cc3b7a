package office

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// query returns a query with one value.
func query(name, value string) string { return url.Values{name: {value}}.Encode() }

// savedViews are the views of the orders that staff need every day, by their status; "" is all orders.
var savedViews = []string{"", "confirmed", "pending", "shipped", "in_transit", "delivered", "completed", "cancelled"}

func orderTabs(v *ui.View) (tabs []tab) {
	for _, status := range savedViews {
		t := tab{Path: "/office/orders", Label: v.T("orders.all")}
		if status != "" {
			t = tab{Path: "/office/orders?status=" + status, Label: v.T("state." + status)}
		}
		tabs = append(tabs, t)
	}
	return tabs
}

// orderList is a page of orders and what selects them.
type orderList struct {
	client.Page[client.Order]
	q, status, sort string
}

func (l orderList) tab() string {
	if l.status == "" {
		return "/office/orders"
	}
	return "/office/orders?status=" + l.status
}

func orders(r *page.Request) error {
	l := orderList{q: r.FormValue("q"), status: r.FormValue("status"), sort: r.FormValue("sort")}
	if !slices.Contains([]string{"created_at", "total", "-total"}, l.sort) {
		l.sort = "-created_at"
	}
	var err error
	l.Page, err = r.API.ListOrders(r.Context(), client.ListOrdersQuery{
		Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, Q: l.q, Status: l.status, Sort: l.sort, CustomerID: r.FormValue("customer_id"),
	})
	if err != nil {
		return err
	}
	return r.Show(ordersPage(r.View, l))
}

// shipOrders marks all orders that were chosen as shipped. One that cannot be shipped stops no other.
func shipOrders(r *page.Request) error {
	f, ok := r.Form()
	if !ok {
		return r.SeeOther("/office/orders")
	}
	shipped, refused := 0, []string{}
	for _, id := range f.Values["order"] {
		_, err := r.API.ShipOrder(r.Context(), id, client.ShipOrderRequest{}, client.Key("office-ship-"+id), client.Wait(0))
		switch {
		case err == nil:
			shipped++
		case page.Is(err, "not-possible-now", "not-found", "twin-in-flight"):
			refused = append(refused, short(id))
		default:
			return err
		}
	}
	switch {
	case len(f.Values["order"]) == 0:
		r.Notify("bad", "orders.none-chosen")
	case len(refused) > 0:
		r.Notify("bad", "orders.some-shipped", strconv.Itoa(shipped), strings.Join(refused, ", "))
	default:
		r.Notify("good", "orders.shipped", strconv.Itoa(shipped))
	}
	return r.SeeOther(page.LocalPath(f.Value("next")))
}

// packingSlips shows the orders that were chosen as sheets to print.
func packingSlips(r *page.Request) error {
	f, _ := r.Form()
	ids := f.Values["order"]
	found := make([]client.Order, min(len(ids), 100))
	calls, ctx := errgroup.WithContext(r.Context())
	calls.SetLimit(8)
	for i := range found {
		calls.Go(func() (err error) {
			found[i], err = r.API.GetOrder(ctx, ids[i])
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(slipsPage(r.View, found))
}
