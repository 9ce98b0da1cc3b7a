package office

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/token"
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
	if v.User.Role == token.Admin {
		tabs = append(tabs, tab{Path: "/office/orders?hidden=true", Label: v.T("orders.hidden-view")})
	}
	return tabs
}

// orderList is a page of orders and what selects them.
type orderList struct {
	table.Table[client.Order]
	q, status string
	hidden    bool
}

func (l orderList) tab() string {
	switch {
	case l.hidden:
		return "/office/orders?hidden=true"
	case l.status == "":
		return "/office/orders"
	}
	return "/office/orders?status=" + l.status
}

func orderColumns(v *ui.View) []table.Column[client.Order] {
	total, currency := amount(v, "orders.total", func(o client.Order) client.Amount { return o.Total })
	return []table.Column[client.Order]{
		linked("orders.number", func(o client.Order) string { return o.Number }, func(o client.Order) string { return "/office/orders/" + o.ID }),
		moment(v, "orders.when", func(o client.Order) time.Time { return o.CreatedAt }).Sorted("created_at"),
		text("orders.customer", func(o client.Order) string { return o.Contact.Name }),
		number("desk.items", pieces),
		total.Sorted("total"), currency,
		text("orders.payment", func(o client.Order) string { return v.T("payment." + o.Payment) }),
		shown(text("orders.state", func(o client.Order) string { return v.T("state." + o.Status) }),
			func(o client.Order) templ.Component { return ui.State(v, o.Status) }),
	}
}

func orders(r *page.Request) error {
	l := orderList{q: r.FormValue("q"), status: r.FormValue("status"), hidden: r.FormValue("hidden") == "true"}
	l.Key, l.Columns = "office.orders", orderColumns(r.View)
	l.Choice = &table.Choice[client.Order]{
		Name: "order", Form: "bulk", Value: func(o client.Order) string { return o.ID }, Label: func(o client.Order) string { return o.Number },
	}
	err := l.Read(r, "-created_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Order], error) {
		return r.API.ListOrders(ctx, client.ListOrdersQuery{
			Paging: paging, Q: l.q, Status: l.status, Sort: sort, Hidden: l.hidden, CustomerID: r.FormValue("customer_id"),
		})
	})
	if err != nil {
		return err
	}
	return l.Show(r, ordersPage(r.View, l))
}

// numbersOf returns the numbers of orders, for a notice about those that stay as they are.
func numbersOf(r *page.Request, ids []string) string {
	numbers := make([]string, len(ids))
	calls, ctx := errgroup.WithContext(r.Context())
	calls.SetLimit(8)
	for i, id := range ids {
		calls.Go(func() error {
			numbers[i] = short(id)
			if o, err := r.API.GetOrder(ctx, id); err == nil {
				numbers[i] = o.Number
			}
			return nil
		})
	}
	_ = calls.Wait() // no call returns an error
	return strings.Join(numbers, ", ")
}

// hideOrders takes orders that have ended out of the list. One that cannot be hidden stops no other.
func hideOrders(r *page.Request) error {
	f, ok := r.Form()
	next := page.LocalPath(f.Value("next"))
	if !ok || len(f.Values["order"]) == 0 {
		r.Notify("bad", "orders.none-chosen")
		return r.SeeOther(next)
	}
	answer, err := r.API.HideOrders(r.Context(), client.HideOrdersRequest{IDs: f.Values["order"]})
	if err != nil {
		return err
	}
	var refused []string
	for _, result := range answer.Results {
		if !result.Hidden {
			refused = append(refused, result.ID)
		}
	}
	hidden := strconv.Itoa(len(answer.Results) - len(refused))
	if len(refused) > 0 {
		r.Notify("bad", "orders.some-hidden", hidden, numbersOf(r, refused))
	} else {
		r.Notify("good", "orders.hidden", hidden)
	}
	return r.SeeOther(next)
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
			refused = append(refused, id)
		default:
			return err
		}
	}
	switch {
	case len(f.Values["order"]) == 0:
		r.Notify("bad", "orders.none-chosen")
	case len(refused) > 0:
		r.Notify("bad", "orders.some-shipped", strconv.Itoa(shipped), numbersOf(r, refused))
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
