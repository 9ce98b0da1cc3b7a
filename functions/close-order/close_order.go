// Package closeorder records that stock was released and money refunded for an order that has ended, and turns a
// cancelling order into a cancelled one once the shop holds neither for it, nor points.
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

// New returns the function. It commits synchronously, so that a cancellation is on disk before its event is published.
func New() function.Function {
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.On(function.Each(withdrawn)), function.On(function.Each(released)),
			function.On(function.Each(refunded)), function.On(function.Each(voided)), function.On(function.Each(returned)),
		},
		Emits:      []events.Event{events.OrderCancelled{}},
		Writes:     []string{"orders.orders", "orders.history"},
		SyncCommit: true,
	}
}

func withdrawn(ctx context.Context, tx pgx.Tx, withdrawn events.OrderWithdrawn) (events.Event, error) {
	return applyFact(ctx, tx, withdrawn, func(*order.Order) bool { return false })
}

// released ignores the stock of manual reservations.
func released(ctx context.Context, tx pgx.Tx, released events.StockReleased) (events.Event, error) {
	if released.OrderID == "" {
		return nil, nil
	}
	return applyFact(ctx, tx, released, func(o *order.Order) bool {
		changed := o.Stock != order.StockReleased
		o.Stock = order.StockReleased
		return changed
	})
}

func returned(ctx context.Context, tx pgx.Tx, returned events.PointsReturned) (events.Event, error) {
	return applyFact(ctx, tx, returned, func(*order.Order) bool { return false })
}

// refunded records a refund. After a partial refund the order stays paid.
func refunded(ctx context.Context, tx pgx.Tx, refunded events.PaymentRefunded) (events.Event, error) {
	return applyFact(ctx, tx, refunded, func(o *order.Order) bool {
		if refunded.RefundedMinor < o.TotalMinor || o.Payment == order.PaymentRefunded {
			return false
		}
		o.Payment = order.PaymentRefunded
		return true
	})
}

// voided records a payment that was closed unpaid as expired.
func voided(ctx context.Context, tx pgx.Tx, voided events.PaymentVoided) (events.Event, error) {
	return applyFact(ctx, tx, voided, func(o *order.Order) bool {
		if o.Payment == order.PaymentExpired {
			return false
		}
		o.Payment = order.PaymentExpired
		return true
	})
}

// applyFact applies a fact to an order and saves it if that changes it. It cancels a withdrawn order if the shop holds
// nothing for it any more, and returns the event of that.
func applyFact(ctx context.Context, tx pgx.Tx, fact events.Event, apply func(*order.Order) bool) (events.Event, error) {
	o, err := orderstore.Lock(ctx, tx, fact.About().OrderID)
	if err != nil {
		return nil, err
	}
	changed := apply(o)
	held, err := readHeld(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	cancelled := !held.HoldsAnything() && o.MoveTo(order.Cancelled, order.Times{})
	if cancelled && held.StockEver {
		o.Stock = order.StockReleased
	}
	if !changed && !cancelled {
		return nil, nil
	}
	err = orderstore.Save(ctx, tx, o, name, fact.EventType())
	if err != nil || !cancelled {
		return nil, err
	}
	return events.OrderCancelled{
		OrderID: o.ID, Version: o.Version, By: o.WithdrawnBy, Reason: o.WithdrawalReason(), Lines: o.Lines,
		StockHeld: held.StockEver, RefundedMinor: held.RefundedMinor, Currency: o.Currency,
	}, nil
}
