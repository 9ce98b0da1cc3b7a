// Package returnpoints returns the points of orders that have ended without a sale, and those that a refund gives back.
package returnpoints

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

const name = "return-points"

// New returns the function.
func New(shop config.Shop) function.Function {
	return function.Function{
		Name: name,
		On: []function.Handler{
			onEnd(func(e events.OrderWithdrawn) int64 { return e.Points }),
			onEnd(func(e events.OrderRejected) int64 { return e.Points }),
			onEnd(func(e events.OrderExpired) int64 { return e.Points }),
			onRefund(shop.PointsLife),
		},
		Emits:  []events.Event{events.PointsReturned{}},
		Writes: []string{"points.entries"},
	}
}

// onEnd returns the handler of the end of orders: what is held for them becomes available again, once. It runs no statement for orders
// without points.
func onEnd[E events.Event](pointsOf func(E) int64) function.Handler {
	return function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		var orders []string
		for _, d := range batch {
			if pointsOf(d.Event) > 0 {
				orders = append(orders, d.Event.About().OrderID)
			}
		}
		if len(orders) == 0 {
			return nil
		}
		returned, err := releaseHolds(ctx, tx, orders)
		if err != nil {
			return err
		}
		emit(batch, returned)
		return nil
	})
}

// onRefund returns the handler of refunds with points: points that their orders spent become available again, for a new life.
func onRefund(life time.Duration) function.Handler {
	return function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.RefundRequested]) error {
		var refunds []events.RefundRequested
		for _, d := range batch {
			if d.Event.Points > 0 {
				refunds = append(refunds, d.Event)
			}
		}
		if len(refunds) == 0 {
			return nil
		}
		returned, err := returnWithRefunds(ctx, tx, refunds, life)
		if err != nil {
			return err
		}
		emit(batch, returned)
		return nil
	})
}

// emit emits what was returned for the orders of a batch, by order.
func emit[E events.Event](batch []*function.Delivery[E], returned map[string]events.PointsReturned) {
	for _, d := range batch {
		if e, ok := returned[d.Event.About().OrderID]; ok {
			d.Emit(e)
		}
	}
}
