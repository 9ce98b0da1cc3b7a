// Package carryshipment simulates the carrier when shipping is automatic: it moves shipments to their next state when
// they are due.
package carryshipment

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/delivery"
	"github.com/popup-shop/popup/internal/function"
)

const name = "carry-shipment"

// New returns the function.
func New(shop config.Shop) function.Function {
	c := carrier{automatic: shop.Shipping == "auto", pace: shop.CarrierPace}
	return function.Function{
		Name:   name,
		On:     []function.Handler{function.On(c.due)},
		Emits:  []events.Event{events.ShipmentMoved{}},
		Locks:  []string{"orders.orders"},
		Writes: []string{"delivery.shipments", "delivery.tracking"},
	}
}

type carrier struct {
	automatic bool
	pace      time.Duration
}

func (c carrier) due(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentDue]) error {
	for _, d := range batch {
		moved, err := c.carry(ctx, tx, d.Event.ShipmentID, d.Event.OrderID)
		if err != nil {
			return err
		}
		for _, e := range moved {
			d.Emit(e)
		}
	}
	return nil
}

// carry moves a shipment to its next state and schedules the next move, or through all states if the pace is zero. The
// shipment of an order that is cancelled stays in its state.
func (c carrier) carry(ctx context.Context, tx pgx.Tx, shipmentID, orderID string) ([]events.Event, error) {
	if !c.automatic {
		return nil, nil
	}
	from, due, err := lockShipment(ctx, tx, shipmentID)
	if err != nil || !due {
		return nil, err
	}
	var moved []events.Event
	var states []string
	now := time.Now().UTC()
	for to, ok := delivery.Next(from); ok && (c.pace == 0 || len(states) == 0); to, ok = delivery.Next(to) {
		moved = append(moved, events.ShipmentMoved{
			ShipmentID: shipmentID, OrderID: orderID, From: from, To: to, By: name, At: now,
		})
		states, from = append(states, to), to
	}
	if len(states) == 0 {
		return nil, nil
	}
	var next *time.Time
	if _, ok := delivery.Next(from); ok {
		at := now.Add(c.pace)
		next = &at
	}
	return moved, move(ctx, tx, shipmentID, states, next)
}
