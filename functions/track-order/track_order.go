// Package trackorder decides whether orders are confirmed, rejected, expired or withdrawn. It consumes the events of
// stock and payments, which may arrive in any order: each is applied to the order and evaluated under the lock of the
// order's row. For example, stock.reserved and payment.paid of an order may be handled concurrently; the second one
// waits for the lock, finds the first one's fact and confirms the order, once.
package trackorder

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
	"github.com/popup-shop/popup/internal/payment"
)

const name = "track-order"

// New returns the function. It commits synchronously, so that a decision is on disk before its event is published.
func New(shop config.Shop) function.Function {
	t := tracking{orderstore.Times(shop)}
	return function.Function{
		Name: name,
		On: []function.Handler{
			decideOn(t.reserved), decideOn(t.short), decideOn(t.created), decideOn(t.paid), decideOn(t.failed),
			decideOn(t.expired), decideOn(t.authorised),
			function.On(t.overdue),
		},
		Emits: []events.Event{
			events.OrderConfirmed{},
			events.OrderSettled{},
			events.OrderRejected{},
			events.OrderExpired{},
			events.OrderWithdrawn{},
			events.OrderStalled{},
			events.RefundRequested{},
			events.ShipmentMoved{},
		},
		Writes:     []string{"orders.orders", "orders.history", "delivery.shipments", "delivery.tracking"},
		SyncCommit: true,
	}
}

type tracking struct{ times order.Times }

// decision is the result of applying a fact to an order: whether to save it, and the event to emit. event is called
// after the order has been saved, since it contains the new version; it is nil if there is nothing to emit.
type decision struct {
	save  bool
	event func() events.Event
}

// decideOn returns the handler of a fact: it locks the orders of a batch, applies the fact to each and saves those that
// changed.
func decideOn[E events.Event](decide func(o *order.Order, fact E) (decision, error)) function.Handler {
	return function.On(func(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[E]) error {
		orders, err := orderstore.LockAll(ctx, tx, function.OrderIDs(batch))
		if err != nil {
			return err
		}
		decisions := make([]decision, len(batch))
		var changed []*order.Order
		for i, d := range batch {
			if decisions[i], err = decide(orders[i], d.Event); err != nil {
				return err
			}
			if decisions[i].save {
				changed = append(changed, orders[i])
			}
		}
		if err := orderstore.SaveAll(ctx, tx, changed, name, batch[0].Event.EventType()); err != nil {
			return err
		}
		for i, d := range batch {
			if decisions[i].event != nil {
				d.Emit(decisions[i].event())
			}
		}
		return nil
	})
}

func (t tracking) reserved(o *order.Order, _ events.StockReserved) (decision, error) {
	if !o.Hold() {
		return decision{}, nil
	}
	return t.confirmIfComplete(o), nil
}

func (t tracking) created(o *order.Order, created events.PaymentCreated) (decision, error) {
	if o.MustRefund() {
		return requestRefund(o, created.PaymentID, created.AmountMinor)
	}
	news := o.Open(created.PaymentID)
	if news && o.Status == order.Pending && created.ExpiresAt != nil && created.ExpiresAt.After(o.Deadline) {
		o.Deadline = *created.ExpiresAt // the stock is held until the payment expires
	}
	return decision{save: news}, nil
}

func (t tracking) authorised(o *order.Order, set events.PaymentAuthorised) (decision, error) {
	if o.MustRefund() {
		return requestRefund(o, set.PaymentID, set.AmountMinor)
	}
	if !o.Authorise(set.PaymentID) {
		return decision{}, nil
	}
	return t.confirmIfComplete(o), nil
}

// expired ends a pending order whose payment was not made in time.
func (t tracking) expired(o *order.Order, _ events.PaymentExpired) (decision, error) {
	if o.Status != order.Pending {
		return decision{}, nil
	}
	return decision{save: true, event: expire(o, t.times)}, nil
}

func (t tracking) paid(o *order.Order, paid events.PaymentPaid) (decision, error) {
	if o.MustRefund() {
		return requestRefund(o, paid.PaymentID, paid.AmountMinor)
	}
	if !o.Pay(paid.PaymentID) {
		return decision{}, nil
	}
	if o.Status == order.Pending {
		return t.confirmIfComplete(o), nil
	}
	if o.Status == order.Confirmed { // until now the order waited for its customer
		o.Deadline = o.Now.Add(t.times.Staff)
	}
	return decision{save: true, event: func() events.Event {
		return events.OrderSettled{
			OrderID: o.ID, Version: o.Version, PaymentID: o.PaymentID, AmountMinor: paid.AmountMinor,
			Currency: o.Currency,
		}
	}}, nil
}

// confirmIfComplete confirms an order if it now meets all conditions.
func (t tracking) confirmIfComplete(o *order.Order) decision {
	if !o.Confirmable() || !o.MoveTo(order.Confirmed, t.times) {
		return decision{save: true}
	}
	return decision{save: true, event: func() events.Event {
		return events.OrderConfirmed{
			OrderID: o.ID, OrderNumber: o.Number, Version: o.Version, CustomerID: o.CustomerID, Currency: o.Currency,
			TotalMinor: o.TotalMinor, Lines: o.Lines, PaymentID: o.PaymentID, Pickup: o.Pickup,
		}
	}}
}

// requestRefund requests a refund of money that came for an order which has ended.
func requestRefund(o *order.Order, paymentID string, amount int64) (decision, error) {
	refundID, err := payment.WholeRefund(paymentID)
	if err != nil {
		return decision{}, err
	}
	return decision{event: func() events.Event {
		return events.RefundRequested{
			RefundID: refundID, PaymentID: paymentID, OrderID: o.ID, AmountMinor: amount, Currency: o.Currency,
			Reason: "order_over", By: name,
		}
	}}, nil
}

func (t tracking) short(o *order.Order, short events.StockShort) (decision, error) {
	reason := order.OutOfStock
	if slices.ContainsFunc(short.Lines, func(l events.ShortLine) bool { return l.Why == events.WhyGone }) {
		reason = order.Invalid
	}
	o.Stock = order.StockShort
	return reject(o, reason), nil
}

func (t tracking) failed(o *order.Order, failed events.PaymentFailed) (decision, error) {
	reason := order.PaymentRefused
	if failed.Reason == order.NotEnoughMoney {
		reason = order.NotEnoughMoney
	}
	o.Payment, o.PaymentID = order.PaymentFailed, failed.PaymentID
	return reject(o, reason), nil
}

// reject rejects an order that is still pending. It changes no other order: for those the fact comes too late.
func reject(o *order.Order, reason string) decision {
	held := o.HeldStock()
	if !o.Reject(reason) {
		return decision{}
	}
	return decision{save: true, event: func() events.Event {
		return events.OrderRejected{
			OrderID: o.ID, Version: o.Version, Reason: reason, Lines: o.Lines, StockHeld: held, Points: o.Points, PaymentID: o.PaymentID,
		}
	}}
}

// overdue handles a passed deadline in every state: the order expires, is withdrawn, or gets more time and staff are
// notified.
func (t tracking) overdue(ctx context.Context, tx pgx.Tx, batch []*function.Delivery[events.OrderOverdue]) error {
	orders, err := orderstore.LockAll(ctx, tx, function.OrderIDs(batch))
	if err != nil {
		return err
	}
	for i, d := range batch {
		emitted, err := t.passDeadline(ctx, tx, orders[i], d.Event.EventType())
		if err != nil {
			return err
		}
		for _, e := range emitted {
			d.Emit(e)
		}
	}
	return nil
}

func (t tracking) passDeadline(ctx context.Context, tx pgx.Tx, o *order.Order, cause string) ([]events.Event, error) {
	if o.Status.Ended() || o.Now.Before(o.Deadline) {
		return nil, nil
	}
	if mustWithdraw(o) {
		withdrawal := orderstore.Withdrawal{By: "clock", Reason: "overdue", Name: name, Cause: cause}
		withdrawn, refusal, err := orderstore.Withdraw(ctx, tx, o, withdrawal, t.times)
		if err != nil || refusal == nil {
			return withdrawn, err
		}
	}
	e := t.expireOrStall(o)
	if err := orderstore.Save(ctx, tx, o, name, cause); err != nil {
		return nil, err
	}
	return []events.Event{e(o.Version)}, nil
}

// mustWithdraw reports whether a passed deadline withdraws the order: it was not picked up, or not paid in time.
func mustWithdraw(o *order.Order) bool {
	return o.Status == order.ReadyForPickup || o.Status == order.Confirmed && o.Payment == order.PaymentAuthorised
}

// expireOrStall expires an order that is still pending, and gives any other order more time. It returns a function that
// returns the event for the version which the order has once it is saved.
func (t tracking) expireOrStall(o *order.Order) func(version int64) events.Event {
	if !o.Status.CanMoveTo(order.Expired) {
		passed := o.Deadline
		o.Deadline = o.Now.Add(t.times.Staff)
		return func(version int64) events.Event {
			return events.OrderStalled{
				OrderID: o.ID, Version: version, Status: string(o.Status), Deadline: passed, NextDeadline: o.Deadline,
			}
		}
	}
	e := expire(o, t.times)
	return func(int64) events.Event { return e() }
}

// expire ends an order that was not paid in time, and returns a function that returns the event of it once it is saved.
func expire(o *order.Order, times order.Times) func() events.Event {
	passed, held := o.Deadline, o.HeldStock()
	o.MoveTo(order.Expired, times)
	if o.Payment == order.PaymentPending || o.Payment == order.PaymentCreated {
		o.Payment = order.PaymentExpired
	}
	return func() events.Event {
		return events.OrderExpired{
			OrderID: o.ID, Version: o.Version, Deadline: passed, Lines: o.Lines, StockHeld: held, Points: o.Points, PaymentID: o.PaymentID,
		}
	}
}
