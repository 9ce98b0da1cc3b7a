// Package refundpayment refunds the payment of an order, or voids it if it is still open, when the order ends or a
// refund is requested.
package refundpayment

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// New returns the function. It calls the payment providers.
func New(shop config.Shop) function.Function { return newFunction(payment.Of(shop.SimulatedSuccess)) }

func newFunction(providers payment.Providers) function.Function {
	u := refunder{providers}
	return function.Function{
		Name: "refund-payment",
		On: []function.Handler{
			onOrderEnd[events.OrderWithdrawn](u), onOrderEnd[events.OrderRejected](u),
			onOrderEnd[events.OrderExpired](u), onOrderEnd[events.RefundRequested](u),
		},
		Emits:      []events.Event{events.PaymentRefunded{}, events.PaymentVoided{}, events.RefundFailed{}},
		Writes:     []string{"payments.refunds", "payments.attempts", "payments.entries", "payments.suspense"},
		SyncCommit: true,
	}
}

// onOrderEnd returns the handler of an event after which the shop may not keep the money of an order.
func onOrderEnd[E events.Event](u refunder) function.Handler {
	return function.OnCall(function.ExternalCall[E, request, response]{
		Prepare: function.EachCall(func(ctx context.Context, tx pgx.Tx, c *function.Call[E, request, response]) (err error) {
			c.Request, err = u.prepare(ctx, tx, c.Event.About().OrderID)
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
	PaymentID  string
	OrderID    string
	Method     string
	Provider   string
	Ref        string
	Amount     int64 // of the payment
	Captured   int64 // captured and not refunded; 0 if the payment is open
	Currency   string
	InSuspense bool // the money is in suspense: the order had ended when it came
	RefundID   string
}

// response is the response of the provider.
type response struct {
	Refunded bool
	Late     bool // the payment was paid while it was being voided
	Refusal  string
}

// prepare returns nil if the order has neither money to refund nor an open payment.
func (u refunder) prepare(ctx context.Context, tx pgx.Tx, orderID string) (*request, error) {
	q, ok, err := readPayment(ctx, tx, orderID)
	if err != nil || !ok {
		return nil, err
	}
	if _, err := u.providers.For(q.Method); err != nil {
		return nil, function.Permanent(err)
	}
	q.RefundID, err = payment.WholeRefund(q.PaymentID)
	return &q, err
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
		q.Captured = q.Amount
	}
	a.Refunded, a.Refusal, err = provider.Refund(ctx, q.RefundID, q.Ref,
		money.Amount{Minor: q.Captured, Currency: q.Currency})
	return a, err
}

func (u refunder) record(ctx context.Context, tx pgx.Tx, q request, a response) (events.Event, error) {
	at := time.Now().UTC()
	if a.Late {
		q.Captured = q.Amount
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
	refunded, ok, err := insertRefund(ctx, tx, q, a)
	if err != nil || !ok {
		return nil, err
	}
	return events.PaymentRefunded{
		PaymentID: q.PaymentID, OrderID: q.OrderID, RefundID: q.RefundID, AmountMinor: q.Captured,
		RefundedMinor: refunded, Currency: q.Currency, At: at,
	}, nil
}
