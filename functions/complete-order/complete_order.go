// Package completeorder ends a delivered order once it is paid, its goods are booked out and it has rested.
package completeorder

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderlog"
)

const name = "complete-order"

// New declares the function.
func New() function.Function {
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.On(function.Each(told[events.OrderDelivered])), function.On(function.Each(told[events.OrderRested])), function.On(function.Each(told[events.OrderSettled])), function.On(function.Each(shipped)),
		},
		Emits:   []events.Event{events.OrderCompleted{}},
		Writes:  []string{"orders.orders", "orders.history"},
		Durable: true,
	}
}

func told[E events.Event](ctx context.Context, tx pgx.Tx, fact E) (events.Event, error) {
	o, err := orderlog.LockWhen(ctx, tx, fact.About().OrderID, "status = 'delivered'")
	if err != nil || o == nil {
		return nil, err
	}
	return weigh(ctx, tx, o, fact, false)
}

// shipped notes that the goods left the warehouse.
func shipped(ctx context.Context, tx pgx.Tx, shipped events.StockShipped) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, shipped.OrderID)
	if err != nil {
		return nil, err
	}
	news := o.Stock == order.StockHeld
	if news {
		o.Stock = order.StockShipped
	}
	return weigh(ctx, tx, o, shipped, news)
}

// weigh completes the order if nothing is missing, and saves it if there is news.
func weigh(ctx context.Context, tx pgx.Tx, o *order.Order, fact events.Event, news bool) (events.Event, error) {
	completed := o.Completable() && o.Go(order.Completed, order.Times{})
	if !completed && !news {
		return nil, nil
	}
	if err := orderlog.Save(ctx, tx, o, name, fact.EventType()); err != nil || !completed {
		return nil, err
	}
	return events.OrderCompleted{
		OrderID: o.ID, Version: o.Version, CustomerID: o.CustomerID, Currency: o.Currency,
		TotalMinor: o.TotalMinor, PaidMinor: o.TotalMinor, At: o.Now.UTC(),
	}, nil
}
