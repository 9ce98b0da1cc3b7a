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
			function.On(function.Each(t.reserved)), function.On(function.Each(t.short)),
			function.On(function.Each(t.created)), function.On(function.Each(t.paid)), function.On(function.Each(t.failed)), function.On(function.Each(t.overdue)),
		},
		Emits: []events.Event{
			events.OrderConfirmed{},
			events.OrderSettled{},
			events.OrderRejected{},
			events.OrderExpired{},
			events.OrderWithdrawn{},
			events.OrderStalled{},
			events.RefundRequested{},
		},
		Writes:  []string{"orders.orders", "orders.history"},
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
func (t tracking) overdue(ctx context.Context, tx pgx.Tx, overdue events.OrderOverdue) (events.Event, error) {
	o, err := orderlog.Lock(ctx, tx, overdue.OrderID)
	if err != nil || o.Status.Ended() || o.Now.Before(o.Deadline) {
		return nil, err
	}
	passed := o.Deadline
	e := t.lapse(o)
	if err := orderlog.Save(ctx, tx, o, name, overdue.EventType()); err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case events.OrderExpired:
		e.Version, e.Deadline = o.Version, passed
		return e, nil
	case events.OrderWithdrawn:
		e.Version = o.Version
		return e, nil
	}
	return events.OrderStalled{OrderID: o.ID, Version: o.Version, Status: string(o.Status), Deadline: passed, NextDeadline: o.Deadline}, nil
}

// lapse decides what a passed deadline means for an order.
func (t tracking) lapse(o *order.Order) events.Event {
	from, held := o.Status, o.HeldStock()
	switch {
	case o.Go(order.Expired, t.times):
		if o.Payment == order.PaymentPending || o.Payment == order.PaymentCreated {
			o.Payment = order.PaymentExpired
		}
		return events.OrderExpired{OrderID: o.ID, Lines: o.Lines, StockHeld: held, PaymentID: o.PaymentID}
	case (o.Status == order.ReadyForPickup || o.Status == order.Confirmed && o.Payment == order.PaymentAuthorised) && o.Withdraw("clock", "overdue", t.times):
		return orderlog.Withdrawn(o, from, held)
	}
	o.Deadline = o.Now.Add(t.times.Staff)
	return events.OrderStalled{}
}
