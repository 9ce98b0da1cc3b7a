// Package releasestock releases the stock of orders that have ended, and manual reservations that have expired.
package releasestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name: "release-stock",
		On: []function.Handler{
			function.On(release[events.OrderWithdrawn]), function.On(release[events.OrderRejected]),
			function.On(release[events.OrderExpired]), function.On(due),
		},
		Emits:  []events.Event{events.StockReleased{}},
		Locks:  []string{"stock.levels"},
		Writes: []string{"stock.reservations", "stock.holds"},
	}
}

// release releases the stock of orders. It emits nothing for an order without reserved stock.
func release[E events.Event](ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
	orders := function.OrderIDs(batch)
	released, err := releaseOrders(ctx, tx, orders)
	if err != nil {
		return err
	}
	for i, d := range batch {
		if lines := released[orders[i]]; lines != nil {
			d.Emit(events.StockReleased{OrderID: orders[i], Lines: lines})
		}
	}
	return nil
}

// due expires manual reservations. It emits nothing for one that was released before.
func due(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.ReservationDue]) error {
	holds := make([]string, len(batch))
	for i, d := range batch {
		holds[i] = d.Event.ReservationID
	}
	expired, err := expireHolds(ctx, tx, holds)
	if err != nil {
		return err
	}
	released, err := releaseHolds(ctx, tx, expired)
	if err != nil {
		return err
	}
	for i, d := range batch {
		if lines := released[holds[i]]; lines != nil {
			d.Emit(events.StockReleased{ReservationID: holds[i], Lines: lines})
		}
	}
	return nil
}
