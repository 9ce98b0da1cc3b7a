// Package reservestock holds stock for a placed order: every line of it, or none.
package reservestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:   "reserve-stock",
		On:     []function.Handler{function.On(function.Each(placed)), function.On(function.Each(due))},
		Emits:  []events.Event{events.StockReserved{}, events.StockShort{}},
		Locks:  []string{"orders.orders", "stock.levels"},
		Writes: []string{"stock.reservations"},
	}
}

func placed(ctx context.Context, tx pgx.Tx, placed events.OrderPlaced) (events.Event, error) {
	return reserve(ctx, tx, placed.OrderID, placed.Lines)
}

func due(ctx context.Context, tx pgx.Tx, due events.StockDue) (events.Event, error) {
	return reserve(ctx, tx, due.OrderID, due.Lines)
}

// reserve does nothing for an order that is over, that holds its stock already, or whose check is put off until later.
func reserve(ctx context.Context, tx pgx.Tx, orderID string, lines []events.PlacedLine) (events.Event, error) {
	waiting, err := lockOrder(ctx, tx, orderID, lines)
	if err != nil || !waiting.Due {
		return nil, err
	}
	levels, held, err := lockLevels(ctx, tx, orderID, lines)
	if err != nil || held {
		return nil, err
	}
	takes, short := levels.Take(lines, waiting.OnSale)
	if short != nil {
		return events.StockShort{OrderID: orderID, Lines: short}, nil
	}
	if err := hold(ctx, tx, orderID, takes); err != nil {
		return nil, err
	}
	reserved := events.StockReserved{OrderID: orderID, Until: waiting.Deadline}
	for _, take := range takes {
		reserved.Lines = append(reserved.Lines, take.Held)
	}
	return reserved, nil
}
