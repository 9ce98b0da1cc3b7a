// Package closeorder notes what came back for an order that is over, and ends a cancelled one once nothing is held for it.
package closeorder

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
)

const name = "close-order"

// New declares the function. That an order is cancelled is on disk before anybody hears of it.
func New() function.Function {
	return function.Function{
		Name:       name,
		On:         []function.Handler{function.On(function.Each(withdrawn)), function.On(function.Each(released)), function.On(function.Each(refunded)), function.On(function.Each(voided))},
		Emits:      []events.Event{events.OrderCancelled{}},
		Writes:     []string{"orders.orders", "orders.history"},
		SyncCommit: true,
	}
}

func withdrawn(ctx context.Context, tx pgx.Tx, withdrawn events.OrderWithdrawn) (events.Event, error) {
	return note(ctx, tx, withdrawn, func(*order.Order) bool { return false })
}

// released leaves alone what was held by hand.
func released(ctx context.Context, tx pgx.Tx, released events.StockReleased) (events.Event, error) {
	if released.OrderID == "" {
		return nil, nil
	}
	return note(ctx, tx, released, func(o *order.Order) bool {
		news := o.Stock != order.StockReleased
		o.Stock = order.StockReleased
		return news
	})
}

// refunded leaves an order paid as long as some of its money is kept.
func refunded(ctx context.Context, tx pgx.Tx, refunded events.PaymentRefunded) (events.Event, error) {
	return note(ctx, tx, refunded, func(o *order.Order) bool {
		if refunded.RefundedMinor < o.TotalMinor || o.Payment == order.PaymentRefunded {
			return false
		}
		o.Payment = order.PaymentRefunded
		return true
	})
}

// voided shows a payment that was closed unpaid as expired.
func voided(ctx context.Context, tx pgx.Tx, voided events.PaymentVoided) (events.Event, error) {
	return note(ctx, tx, voided, func(o *order.Order) bool {
		if o.Payment == order.PaymentExpired {
			return false
		}
		o.Payment = order.PaymentExpired
		return true
	})
}

// note stores what came back, and cancels a withdrawn order for which it was the last thing missing.
func note(ctx context.Context, tx pgx.Tx, fact events.Event, apply func(*order.Order) bool) (events.Event, error) {
	o, err := orderstore.Lock(ctx, tx, fact.About().OrderID)
	if err != nil {
		return nil, err
	}
	news := apply(o)
	left, err := readHeld(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	cancelled := !left.Anything() && o.MoveTo(order.Cancelled, order.Times{})
	if cancelled && left.StockEver {
		o.Stock = order.StockReleased
	}
	if !news && !cancelled {
		return nil, nil
	}
	if err := orderstore.Save(ctx, tx, o, name, fact.EventType()); err != nil || !cancelled {
		return nil, err
	}
	return events.OrderCancelled{
		OrderID: o.ID, Version: o.Version, By: o.WithdrawnBy, Reason: o.WithdrawalReason(), Lines: o.Lines,
		StockHeld: left.StockEver, RefundedMinor: left.RefundedMinor, Currency: o.Currency,
	}, nil
}
