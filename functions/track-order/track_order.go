// Package trackorder joins the facts about an order and decides: confirmed, rejected, expired, withdrawn. The facts may
// come in any order; each is stored and then weighed under the order row's lock, so the last to arrive decides, once.
package trackorder

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderlog"
	"github.com/popup-shop/popup/internal/payment"
)

const name = "track-order"

// New declares the function. What it decides is on disk before anybody hears of it.
func New(shop config.Shop) function.Function {
	t := tracking{orderlog.Times(shop)}
	return function.Function{
		Name: name,
		On: []function.Handler{
			function.On(t.reserved), function.On(t.short),
			function.On(t.created), function.On(t.paid), function.On(t.failed), function.OnBatch(t.overdue),
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
		Writes:  []string{"orders.orders", "orders.history", "delivery.shipments", "delivery.tracking"},
		Durable: true,
	}
}

type tracking struct{ times order.Times }

func (t tracking) reserved(ctx context.Context, tx pgx.Tx, reserved events.StockReserved) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, reserved.OrderID)
	if err != nil || !o.Hold() {
		return nil, err
	}
	return t.weigh(ctx, tx, o, reserved)
}

func (t tracking) created(ctx context.Context, tx pgx.Tx, created events.PaymentCreated) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, created.OrderID)
	if err != nil {
		return nil, err
	}
	if o.Unwanted() {
		return giveBack(o, created.PaymentID, created.AmountMinor)
	}
	if !o.Open(created.PaymentID) {
		return nil, nil
	}
	return nil, orderlog.Save(ctx, tx, o, name, created.EventType())
}

func (t tracking) paid(ctx context.Context, tx pgx.Tx, paid events.PaymentPaid) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, paid.OrderID)
	if err != nil {
		return nil, err
	}
	if o.Unwanted() {
		return giveBack(o, paid.PaymentID, paid.AmountMinor)
	}
	if !o.Pay(paid.PaymentID) {
		return nil, nil
	}
	if o.Status == order.Pending {
		return t.weigh(ctx, tx, o, paid)
	}
	if err := orderlog.Save(ctx, tx, o, name, paid.EventType()); err != nil {
		return nil, err
	}
	return events.OrderSettled{OrderID: o.ID, Version: o.Version, PaymentID: o.PaymentID, AmountMinor: paid.AmountMinor, Currency: o.Currency}, nil
}

// weigh stores a fact, and confirms the order if it was the last one missing.
func (t tracking) weigh(ctx context.Context, tx pgx.Tx, o *order.Order, fact events.Event) (events.Event, error) {
	confirmed := o.Confirmable() && o.Go(order.Confirmed, t.times)
	if err := orderlog.Save(ctx, tx, o, name, fact.EventType()); err != nil || !confirmed {
		return nil, err
	}
	return events.OrderConfirmed{
		OrderID: o.ID, OrderNumber: o.Number, Version: o.Version, CustomerID: o.CustomerID, Currency: o.Currency,
		TotalMinor: o.TotalMinor, Lines: o.Lines, PaymentID: o.PaymentID, Pickup: o.Pickup,
	}, nil
}

// giveBack asks for money to go back that came for an order which is over.
func giveBack(o *order.Order, paymentID string, amount int64) (events.Event, error) {
	refundID, err := payment.WholeRefund(paymentID)
	if err != nil {
		return nil, err
	}
	return events.RefundRequested{
		RefundID: refundID, PaymentID: paymentID, OrderID: o.ID, AmountMinor: amount, Currency: o.Currency, Reason: "order_over", By: name,
	}, nil
}

func (t tracking) short(ctx context.Context, tx pgx.Tx, short events.StockShort) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, short.OrderID)
	if err != nil {
		return nil, err
	}
	reason := order.OutOfStock
	if slices.ContainsFunc(short.Lines, func(l events.ShortLine) bool { return l.Why == events.WhyGone }) {
		reason = order.Invalid
	}
	o.Stock = order.StockShort
	return t.reject(ctx, tx, o, reason, short)
}

func (t tracking) failed(ctx context.Context, tx pgx.Tx, failed events.PaymentFailed) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, failed.OrderID)
	if err != nil {
		return nil, err
	}
	reason := order.PaymentRefused
	if failed.Reason == order.NotEnoughMoney {
		reason = order.NotEnoughMoney
	}
	o.Payment, o.PaymentID = order.PaymentFailed, failed.PaymentID
	return t.reject(ctx, tx, o, reason, failed)
}

// reject ends an order that is still pending; for any other the fact comes too late.
func (t tracking) reject(ctx context.Context, tx pgx.Tx, o *order.Order, reason string, fact events.Event) (events.Event, error) {
	held := o.HeldStock()
	if !o.Reject(reason) {
		return nil, nil
	}
	if err := orderlog.Save(ctx, tx, o, name, fact.EventType()); err != nil {
		return nil, err
	}
	return events.OrderRejected{
		OrderID: o.ID, Version: o.Version, Reason: reason, Lines: o.Lines, StockHeld: held, PaymentID: o.PaymentID,
	}, nil
}

// overdue leads somewhere from every state: the order expires, is undone, or staff is told and it gets more time.
func (t tracking) overdue(ctx context.Context, tx pgx.Tx, overdue events.OrderOverdue) ([]events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, overdue.OrderID)
	if err != nil || o.Status.Ended() || o.Now.Before(o.Deadline) {
		return nil, err
	}
	if lapses(o) {
		withdrawn, refusal, err := orderlog.Withdraw(ctx, tx, o, orderlog.Withdrawal{
			By: "clock", Reason: "overdue", Name: name, Cause: overdue.EventType(),
		}, t.times)
		if err != nil || refusal == nil {
			return withdrawn, err
		}
	}
	e := t.expireOrStall(o)
	if err := orderlog.Save(ctx, tx, o, name, overdue.EventType()); err != nil {
		return nil, err
	}
	return []events.Event{e(o.Version)}, nil
}

// lapses reports whether a passed deadline undoes the order: it was not collected, or not paid in time.
func lapses(o *order.Order) bool {
	return o.Status == order.ReadyForPickup || o.Status == order.Confirmed && o.Payment == order.PaymentAuthorised
}

// expireOrStall ends an order that is still pending, and gives any other more time. It returns the event, whose version is
// known once the order is saved.
func (t tracking) expireOrStall(o *order.Order) func(version int64) events.Event {
	passed, held := o.Deadline, o.HeldStock()
	if !o.Go(order.Expired, t.times) {
		o.Deadline = o.Now.Add(t.times.Staff)
		return func(version int64) events.Event {
			return events.OrderStalled{OrderID: o.ID, Version: version, Status: string(o.Status), Deadline: passed, NextDeadline: o.Deadline}
		}
	}
	if o.Payment == order.PaymentPending || o.Payment == order.PaymentCreated {
		o.Payment = order.PaymentExpired
	}
	return func(version int64) events.Event {
		return events.OrderExpired{OrderID: o.ID, Version: version, Deadline: passed, Lines: o.Lines, StockHeld: held, PaymentID: o.PaymentID}
	}
}
