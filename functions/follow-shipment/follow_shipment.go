// Package followshipment moves orders through the states of their shipments. Events may arrive in any order or be
// missing, so it reads the tracking log of the shipment, and an order goes through every state of it in sequence.
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

// New returns the function.
func New(shop config.Shop) function.Function {
	f := follower{orderstore.Times(shop)}
	return function.Function{
		Name: name,
		On:   []function.Handler{function.On(f.follow)},
		Emits: []events.Event{
			events.OrderAdvanced{}, events.OrderShipped{}, events.OrderDelivered{}, events.OrderReturned{},
		},
		Writes:     []string{"orders.orders", "orders.history"},
		SyncCommit: true,
	}
}

type follower struct{ times order.Times }

// follow moves each order of a batch to the last state of its shipment. It saves the first step of all orders, then the
// second, and so on, since each version of an order has to be saved.
func (f follower) follow(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentMoved]) error {
	stepsByOrder, err := f.stepsOf(ctx, tx, batch)
	if err != nil {
		return err
	}
	for step := 0; ; step++ {
		var moved []*order.Order
		var emit []func()
		for i, steps := range stepsByOrder {
			if step >= len(steps) {
				continue
			}
			s := steps[step]
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

// step is an order in its next state.
type step struct {
	order *order.Order
	from  order.Status
	seen  sighting
}

// stepsOf returns the steps of each order of a batch.
func (f follower) stepsOf(
	ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ShipmentMoved],
) ([][]step, error) {
	shipments, err := readShipments(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	orders, err := orderstore.LockAll(ctx, tx, function.OrderIDs(batch))
	if err != nil {
		return nil, err
	}
	stepsByOrder := make([][]step, len(batch))
	for i, d := range batch {
		stepsByOrder[i] = f.stepsOfOrder(orders[i], shipments[d.Event.ShipmentID])
	}
	return stepsByOrder, nil
}

func (f follower) stepsOfOrder(o *order.Order, shipment shipment) (steps []step) {
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
		steps = append(steps, step{&state, from, seen})
		o.Version++
	}
	return steps
}

// event returns the event of an order's new state.
func (s step) event() events.Event {
	o, at := s.order, s.seen.At.UTC()
	switch o.Status {
	case order.Shipped:
		return events.OrderShipped{
			OrderID: o.ID, Version: o.Version, ShipmentID: o.ShipmentID, TrackingNumber: o.TrackingNumber,
			Carrier: o.Carrier, Lines: o.Lines, At: at,
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
