package office

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// levelDetails is the stock of a SKU in a warehouse with its movements.
type levelDetails struct {
	client.Level
	movements  table.Table[client.Movement]
	warehouses []client.Warehouse
	kind       string // of the movements that are shown; "" for all
	form       *ui.Form
}

func (d levelDetails) house() string {
	return stockList{warehouses: d.warehouses}.houses()[d.WarehouseID]
}

// others returns the warehouses that goods of the level can be moved to.
func (d levelDetails) others() (all []ui.Choice) {
	for _, w := range d.warehouses {
		if w.ID != d.WarehouseID {
			all = append(all, ui.Choice{Value: w.ID, Label: w.Name})
		}
	}
	return all
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

// moveGoods takes goods out of a level, or moves them to another warehouse.
func moveGoods(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if !ok {
		return showLevel(r, id, f)
	}
	n, isNumber := f.Int("moved_quantity")
	if !isNumber {
		f.Add("moved_quantity", r.View.T("stock.quantity-wrong"))
		r.Status(http.StatusUnprocessableEntity)
		return showLevel(r, id, f)
	}
	if err := moveOrTake(r, id, n, f); err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		for i, e := range f.Errors {
			f.Errors[i].Field = map[string]string{"quantity": "moved_quantity", "reason": "moved_reason"}[e.Field]
		}
		return showLevel(r, id, f)
	}
	r.Notify("good", "stock.moved", f.Value("moved_quantity"))
	return r.SeeOther("/office/stock/" + id)
}

func moveOrTake(r *page.Request, id string, n int64, f *ui.Form) error {
	key, reason := client.Key(f.Value("idempotency_key")), f.Value("moved_reason")
	to := f.Value("to_warehouse_id")
	if to == "" {
		_, err := r.API.AddStockMovement(r.Context(), id, client.AddStockMovementRequest{Kind: "outbound", Quantity: n, Reason: reason}, key)
		return err
	}
	from, err := r.API.GetStock(r.Context(), id)
	if err != nil {
		return err
	}
	_, err = r.API.TransferStock(r.Context(), client.TransferStockRequest{
		SKU: from.SKU, From: from.WarehouseID, To: to, Quantity: n, Reason: reason,
	}, key)
	return err
}

func movementColumns(v *ui.View) []table.Column[client.Movement] {
	return []table.Column[client.Movement]{
		moment(v, "orders.when", func(m client.Movement) time.Time { return m.CreatedAt }).Sorted("created_at"),
		text("stock.kind", func(m client.Movement) string { return v.T("movement." + m.Kind) }),
		number("field.quantity", func(m client.Movement) int64 { return m.Quantity }),
		text("field.reason", func(m client.Movement) string { return m.Reason }),
		text("stock.reference", func(m client.Movement) string { return short(m.Reference) }),
	}
}

// movementKinds are what movements are shown by.
var movementKinds = []string{"", "inbound", "outbound", "reservation", "release", "adjustment"}

func showLevel(r *page.Request, id string, f *ui.Form) error {
	d := levelDetails{form: f, kind: r.FormValue("kind")}
	d.movements = table.Table[client.Movement]{Key: "stock.movements", Columns: movementColumns(r.View)}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error {
		return d.movements.Read(r, "-created_at", func(_ context.Context, paging client.Paging, sort string) (client.Page[client.Movement], error) {
			return r.API.ListStockMovements(ctx, id, client.ListStockMovementsQuery{Paging: paging, Sort: sort, Kind: d.kind})
		})
	})
	calls.Go(func() (err error) {
		d.Level, err = r.API.GetStock(ctx, id)
		return err
	})
	calls.Go(func() (err error) {
		d.warehouses, err = readWarehouses(ctx, r.API)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return d.movements.Show(r, levelPage(r.View, d))
}

func warehouseNames(ctx context.Context, api *client.Client) (map[string]string, error) {
	found, err := readWarehouses(ctx, api)
	return stockList{warehouses: found}.houses(), err
}
