// Package releasestock gives back what an order held when the order is over.
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
		Name:   "release-stock",
		On:     []function.Handler{function.On(release[events.OrderWithdrawn]), function.On(release[events.OrderRejected]), function.On(release[events.OrderExpired])},
		Emits:  []events.Event{events.StockReleased{}},
		Locks:  []string{"stock.levels"},
		Writes: []string{"stock.reservations"},
	}
}

// release says nothing when nothing was held.
func release[E events.Event](ctx context.Context, tx pgx.Tx, over E) (events.Event, error) {
	orderID := over.About().OrderID
	if err := lockLevels(ctx, tx, orderID); err != nil {
		return nil, err
	}
	lines, err := giveBack(ctx, tx, orderID)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return events.StockReleased{OrderID: orderID, Lines: lines}, nil
}
