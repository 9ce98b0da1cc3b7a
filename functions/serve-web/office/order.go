package office

import (
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// orderDetails is an order and what happened to it.
type orderDetails struct {
	client.Order
	events []client.OrdersEvent // the newest first, unless the steps are sorted by time
	steps  table.Table[placedStep]
	notes  []client.Note
	form   *ui.Form
}

func order(r *page.Request) error { return showOrder(r, r.PathValue("id"), ui.NewForm()) }

func showOrder(r *page.Request, id string, f *ui.Form) error {
	d := orderDetails{form: f}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		d.Order, err = r.API.GetOrder(ctx, id)
		return err
	})
	calls.Go(func() error {
		log, err := r.API.GetOrderEvents(ctx, id)
		d.events = log.Items
		d.steps = table.Table[placedStep]{Key: "order.engine-room", Class: "waterfall", Whole: true, Columns: stepColumns(r.View)}
		d.steps.Hold(r, "", placed(log.Steps))
		if d.steps.Sort != "start" {
			slices.Reverse(d.events)
		}
		return err
	})
	calls.Go(func() error {
		notes, err := r.API.ListOrderNotes(ctx, id, client.Paging{Limit: 100})
		d.notes = notes.Items
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return d.steps.Show(r, orderPage(r.View, d))
}

// changeOrder ships, moves or cancels an order, or adds a note to it. What is refused is shown with the form.
func changeOrder(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if !ok {
		return showOrder(r, id, f)
	}
	var err error
	key := client.Key(f.Value("idempotency_key"))
	switch r.PathValue("act") {
	case "ship":
		_, err = r.API.ShipOrder(r.Context(), id, client.ShipOrderRequest{
			Carrier: f.Value("carrier"), TrackingNumber: f.Value("tracking_number"),
		}, key)
	case "move":
		_, err = r.API.MoveOrder(r.Context(), id, client.MoveOrderRequest{
			Status: f.Value("status"), Location: f.Value("location"), Description: f.Value("description"),
		}, key)
	case "cancel":
		_, err = r.API.CancelOrder(r.Context(), id, client.CancelOrderRequest{Reason: f.Value("reason")}, key)
	case "note":
		_, err = r.API.AddOrderNote(r.Context(), id, client.AddOrderNoteRequest{Note: f.Raw("note")})
	default:
		return page.NotFound()
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return showOrder(r, id, f)
	}
	r.Notify("good", "order.changed")
	return r.SeeOther("/office/orders/" + id)
}

// moves are the states that staff may set a shipment to, in their usual order, by the state of its order.
var moves = map[string][]string{
	"confirmed":        {"preparing", "ready_for_pickup", "shipped"},
	"processing":       {"ready_for_pickup", "shipped", "in_transit"},
	"ready_for_pickup": {"picked_up"},
	"shipped":          {"in_transit", "delivered", "failed_delivery"},
	"in_transit":       {"delivered", "failed_delivery"},
	"failed_delivery":  {"in_transit", "delivered", "returned"},
}

// choices returns the moves of an order for a select. Whether one is possible is decided by the API.
func (d orderDetails) choices(v *ui.View) (all []ui.Choice) {
	for _, to := range moves[d.Status] {
		pickup := to == "ready_for_pickup" || to == "picked_up"
		if to == "preparing" || pickup == (d.Pickup != nil) {
			all = append(all, ui.Choice{Value: to, Label: v.T("state." + to)})
		}
	}
	return all
}

// ships reports whether staff can mark the order as shipped.
func (d orderDetails) ships() bool {
	return (d.Status == "confirmed" || d.Status == "processing") && d.Pickup == nil
}

// cancels reports whether staff can cancel the order.
func (d orderDetails) cancels() bool {
	return slices.Contains([]string{"pending", "confirmed", "processing", "ready_for_pickup"}, d.Status)
}
