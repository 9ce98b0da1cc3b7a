package office

import (
	"context"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// shipmentStates are the states by which shipments are listed, in the order of a shipment's way.
var shipmentStates = []string{
	"planned", "preparing", "ready_for_pickup", "shipped", "in_transit", "failed_delivery", "delivered", "returned", "cancelled",
}

// shipmentMoves are the states that staff may set shipments to.
var shipmentMoves = []string{
	"preparing", "shipped", "in_transit", "delivered", "failed_delivery", "returned", "ready_for_pickup", "picked_up",
}

// shipmentList is a page of shipments and what selects them.
type shipmentList struct {
	table.Table[client.Shipment]
	q, status string
}

func (l shipmentList) tab() string {
	if l.status == "" {
		return "/office/delivery"
	}
	return "/office/delivery?status=" + l.status
}

func shipmentTabs(v *ui.View) []tab {
	tabs := []tab{{"/office/delivery", v.T("orders.all")}}
	for _, status := range shipmentStates {
		tabs = append(tabs, tab{"/office/delivery?status=" + status, v.T("state." + status)})
	}
	return tabs
}

func moveChoices(v *ui.View) (all []ui.Choice) {
	for _, status := range shipmentMoves {
		all = append(all, ui.Choice{Value: status, Label: v.T("state." + status)})
	}
	return all
}

func shipmentColumns(v *ui.View) []table.Column[client.Shipment] {
	return []table.Column[client.Shipment]{
		linked("engine.order", func(s client.Shipment) string { return s.OrderNumber }, func(s client.Shipment) string { return "/office/orders/" + s.OrderID }),
		shown(text("orders.state", func(s client.Shipment) string { return v.T("state." + s.Status) }),
			func(s client.Shipment) templ.Component { return ui.State(v, s.Status) }),
		text("delivery.how", func(s client.Shipment) string {
			if s.Pickup {
				return v.T("desk.pickup")
			}
			return s.Carrier
		}),
		shown(text("order.tracking-number", func(s client.Shipment) string { return s.TrackingNumber }),
			func(s client.Shipment) templ.Component {
				return link("/track?"+query("number", s.TrackingNumber), s.TrackingNumber)
			}),
		text("delivery.last", lastSeen),
		moment(v, "delivery.planned", func(s client.Shipment) time.Time { return s.CreatedAt }).Sorted("created_at"),
	}
}

// lastSeen returns where a shipment was last, and what was noted there.
func lastSeen(s client.Shipment) string {
	if len(s.Tracking) == 0 {
		return ""
	}
	last := s.Tracking[len(s.Tracking)-1]
	return joined(last.Location, last.Description)
}

// shipments lists the shipments.
func shipments(r *page.Request) error {
	l := shipmentList{q: r.FormValue("q"), status: r.FormValue("status")}
	l.Key, l.Columns = "office.delivery", shipmentColumns(r.View)
	l.Choice = &table.Choice[client.Shipment]{
		Name: "order", Form: "bulk", Value: func(s client.Shipment) string { return s.OrderID }, Label: func(s client.Shipment) string { return s.OrderNumber },
	}
	err := l.Read(r, "-created_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Shipment], error) {
		return r.API.ListShipments(ctx, client.ListShipmentsQuery{Paging: paging, Sort: sort, Status: l.status, Q: l.q})
	})
	if err != nil {
		return err
	}
	return l.Show(r, deliveryPage(r.View, l))
}

// moveShipments sets the state of the shipments that were chosen. One that cannot have the state stops no other.
func moveShipments(r *page.Request) error {
	f, ok := r.Form()
	next := page.LocalPath(f.Value("next"))
	if !ok || len(f.Values["order"]) == 0 {
		r.Notify("bad", "orders.none-chosen")
		return r.SeeOther(next)
	}
	moved, refused := 0, []string{}
	for _, id := range f.Values["order"] {
		_, err := r.API.MoveOrder(r.Context(), id, client.MoveOrderRequest{
			Status: f.Value("status"), Location: f.Value("location"), Description: f.Value("description"),
		}, client.Key(f.Value("idempotency_key")+id), client.Wait(0))
		switch {
		case err == nil:
			moved++
		case page.Is(err, "not-possible-now", "not-found", "twin-in-flight", "invalid"):
			refused = append(refused, id)
		default:
			return err
		}
	}
	if len(refused) > 0 {
		r.Notify("bad", "delivery.some-moved", strconv.Itoa(moved), numbersOf(r, refused))
	} else {
		r.Notify("good", "delivery.moved", strconv.Itoa(moved))
	}
	return r.SeeOther(next)
}
