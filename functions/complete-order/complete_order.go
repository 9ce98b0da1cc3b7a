// Package completeorder completes delivered orders once they are paid, their stock is booked out and the return period
// is over.
package completeorder

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
)

const name = "complete-order"

// New returns the function.
func New() function.Function {
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.On(delivered[events.OrderDelivered]), function.On(delivered[events.OrderRested]),
			function.On(delivered[events.OrderSettled]), function.On(shipped),
		},
		Emits:      []events.Event{events.OrderCompleted{}},
		Writes:     []string{"orders.orders", "orders.history"},
		SyncCommit: true,
	}
}

// delivered completes the delivered orders that meet all conditions.
func delivered[E events.Event](ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
	orders, err := orderstore.LockWithStatus(ctx, tx, function.OrderIDs(batch), order.Delivered)
	if err != nil {
		return err
	}
	return applyFact(ctx, tx, batch, orders, func(*order.Order) bool { return false })
}

// shipped records that stock has left the warehouse, and completes the orders for which that was the last condition.
func shipped(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.StockShipped]) error {
	orders, err := orderstore.LockAll(ctx, tx, function.OrderIDs(batch))
	if err != nil {
		return err
	}
	return applyFact(ctx, tx, batch, orders, func(o *order.Order) bool {
		changed := o.Stock == order.StockHeld
		if changed {
			o.Stock = order.StockShipped
		}
		return changed
	})
}

// applyFact applies a fact to orders, saves those that are changed or completed, and emits order.completed.
func applyFact[E events.Event](
	ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E], orders []*order.Order,
	apply func(*order.Order) (changed bool),
) error {
	var saved []*order.Order
	completed := make([]bool, len(batch))
	for i, o := range orders {
		if o == nil {
			continue
		}
		changed := apply(o)
		completed[i] = o.Completable() && o.MoveTo(order.Completed, order.Times{})
		if changed || completed[i] {
			saved = append(saved, o)
		}
	}
	if err := orderstore.SaveAll(ctx, tx, saved, name, batch[0].Event.EventType()); err != nil {
		return err
	}
	for i, o := range orders {
		if completed[i] {
			batch[i].Emit(events.OrderCompleted{
				OrderID: o.ID, Version: o.Version, CustomerID: o.CustomerID, Currency: o.Currency,
				TotalMinor: o.TotalMinor, PaidMinor: o.TotalMinor, Points: o.Points, At: o.Now.UTC(),
			})
		}
	}
	return nil
}
