package office

import (
	"context"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// readWarehouses returns all warehouses, in the order in which goods are taken from them.
func readWarehouses(ctx context.Context, api *client.Client) (all []client.Warehouse, err error) {
	for number := int64(1); ; number++ {
		found, err := api.ListWarehouses(ctx, client.Paging{Page: number, Limit: 100})
		if err != nil {
			return nil, err
		}
		all = append(all, found.Items...)
		if len(found.Items) == 0 || int64(len(all)) >= found.Total {
			return all, nil
		}
	}
}

func warehouseColumns(v *ui.View) []table.Column[client.Warehouse] {
	return []table.Column[client.Warehouse]{
		linked("office.name", func(w client.Warehouse) string { return w.Name },
			func(w client.Warehouse) string { return "/office/warehouses/" + w.ID }).ByText("name"),
		text("store.place", func(w client.Warehouse) string { return w.Location }).ByText("location"),
		count("warehouses.priority", "priority", func(w client.Warehouse) int64 { return w.Priority }),
		shown(count("warehouses.goods", "goods", func(w client.Warehouse) int64 { return w.Goods }), func(w client.Warehouse) templ.Component {
			return link("/office/stock?"+query("warehouse_id", w.ID), decimal(w.Goods))
		}),
		count("stock.reserved", "holds", func(w client.Warehouse) int64 { return w.Holds }),
	}
}

// warehouses lists the warehouses, and adds one.
func warehouses(r *page.Request) error {
	f, ok := r.Form()
	if ok {
		made, err := r.API.AddWarehouse(r.Context(), warehouseBody(f))
		if err == nil {
			r.Notify("good", "warehouse.added", made.Name)
			return r.SeeOther("/office/warehouses")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	all, err := readWarehouses(r.Context(), r.API)
	if err != nil {
		return err
	}
	t := table.Table[client.Warehouse]{Key: "warehouses.title", Columns: warehouseColumns(r.View)}
	t.Hold(r, "priority", all)
	return t.Show(r, warehousesPage(r.View, t, f))
}

func warehouseBody(f *ui.Form) client.WarehouseBody {
	priority, _ := f.Int("priority")
	return client.WarehouseBody{Name: f.Value("name"), Location: f.Value("location"), Priority: priority}
}

// warehouse shows a warehouse, and changes its name, place and priority.
func warehouse(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if ok {
		_, err := r.API.ChangeWarehouse(r.Context(), id, warehouseBody(f))
		if err == nil {
			r.Notify("good", "product.saved")
			return r.SeeOther("/office/warehouses")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	return showWarehouse(r, id, f)
}

func showWarehouse(r *page.Request, id string, f *ui.Form) error {
	found, err := r.API.GetWarehouse(r.Context(), id)
	if err != nil {
		return err
	}
	if !f.Values.Has("name") {
		errors := f.Errors
		f = ui.NewForm("name", found.Name, "location", found.Location, "priority", decimal(found.Priority))
		f.Errors = errors
	}
	return r.Show(warehousePage(r.View, found, f))
}

// deleteWarehouse deletes a warehouse that is empty.
func deleteWarehouse(r *page.Request) error {
	id := r.PathValue("id")
	err := r.API.DeleteWarehouse(r.Context(), id)
	if err == nil {
		r.Notify("good", "warehouse.deleted")
		return r.SeeOther("/office/warehouses")
	}
	f := ui.NewForm()
	if page.Is(err, "in-use") {
		f.Add("", r.View.T("warehouse.in-use"))
		r.Status(422)
		return showWarehouse(r, id, f)
	}
	return err
}

// holdList is a page of the reservations that staff made by hand.
type holdList struct {
	table.Table[client.Reservation]
	status string
	form   *ui.Form
}

func holdColumns(v *ui.View, houses map[string]string) []table.Column[client.Reservation] {
	return []table.Column[client.Reservation]{
		{Key: "holds.id", Head: true, Text: func(h client.Reservation) string { return h.ID }, Cell: func(h client.Reservation) templ.Component { return code(short(h.ID)) }},
		text("holds.lines", func(h client.Reservation) string { return held(h, houses) }),
		shown(text("orders.state", func(h client.Reservation) string { return v.T("hold-state." + h.Status) }),
			func(h client.Reservation) templ.Component { return holdState(v, h.Status) }),
		moment(v, "holds.made", func(h client.Reservation) time.Time { return h.CreatedAt }).Sorted("created_at"),
		moment(v, "holds.expires", func(h client.Reservation) time.Time { return h.ExpiresAt }).Sorted("expires_at"),
		unseen("holds.release", func(h client.Reservation) templ.Component { return holdRelease(v, h) }),
	}
}

// held returns what a reservation holds, and where.
func held(h client.Reservation, houses map[string]string) string {
	lines := make([]string, len(h.Lines))
	for i, line := range h.Lines {
		lines[i] = decimal(line.Quantity) + " × " + line.SKU + " (" + houses[line.WarehouseID] + ")"
	}
	return joined(lines...)
}

// holds lists the reservations that staff made by hand, and makes one.
func holds(r *page.Request) error {
	f, ok := r.Form()
	if ok {
		answer, err := hold(r, f)
		switch {
		case err != nil:
			if err := r.Reject(f, err); err != nil {
				return err
			}
		case len(f.Errors) == 0 && answer.Success:
			r.Notify("good", "holds.added")
			return r.SeeOther("/office/holds")
		}
	}
	return showHolds(r, f)
}

// hold makes the reservation of a form. What is wrong with the form is added to it.
func hold(r *page.Request, f *ui.Form) (made client.AddReservationAnswer, err error) {
	quantity, ok := f.Int("quantity")
	if !ok {
		f.Add("quantity", r.View.T("stock.quantity-wrong"))
	}
	minutes, ok := f.Int("minutes")
	if !ok {
		f.Add("minutes", r.View.T("stock.quantity-wrong"))
	}
	if len(f.Errors) > 0 {
		r.Status(422)
		return made, nil
	}
	return r.API.AddReservation(r.Context(), client.AddReservationRequest{
		Lines:      []client.HoldLine{{SKU: f.Value("sku"), Quantity: quantity, WarehouseID: f.Value("warehouse_id")}},
		ExpiresInS: minutes * 60,
	}, client.Key(f.Value("idempotency_key")))
}

func showHolds(r *page.Request, f *ui.Form) error {
	if !f.Values.Has("minutes") {
		f.Values.Set("minutes", "30")
	}
	l := holdList{status: r.FormValue("status"), form: f}
	var houses []client.Warehouse
	l.Key, l.Columns = "holds.title", holdColumns(r.View, nil)
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error {
		return l.Read(r, "-created_at", func(_ context.Context, paging client.Paging, sort string) (client.Page[client.Reservation], error) {
			return r.API.ListReservations(ctx, client.ListReservationsQuery{Paging: paging, Sort: sort, Status: l.status})
		})
	})
	calls.Go(func() (err error) {
		houses, err = readWarehouses(ctx, r.API)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	s := stockList{warehouses: houses}
	l.Columns = holdColumns(r.View, s.houses())
	return l.Show(r, holdsPage(r.View, l, s.choices()))
}

// releaseHold gives back what a reservation holds.
func releaseHold(r *page.Request) error {
	if _, err := r.API.DeleteReservation(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	r.Notify("good", "holds.released")
	return r.SeeOther("/office/holds")
}
