// Package reservestock holds stock for placed orders: every line of an order, or none.
package reservestock

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/stock"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:   "reserve-stock",
		On:     []function.Handler{on(placed), on(due)},
		Emits:  []events.Event{events.StockReserved{}, events.StockShort{}},
		Locks:  []string{"orders.orders", "stock.levels"},
		Writes: []string{"stock.reservations"},
	}
}

// wanted is what an order wants to hold.
type wanted struct {
	OrderID string
	Lines   []events.PlacedLine
}

func placed(e events.OrderPlaced) wanted { return wanted{e.OrderID, e.Lines} }

func due(e events.StockDue) wanted { return wanted{e.OrderID, e.Lines} }

// on declares the handler of an event that names what an order wants to hold.
func on[E events.Event](of func(E) wanted) function.Handler {
	return function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		orders := make([]wanted, len(batch))
		for i, d := range batch {
			orders[i] = of(d.Event)
		}
		return reserve(ctx, tx, orders, func(i int, e events.Event) { batch[i].Emit(e) })
	})
}

// reserve holds stock for each order in turn and emits what came of it. It does nothing for an order that is over, that holds its
// stock already, or whose check is put off until later.
func reserve(ctx context.Context, tx pgx.Tx, batch []wanted, emit func(i int, e events.Event)) error {
	orders, err := lockOrders(ctx, tx, batch)
	if err != nil {
		return err
	}
	levels, held, err := lockLevels(ctx, tx, batch)
	if err != nil {
		return err
	}
	var takes []take
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
			takes = append(takes, take{w.OrderID, t})
		}
		emit(i, events.StockReserved{OrderID: w.OrderID, Until: o.Deadline, Lines: heldLines(taken)})
	}
	return hold(ctx, tx, takes)
}

func heldLines(taken []stock.Allocation) []events.HeldLine {
	lines := make([]events.HeldLine, len(taken))
	for i, t := range taken {
		lines[i] = t.Held
	}
	return lines
}
