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
		On:     []function.Handler{function.On(function.Each(shipped)), function.On(function.Each(advanced)), function.OnBatch(returned)},
		Emits:  []events.Event{events.StockShipped{}, events.StockReturned{}},
		Locks:  []string{"stock.levels"},
		Writes: []string{"stock.reservations", "stock.movements"},
	}
}

func shipped(ctx context.Context, tx pgx.Tx, shipped events.OrderShipped) (events.Event, error) {
	return out(ctx, tx, shipped.OrderID)
}

// advanced books out what a customer picked up.
func advanced(ctx context.Context, tx pgx.Tx, advanced events.OrderAdvanced) (events.Event, error) {
	if order.Status(advanced.To) != order.PickedUp {
		return nil, nil
	}
	return out(ctx, tx, advanced.OrderID)
}

func out(ctx context.Context, tx pgx.Tx, orderID string) (events.Event, error) {
	if err := lockLevels(ctx, tx, orderID); err != nil {
		return nil, err
	}
	lines, err := bookOut(ctx, tx, orderID)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return events.StockShipped{OrderID: orderID, Lines: lines}, nil
}

// returned books out first what it had not heard to have left.
func returned(ctx context.Context, tx pgx.Tx, returned events.OrderReturned) (said []events.Event, err error) {
	left, err := out(ctx, tx, returned.OrderID)
	if err != nil {
		return nil, err
	}
	if left != nil {
		said = append(said, left)
	}
	lines, err := bookIn(ctx, tx, returned.OrderID)
	if err != nil || len(lines) == 0 {
		return said, err
	}
	return append(said, events.StockReturned{OrderID: returned.OrderID, Lines: lines}), nil
}
