// Package movestock books goods out when they leave the warehouse, and in again when they come back.
package movestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:   "move-stock",
		On:     []function.Handler{function.On(shipped), function.On(advanced), function.On(returned)},
		Emits:  []events.Event{events.StockShipped{}, events.StockReturned{}},
		Locks:  []string{"stock.levels"},
		Writes: []string{"stock.reservations", "stock.movements"},
	}
}

func shipped(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderShipped]) error {
	return out(ctx, tx, batch)
}

// advanced books out what customers picked up.
func advanced(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderAdvanced]) error {
	var pickedUp []*function.Delivery[events.OrderAdvanced]
	for _, d := range batch {
		if order.Status(d.Event.To) == order.PickedUp {
			pickedUp = append(pickedUp, d)
		}
	}
	return out(ctx, tx, pickedUp)
}

// out books the goods of orders out. It emits nothing for an order whose goods have left before.
func out[E events.Event](ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
	if len(batch) == 0 {
		return nil
	}
	orders := function.OrderIDs(batch)
	if err := lockLevels(ctx, tx, orders); err != nil {
		return err
	}
	left, err := bookOut(ctx, tx, orders)
	if err != nil {
		return err
	}
	for i, d := range batch {
		if lines := left[orders[i]]; lines != nil {
			d.Emit(events.StockShipped{OrderID: orders[i], Lines: lines})
		}
	}
	return nil
}

// returned books out first what has not been booked out yet.
func returned(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderReturned]) error {
	if err := out(ctx, tx, batch); err != nil {
		return err
	}
	orders := function.OrderIDs(batch)
	back, err := bookIn(ctx, tx, orders)
	if err != nil {
		return err
	}
	for i, d := range batch {
		if lines := back[orders[i]]; lines != nil {
			d.Emit(events.StockReturned{OrderID: orders[i], Lines: lines})
		}
	}
	return nil
}
