// Package releasestock gives back what an order held when the order is over, and what was held by hand when its time is.
package releasestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name: "release-stock",
		On: []function.Handler{
			function.On(function.Each(release[events.OrderWithdrawn])), function.On(function.Each(release[events.OrderRejected])), function.On(function.Each(release[events.OrderExpired])), function.On(function.Each(due)),
		},
		Emits:  []events.Event{events.StockReleased{}},
		Locks:  []string{"stock.levels"},
		Writes: []string{"stock.reservations", "stock.holds"},
	}
}

// release says nothing when nothing was held.
func release[E events.Event](ctx context.Context, tx pgx.Tx, over E) (events.Event, error) {
	orderID := over.About().OrderID
	lines, err := giveBack(ctx, tx, "order_id", orderID)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return events.StockReleased{OrderID: orderID, Lines: lines}, nil
}

// due says nothing when somebody gave it back before.
func due(ctx context.Context, tx pgx.Tx, due events.ReservationDue) (events.Event, error) {
	held, err := endHold(ctx, tx, due.ReservationID)
	if err != nil || !held {
		return nil, err
	}
	lines, err := giveBack(ctx, tx, "hold_id", due.ReservationID)
	return events.StockReleased{ReservationID: due.ReservationID, Lines: lines}, err
}
