// Package shiporder creates the shipments of confirmed and paid orders.
package shiporder

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
)

const (
	name    = "ship-order"
	carrier = "popup"
)

// New returns the function. With automatic shipping it also emits shipment.due, so that carry-shipment moves the
// shipment; with manual shipping staff move it.
func New(shop config.Shop) function.Function {
	p := planner{automatic: shop.Shipping == "auto"}
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.On(planShipments[events.OrderConfirmed](p)),
			function.On(planShipments[events.OrderSettled](p)),
		},
		Emits:      []events.Event{events.ShipmentCreated{}, events.ShipmentDue{}},
		Locks:      []string{"orders.orders"},
		Writes:     []string{"delivery.shipments", "delivery.tracking"},
		SyncCommit: true,
	}
}

type planner struct{ automatic bool }

// planShipments returns a handler that creates one shipment for each order that is both confirmed and paid.
func planShipments[E events.Event](p planner) func(context.Context, pgx.Tx, []*function.Delivery[E]) error {
	return func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		orders, err := orderstore.LockWithStatus(ctx, tx, function.OrderIDs(batch), order.Confirmed)
		if err != nil {
			return err
		}
		var planned []events.ShipmentCreated
		byOrder := map[string]*function.Delivery[E]{}
		for i, o := range orders {
			if o == nil || !o.Shippable() {
				continue
			}
			shipment, err := shipmentOf(o)
			if err != nil {
				return err
			}
			planned = append(planned, shipment)
			byOrder[o.ID] = batch[i]
		}
		stored, err := insertShipments(ctx, tx, planned)
		if err != nil {
			return err
		}
		for _, shipment := range stored {
			p.emit(byOrder[shipment.OrderID], shipment)
		}
		return nil
	}
}

func (p planner) emit(d interface{ Emit(events.Event) }, created events.ShipmentCreated) {
	d.Emit(created)
	if p.automatic {
		d.Emit(events.ShipmentDue{ShipmentID: created.ShipmentID, OrderID: created.OrderID, DueAt: time.Now().UTC()})
	}
}

func shipmentOf(o *order.Order) (events.ShipmentCreated, error) {
	shipmentID, err := id.Derive(name, o.ID, "shipment")
	return events.ShipmentCreated{
		ShipmentID: shipmentID, OrderID: o.ID, Carrier: carrier, TrackingNumber: trackingNumber(shipmentID),
		Lines: o.Lines, Pickup: o.Pickup,
	}, err
}
