// Package settlepoints spends and earns the points of completed orders, takes earned points back with refunds, and lets points run out.
package settlepoints

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/points"
)

const name = "settle-points"

// New returns the function.
func New(shop config.Shop) function.Function {
	s := settler{life: shop.PointsLife, per: shop.PointsPer}
	return function.Function{
		Name: name,
		On:   []function.Handler{function.On(s.settle), function.On(s.reclaim), function.On(lapse)},
		Emits: []events.Event{
			events.PointsSettled{},
			events.PointsReclaimed{},
			events.PointsLapsed{},
		},
		Writes: []string{"points.entries", "points.lots"},
	}
}

type settler struct {
	life time.Duration
	per  int64
}

// settle spends what completed orders hold, and adds what they earn. It runs no statement for orders without a customer.
func (s settler) settle(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderCompleted]) error {
	var all []settlement
	for _, d := range batch {
		e := d.Event
		if one := (settlement{e.CustomerID, e.OrderID, e.Points, points.Earned(e.PaidMinor, s.per)}); one.movesPoints() {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil
	}
	settled, err := insertSettlements(ctx, tx, all, s.life)
	if err != nil {
		return err
	}
	for _, d := range batch {
		if e, ok := settled[d.Event.OrderID]; ok {
			d.Emit(*e)
		}
	}
	return nil
}

// settlement is what a completed order spends and earns.
type settlement struct {
	CustomerID, OrderID string
	Spent, Earned       int64
}

func (s settlement) movesPoints() bool { return s.CustomerID != "" && s.Spent+s.Earned > 0 }

// reclaim takes back what completed orders earned, in the proportion of the money that was refunded. An order that was not completed has
// earned nothing. If the refund is handled before the order is settled, what it takes becomes a debt, which the order then pays.
func (s settler) reclaim(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.PaymentRefunded]) error {
	orders, err := readEarned(ctx, tx, function.OrderIDs(batch))
	if err != nil {
		return err
	}
	var all []reclaim
	for _, d := range batch {
		o, ok := orders[d.Event.OrderID]
		if !ok || d.Event.Suspense != "" { // the order was not paid with that money
			continue
		}
		earned := o.Earned
		if !o.Settled {
			earned = points.Earned(o.PaidMinor, s.per)
		}
		back := points.Reclaimed(earned, o.PaidMinor, d.Event.RefundedMinor, d.Event.AmountMinor)
		if back > 0 {
			all = append(all, reclaim{o.CustomerID, d.Event.OrderID, d.Event.RefundID, back})
		}
	}
	if len(all) == 0 {
		return nil
	}
	reclaimed, err := insertReclaims(ctx, tx, all)
	if err != nil {
		return err
	}
	for _, d := range batch {
		if e, ok := reclaimed[d.Event.RefundID]; ok {
			d.Emit(e)
		}
	}
	return nil
}

// reclaim is what a refund takes back.
type reclaim struct {
	CustomerID, OrderID, RefundID string
	Points                        int64
}

// lapse lets points run out. Of the lots of a customer that ran out together, the first one takes all that is left of them.
func lapse(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.PointsDue]) error {
	lots := make([]string, len(batch))
	for i, d := range batch {
		lots[i] = d.Event.EntryID
	}
	lapsed, err := expireLots(ctx, tx, lots)
	if err != nil {
		return err
	}
	for _, d := range batch {
		if n, ok := lapsed[d.Event.CustomerID]; ok {
			d.Emit(events.PointsLapsed{CustomerID: d.Event.CustomerID, Points: n, EntryID: d.Event.EntryID})
			delete(lapsed, d.Event.CustomerID)
		}
	}
	return nil
}
