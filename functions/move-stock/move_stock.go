// Package movestock books stock out when an order leaves the warehouse, and in again when the order is returned.
package movestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
)

// New returns the function.
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
	return bookOutAll(ctx, tx, batch)
}

// advanced books out the stock of orders that customers have picked up.
func advanced(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderAdvanced]) error {
	var pickedUp []*function.Delivery[events.OrderAdvanced]
	for _, d := range batch {
		if order.Status(d.Event.To) == order.PickedUp {
			pickedUp = append(pickedUp, d)
		}
	}
	return bookOutAll(ctx, tx, pickedUp)
}

// bookOutAll books out the stock of orders. It emits nothing for an order whose stock was booked out before.
func bookOutAll[E events.Event](ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
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

// returned books in the stock of returned orders. It first books out stock that has not been booked out yet:
// order.shipped may be delivered later.
func returned(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderReturned]) error {
	if err := bookOutAll(ctx, tx, batch); err != nil {
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
