package office

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// stockList is a page of levels and what selects them.
type stockList struct {
	table.Table[client.Level]
	warehouses []client.Warehouse
	sku        string
	warehouse  string
	product    string
	form       *ui.Form
}

func stockTabs(v *ui.View) []tab {
	return []tab{
		{"/office/stock", v.T("stock.levels")}, {"/office/warehouses", v.T("warehouses.title")}, {"/office/holds", v.T("holds.title")},
	}
}

func (l *stockList) columns(v *ui.View) []table.Column[client.Level] {
	orNone := func(n *int64) int64 {
		if n == nil {
			return 0
		}
		return *n
	}
	sku := linked("product.sku", func(i client.Level) string { return i.SKU }, func(i client.Level) string { return "/office/stock/" + i.ID })
	return []table.Column[client.Level]{
		sku.Sorted("sku"),
		text("stock.warehouse", func(i client.Level) string { return l.houses()[i.WarehouseID] }),
		number("stock.on-hand", func(i client.Level) int64 { return orNone(i.Quantity) }),
		number("stock.reserved", func(i client.Level) int64 { return orNone(i.Reserved) }),
		shown(number("products.available", func(i client.Level) int64 { return i.Available }), func(i client.Level) templ.Component {
			if i.Available <= low {
				return colour("warn", decimal(i.Available))
			}
			return plainText(decimal(i.Available))
		}).Sorted("available"),
		moment(v, "stock.changed", func(i client.Level) time.Time { return i.UpdatedAt }),
	}
}

// houses returns the names of the warehouses by their ids.
func (l stockList) houses() map[string]string {
	names := map[string]string{}
	for _, w := range l.warehouses {
		names[w.ID] = w.Name
	}
	return names
}

func (l stockList) choices() (all []ui.Choice) {
	for _, w := range l.warehouses {
		all = append(all, ui.Choice{Value: w.ID, Label: w.Name})
	}
	return all
}

func stock(r *page.Request) error { return showStock(r, ui.NewForm()) }

func showStock(r *page.Request, f *ui.Form) error {
	l := stockList{sku: r.FormValue("q"), warehouse: r.FormValue("warehouse_id"), product: r.FormValue("product_id"), form: f}
	if r.Method == http.MethodPost {
		l.sku, l.warehouse, l.product = "", "", ""
	}
	l.Key, l.Columns = "office.stock", l.columns(r.View)
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error {
		return l.Read(r, "sku", func(_ context.Context, paging client.Paging, sort string) (client.Page[client.Level], error) {
			return r.API.ListStock(ctx, client.ListStockQuery{
				Paging: paging, Sort: sort, SKU: l.sku, WarehouseID: l.warehouse, ProductID: l.product,
			})
		})
	})
	calls.Go(func() (err error) {
		l.warehouses, err = readWarehouses(ctx, r.API)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return l.Show(r, stockPage(r.View, l))
}

// receive takes goods in: a SKU and a number, and Enter.
func receive(r *page.Request) error {
	f, ok := r.Form()
	if !ok {
		return showStock(r, f)
	}
	quantity, ok := f.Int("quantity")
	if !ok {
		f.Add("quantity", r.View.T("stock.quantity-wrong"))
	}
	found, err := r.API.ListStock(r.Context(), client.ListStockQuery{SKU: f.Value("sku"), WarehouseID: f.Value("warehouse_id")})
	if err != nil {
		return err
	}
	if len(found.Items) == 0 {
		f.Add("sku", r.View.T("stock.unknown-sku"))
	}
	if len(f.Errors) > 0 {
		r.Status(http.StatusUnprocessableEntity)
		return showStock(r, f)
	}
	moved, err := r.API.AddStockMovement(r.Context(), found.Items[0].ID, client.AddStockMovementRequest{
		Kind: "inbound", Quantity: quantity, Reason: r.View.T("stock.received-reason"),
	}, client.Key(f.Value("idempotency_key")))
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return showStock(r, f)
	}
	r.Notify("good", "stock.received", f.Value("quantity"), f.Value("sku"), quantityOf(moved.Level))
	return r.SeeOther("/office/stock?" + query("warehouse_id", f.Value("warehouse_id")))
}
