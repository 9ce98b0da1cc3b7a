// Package refundpayment refunds the payment of an order, or voids it if it is still open, when the order ends or a
// refund is requested.
package refundpayment

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
)

// New returns the function. It calls the payment providers.
func New(settings provider.Settings) function.Function {
	return newFunction(provider.Of(settings))
}

func newFunction(providers payment.Providers) function.Function {
	u := refunder{providers}
	return function.Function{
		Name: "refund-payment",
		On: []function.Handler{
			onOrderEnd(u, func(events.OrderWithdrawn) (q request) { return q }),
			onOrderEnd(u, func(events.OrderRejected) (q request) { return q }),
			onOrderEnd(u, func(events.OrderExpired) request { return request{Expired: true} }),
			onOrderEnd(u, func(e events.RefundRequested) request { return request{RefundID: e.RefundID} }),
		},
		Emits: []events.Event{
			events.PaymentRefunded{}, events.PaymentVoided{}, events.RefundFailed{},
		},
		Locks:      []string{"payments.payments"},
		Writes:     []string{"payments.refunds", "payments.attempts", "payments.entries", "payments.suspense"},
		SyncCommit: true,
	}
}

// onOrderEnd returns the handler of an event after which the shop may not keep money of an order. begin returns the part of
// the request that is in the event.
func onOrderEnd[E events.Event](u refunder, begin func(E) request) function.Handler {
	return function.OnCall(function.ExternalCall[E, request, response]{
		Prepare: function.EachCall(func(ctx context.Context, tx pgx.Tx, c *function.Call[E, request, response]) (err error) {
			c.Request, err = u.prepare(ctx, tx, c.Event.About().OrderID, begin(c.Event))
			return err
		}),
		Call: func(ctx context.Context, _ string, q request) (response, error) { return u.call(ctx, q) },
		Record: function.EachCall(func(ctx context.Context, tx pgx.Tx, c *function.Call[E, request, response]) error {
			emitted, err := u.record(ctx, tx, *c.Request, c.Response)
			if emitted != nil {
				c.Emit(emitted)
			}
			return err
		}),
		OnError: func(ctx context.Context, tx pgx.Tx, _ E, q request, cause error) error {
			return insertAttempt(ctx, tx, q, "unknown: "+cause.Error())
		},
	})
}

type refunder struct{ providers payment.Providers }

// request is the payment to refund or void.
type request struct {
	PaymentID string
	OrderID   string
	Method    string
	Provider  string
	Ref       string
	Amount    int64 // of the payment
	Captured  int64 // what is to be refunded; 0 if the payment is open
	Currency  string
	Suspense  string // why the money is in suspense; empty if it is not
	Fits      bool   // the money in suspense is at most the amount of the payment, in its currency
	RefundID  string
	Part      bool // the refund was requested with its amount, and is in payments.refunds
	Expired   bool // the order was not paid in time
}

// response is the response of the provider.
type response struct {
	Refunded bool
	Late     bool // the payment was paid while it was being voided
	Received money.Amount
	Refusal  string
}

// late returns the request to refund money that was received while the payment was being voided. check-payment may have put
// it into suspense already.
func (q request) late(a response) request {
	q.Suspense, q.Captured = "late", a.Received.Minor
	q.Fits = a.Received.Minor <= q.Amount && a.Received.Currency == q.Currency
	q.Currency = a.Received.Currency
	return q
}

// prepare returns nil if there is neither money to refund nor an open payment.
func (u refunder) prepare(ctx context.Context, tx pgx.Tx, orderID string, trigger request) (q *request, err error) {
	found, ok := request{}, false
	if trigger.RefundID != "" {
		found, ok, err = readRequested(ctx, tx, trigger.RefundID)
	}
	if err == nil && !ok {
		found, ok, err = readPayment(ctx, tx, orderID)
	}
	if err != nil || !ok || found.Part && found.Captured == 0 {
		return nil, err
	}
	found.Expired = trigger.Expired
	if _, err := u.providers.For(found.Method); err != nil {
		return nil, function.Permanent(err)
	}
	if found.Part {
		return &found, nil
	}
	found.RefundID, err = payment.WholeRefund(found.PaymentID)
	if err != nil || trigger.RefundID != "" && trigger.RefundID != found.RefundID { // a refund that is not ours
		return nil, err
	}
	return &found, nil
}

// call voids an open payment, or refunds a paid one. If the payment was paid while it was being voided, it is refunded
// too.
func (u refunder) call(ctx context.Context, q request) (a response, err error) {
	provider, err := u.providers.For(q.Method)
	if err != nil {
		return a, err
	}
	if q.Captured == 0 {
		if a.Late, err = provider.Void(ctx, q.PaymentID, q.Ref); err != nil || !a.Late {
			return a, err
		}
		state, err := provider.Query(ctx, q.Ref)
		if err != nil {
			return a, err
		}
		a.Received = state.Received
		q = q.late(a)
	}
	a.Refunded, a.Refusal, err = provider.Refund(ctx, q.RefundID, q.Ref,
		money.Amount{Minor: q.Captured, Currency: q.Currency})
	return a, err
}

func (u refunder) record(ctx context.Context, tx pgx.Tx, q request, a response) (events.Event, error) {
	if err := lockPayment(ctx, tx, q.PaymentID); err != nil {
		return nil, err
	}
	at := time.Now().UTC()
	if a.Late {
		q = q.late(a)
	}
	if q.Captured == 0 {
		voided, err := insertVoid(ctx, tx, q)
		if err != nil || !voided {
			return nil, err
		}
		return events.PaymentVoided{PaymentID: q.PaymentID, OrderID: q.OrderID, At: at}, nil
	}
	if !a.Refunded {
		if err := insertRefusal(ctx, tx, q, a); err != nil {
			return nil, err
		}
		return events.RefundFailed{
			RefundID: q.RefundID, PaymentID: q.PaymentID, OrderID: q.OrderID, AmountMinor: q.Captured,
			Currency: q.Currency, Reason: "refused",
		}, nil
	}
	refunded, ok, err := insertRefund(ctx, tx, q)
	if err != nil || !ok {
		return nil, err
	}
	return events.PaymentRefunded{
		PaymentID: q.PaymentID, OrderID: q.OrderID, RefundID: q.RefundID, AmountMinor: q.Captured,
		RefundedMinor: refunded, Currency: q.Currency, Suspense: q.Suspense, At: at,
	}, nil
}
