// Package followshipment moves orders along behind their shipments, state by state. Whichever event comes first, an order goes
// through every state between in the order of the shipment's log.
package followshipment

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
)

const name = "follow-shipment"

// New declares the function.
func New(shop config.Shop) function.Function {
	f := follower{orderstore.Times(shop)}
	return function.Function{
		Name:       name,
		On:         []function.Handler{function.On(f.follow)},
		Emits:      []events.Event{events.OrderAdvanced{}, events.OrderShipped{}, events.OrderDelivered{}, events.OrderReturned{}},
		Writes:     []string{"orders.orders", "orders.history"},
		SyncCommit: true,
	}
}

type follower struct{ times order.Times }

// follow moves each order of a batch to where its shipment was seen last. The orders take their first step together, then their
// second, and so on: the database accepts one version at a time.
func (f follower) follow(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentMoved]) error {
	ways, err := f.waysOf(ctx, tx, batch)
	if err != nil {
		return err
	}
	for step := 0; ; step++ {
		var moved []*order.Order
		var emit []func()
		for i, way := range ways {
			if step >= len(way) {
				continue
			}
			s := way[step]
			moved = append(moved, s.order)
			emit = append(emit, func() { batch[i].Emit(s.event()) })
		}
		if len(moved) == 0 {
			return nil
		}
		if err := orderstore.SaveAll(ctx, tx, moved, name, events.ShipmentMoved{}.EventType()); err != nil {
			return err
		}
		for _, each := range emit {
			each()
		}
	}
}

// step is an order in the state that it goes to next.
type step struct {
	order *order.Order
	from  order.Status
	seen  sighting
}

// waysOf returns the steps of each order of a batch.
func (f follower) waysOf(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentMoved]) ([][]step, error) {
	shipments, err := readShipments(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	orders, err := orderstore.LockAll(ctx, tx, function.OrderIDs(batch))
	if err != nil {
		return nil, err
	}
	ways := make([][]step, len(batch))
	for i, d := range batch {
		ways[i] = f.wayOf(orders[i], shipments[d.Event.ShipmentID])
	}
	return ways, nil
}

func (f follower) wayOf(o *order.Order, shipment shipment) (way []step) {
	for _, seen := range shipment.Seen {
		to, ok := order.StatusFor(seen.Status)
		from := o.Status
		if !ok || !o.MoveTo(to, f.times) {
			continue
		}
		o.ShipmentID, o.Carrier, o.TrackingNumber = shipment.ID, shipment.Carrier, shipment.TrackingNumber
		if to == order.Delivered {
			o.DeliveredAt = seen.At
			o.Deadline = seen.At.Add(f.times.CompleteAfter)
		}
		state := *o
		way = append(way, step{&state, from, seen})
		o.Version++
	}
	return way
}

// event returns the event of an order's new state.
func (s step) event() events.Event {
	o, at := s.order, s.seen.At.UTC()
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
	return events.OrderAdvanced{
		OrderID: o.ID, Version: o.Version, From: string(s.from), To: string(o.Status), ShipmentID: o.ShipmentID, At: at,
	}
}
