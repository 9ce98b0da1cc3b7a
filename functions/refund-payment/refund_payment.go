// Package refundpayment refunds money and closes what is still open when an order is over or a refund is requested.
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

// New declares the function. It calls the payment providers.
func New(shop config.Shop) function.Function { return with(payment.Of(shop.SimulatedSuccess)) }

func with(providers payment.Providers) function.Function {
	u := refunder{providers}
	return function.Function{
		Name:       "refund-payment",
		On:         []function.Handler{over[events.OrderWithdrawn](u), over[events.OrderRejected](u), over[events.OrderExpired](u), over[events.RefundRequested](u)},
		Emits:      []events.Event{events.PaymentRefunded{}, events.PaymentVoided{}, events.RefundFailed{}},
		Writes:     []string{"payments.refunds", "payments.attempts", "payments.entries", "payments.suspense"},
		SyncCommit: true,
	}
}

func over[E events.Event](u refunder) function.Handler {
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
			return noteAttempt(ctx, tx, q, "unknown: "+cause.Error())
		},
	})
}

type refunder struct{ providers payment.Providers }

// request is which payment is to be undone, and how much of its money is here.
type request struct {
	PaymentID string
	OrderID   string
	Method    string
	Provider  string
	Ref       string
	Amount    int64 // of the payment
	Kept      int64 // captured and not given back; 0 when the payment is only open
	Currency  string
	Apart     bool // the money is in suspense: the order was over when it came
	RefundID  string
}

// response is what the provider did.
type response struct {
	Refunded bool
	Late     bool // the payment was paid while it was being closed
	Refusal  string
}

// prepare asks for nothing when the order has no money here and nothing open.
func (u refunder) prepare(ctx context.Context, tx pgx.Tx, orderID string) (*request, error) {
	q, found, err := readPayment(ctx, tx, orderID)
	if err != nil || !found {
		return nil, err
	}
	if _, err := u.providers.For(q.Method); err != nil {
		return nil, function.Permanent(err)
	}
	q.RefundID, err = payment.WholeRefund(q.PaymentID)
	return &q, err
}

// call closes an open payment, and gives back what was paid, even if it was paid in that moment.
func (u refunder) call(ctx context.Context, q request) (a response, err error) {
	provider, err := u.providers.For(q.Method)
	if err != nil {
		return a, err
	}
	if q.Kept == 0 {
		if a.Late, err = provider.Void(ctx, q.PaymentID, q.Ref); err != nil || !a.Late {
			return a, err
		}
		q.Kept = q.Amount
	}
	a.Refunded, a.Refusal, err = provider.Refund(ctx, q.RefundID, q.Ref, money.Amount{Minor: q.Kept, Currency: q.Currency})
	return a, err
}

func (u refunder) record(ctx context.Context, tx pgx.Tx, q request, a response) (events.Event, error) {
	at := time.Now().UTC()
	if a.Late {
		q.Kept = q.Amount
	}
	if q.Kept == 0 {
		voided, err := void(ctx, tx, q)
		if err != nil || !voided {
			return nil, err
		}
		return events.PaymentVoided{PaymentID: q.PaymentID, OrderID: q.OrderID, At: at}, nil
	}
	if !a.Refunded {
		if err := noteRefusal(ctx, tx, q, a); err != nil {
			return nil, err
		}
		return events.RefundFailed{
			RefundID: q.RefundID, PaymentID: q.PaymentID, OrderID: q.OrderID, AmountMinor: q.Kept, Currency: q.Currency, Reason: "refused",
		}, nil
	}
	refunded, first, err := refund(ctx, tx, q, a)
	if err != nil || !first {
		return nil, err
	}
	return events.PaymentRefunded{
		PaymentID: q.PaymentID, OrderID: q.OrderID, RefundID: q.RefundID, AmountMinor: q.Kept, RefundedMinor: refunded, Currency: q.Currency, At: at,
	}, nil
}
