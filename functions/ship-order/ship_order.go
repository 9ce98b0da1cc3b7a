// Package shiporder plans the shipment of a confirmed and paid order.
package shiporder

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/orderlog"
)

const carrier = "popup"

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:    "ship-order",
		On:      []function.Handler{function.On(function.Each(ship[events.OrderConfirmed])), function.On(function.Each(ship[events.OrderSettled]))},
		Emits:   []events.Event{events.ShipmentCreated{}},
		Locks:   []string{"orders.orders"},
		Writes:  []string{"delivery.shipments", "delivery.tracking"},
		Durable: true,
	}
}

// ship does nothing for an order that is not both confirmed and paid, or has its shipment.
func ship[E events.Event](ctx context.Context, tx pgx.Tx, fact E) (events.Event, error) {
	o, err := orderlog.LockWhen(ctx, tx, fact.About().OrderID, "status = 'confirmed' AND payment = 'paid'")
	if err != nil || o == nil || !o.Shippable() {
		return nil, err
	}
	shipmentID, err := id.Derive("ship-order", o.ID, "shipment")
	if err != nil {
		return nil, err
	}
	planned := events.ShipmentCreated{
		ShipmentID: shipmentID, OrderID: o.ID, Carrier: carrier, TrackingNumber: trackingNumber(shipmentID), Lines: o.Lines, Pickup: o.Pickup,
	}
	if first, err := plan(ctx, tx, planned); err != nil || !first {
		return nil, err
	}
	return planned, nil
}
