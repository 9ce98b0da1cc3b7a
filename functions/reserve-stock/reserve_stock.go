// Package reservestock reserves stock for placed orders: all lines of an order or none.
package reservestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/stock"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name:   "reserve-stock",
		On:     []function.Handler{on(placed), on(due)},
		Emits:  []events.Event{events.StockReserved{}, events.StockShort{}},
		Locks:  []string{"orders.orders", "stock.levels"},
		Writes: []string{"stock.reservations"},
	}
}

// stockRequest has the lines of an order for which to reserve stock.
type stockRequest struct {
	OrderID string
	Lines   []events.PlacedLine
}

func placed(e events.OrderPlaced) stockRequest { return stockRequest{e.OrderID, e.Lines} }

func due(e events.StockDue) stockRequest { return stockRequest{e.OrderID, e.Lines} }

// on returns the handler of an event with the lines of an order.
func on[E events.Event](of func(E) stockRequest) function.Handler {
	return function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		orders := make([]stockRequest, len(batch))
		for i, d := range batch {
			orders[i] = of(d.Event)
		}
		return reserve(ctx, tx, orders, func(i int, e events.Event) { batch[i].Emit(e) })
	})
}

// reserve reserves stock for each order in turn and emits stock.reserved or stock.short. It skips orders that have
// ended, that have their stock already, or whose stock check is due later.
func reserve(ctx context.Context, tx pgx.Tx, batch []stockRequest, emit func(i int, e events.Event)) error {
	orders, err := lockOrders(ctx, tx, batch)
	if err != nil {
		return err
	}
	levels, held, err := lockLevels(ctx, tx, batch)
	if err != nil {
		return err
	}
	var allocations []allocation
	for i, w := range batch {
		o := orders[w.OrderID]
		if !o.Due || held[w.OrderID] {
			continue
		}
		taken, short := levels.Allocate(w.Lines, o.OnSale)
		if short != nil {
			emit(i, events.StockShort{OrderID: w.OrderID, Lines: short})
			continue
		}
		levels.Reserve(taken)
		for _, t := range taken {
			allocations = append(allocations, allocation{w.OrderID, t})
		}
		emit(i, events.StockReserved{OrderID: w.OrderID, Until: o.Deadline, Lines: heldLines(taken)})
	}
	return insertReservations(ctx, tx, allocations)
}

func heldLines(taken []stock.Allocation) []events.HeldLine {
	lines := make([]events.HeldLine, len(taken))
	for i, t := range taken {
		lines[i] = t.Held
	}
	return lines
}
