package office

import (
	"context"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// stockList is a page of levels and what selects them.
type stockList struct {
	client.Page[client.Level]
	warehouses []client.Warehouse
	sku        string
	warehouse  string
	product    string
	form       *ui.Form
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
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		l.Page, err = r.API.ListStock(ctx, client.ListStockQuery{
			Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, SKU: l.sku, WarehouseID: l.warehouse, ProductID: l.product,
		})
		return err
	})
	calls.Go(func() error {
		found, err := r.API.ListWarehouses(ctx, client.Paging{Limit: 100})
		l.warehouses = found.Items
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(stockPage(r.View, l))
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

// levelDetails is the stock of a SKU in a warehouse with its movements.
type levelDetails struct {
	client.Level
	movements client.Page[client.Movement]
	houses    map[string]string
	form      *ui.Form
}

// level shows the movements of a level, and sets its quantity after a count.
func level(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if ok {
		quantity, isNumber := f.Int("quantity")
		if !isNumber {
			f.Add("quantity", r.View.T("stock.quantity-wrong"))
			r.Status(http.StatusUnprocessableEntity)
			return showLevel(r, id, f)
		}
		_, err := r.API.ChangeStock(r.Context(), id, client.ChangeStockRequest{Quantity: quantity, Reason: f.Value("reason")})
		if err == nil {
			r.Notify("good", "stock.counted", f.Value("quantity"))
			return r.SeeOther("/office/stock/" + id)
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	return showLevel(r, id, f)
}

func showLevel(r *page.Request, id string, f *ui.Form) error {
	d := levelDetails{form: f}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		d.movements, err = r.API.ListStockMovements(ctx, id, client.ListStockMovementsQuery{Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}})
		return err
	})
	calls.Go(func() (err error) {
		d.Level, err = r.API.GetStock(ctx, id)
		return err
	})
	calls.Go(func() (err error) {
		d.houses, err = warehouseNames(ctx, r.API)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(levelPage(r.View, d))
}

func warehouseNames(ctx context.Context, api *client.Client) (map[string]string, error) {
	found, err := api.ListWarehouses(ctx, client.Paging{Limit: 100})
	return stockList{warehouses: found.Items}.houses(), err
}
