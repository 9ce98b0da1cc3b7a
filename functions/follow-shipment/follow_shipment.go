// Package followshipment moves an order along behind its shipment, state by state. Whichever event comes first, the order
// goes through every state between in the order of the shipment's log.
package followshipment

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderlog"
)

const name = "follow-shipment"

// New declares the function.
func New(shop config.Shop) function.Function {
	f := following{orderlog.Times(shop)}
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.OnBatch(func(ctx context.Context, tx pgx.Tx, created events.ShipmentCreated) ([]events.Event, error) {
				return f.follow(ctx, tx, created)
			}),
			function.OnBatch(func(ctx context.Context, tx pgx.Tx, moved events.ShipmentMoved) ([]events.Event, error) {
				return f.follow(ctx, tx, moved)
			}),
		},
		Emits:   []events.Event{events.OrderAdvanced{}, events.OrderShipped{}, events.OrderDelivered{}, events.OrderReturned{}},
		Writes:  []string{"orders.orders", "orders.history"},
		Durable: true,
	}
}

type following struct{ times order.Times }

func (f following) follow(ctx context.Context, tx pgx.Tx, fact events.Event) (said []events.Event, err error) {
	shipment, err := readShipment(ctx, tx, fact.About().Subject)
	if err != nil || !shipment.moves() {
		return nil, err
	}
	o, err := orderlog.Lock(ctx, tx, fact.About().OrderID)
	if err != nil {
		return nil, err
	}
	for _, seen := range shipment.Seen {
		to, follows := order.Behind(seen.Status)
		from := o.Status
		if !follows || !o.Go(to, f.times) {
			continue
		}
		o.ShipmentID, o.Carrier, o.TrackingNumber = shipment.ID, shipment.Carrier, shipment.TrackingNumber
		if to == order.Delivered {
			o.DeliveredAt = seen.At
			o.Deadline = seen.At.Add(f.times.CompleteAfter)
		}
		if err := orderlog.Save(ctx, tx, o, name, fact.EventType()); err != nil {
			return nil, err
		}
		said = append(said, moved(o, from, seen))
	}
	return said, nil
}

// moves says that a shipment was somewhere that an order follows to.
func (s shipment) moves() bool {
	return slices.ContainsFunc(s.Seen, func(seen sighting) bool { _, follows := order.Behind(seen.Status); return follows })
}

// moved is the event of an order's new state.
func moved(o *order.Order, from order.Status, s sighting) events.Event {
	at := s.At.UTC()
	switch o.Status {
	case order.Shipped:
		return events.OrderShipped{
			OrderID: o.ID, Version: o.Version, ShipmentID: o.ShipmentID, TrackingNumber: o.TrackingNumber, Carrier: o.Carrier, Lines: o.Lines, At: at,
		}
	case order.Delivered:
		return events.OrderDelivered{OrderID: o.ID, Version: o.Version, ShipmentID: o.ShipmentID, DeliveredAt: at}
	case order.Returned:
		return events.OrderReturned{OrderID: o.ID, Version: o.Version, ShipmentID: o.ShipmentID, Lines: o.Lines, At: at}
	}
	return events.OrderAdvanced{OrderID: o.ID, Version: o.Version, From: string(from), To: string(o.Status), ShipmentID: o.ShipmentID, At: at}
}
