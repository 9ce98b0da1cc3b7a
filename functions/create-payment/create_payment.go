// Package createpayment opens the payment of an order at the provider of its method once the order's stock is held.
package createpayment

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/payment"
)

// New declares the function. It asks the providers for payments.
func New(shop config.Shop) function.Function { return with(payment.Of(shop.SimulatedSuccess)) }

func with(providers payment.Providers) function.Function {
	open := opening{providers}
	return function.Function{
		Name: "create-payment",
		On: []function.Handler{function.Ask(function.Asking[events.StockReserved, question, payment.Opened]{
			Prepare: open.prepare, Known: open.known, Call: open.call, Record: open.record, Failed: open.failed,
		})},
		Emits:  []events.Event{events.PaymentCreated{}, events.PaymentPaid{}, events.PaymentFailed{}},
		Locks:  []string{"orders.orders"},
		Writes: []string{"payments.payments", "payments.attempts", "payments.entries", "payments.suspense"},
	}
}

type opening struct{ providers payment.Providers }

// question is what the provider is asked, and by which method.
type question struct {
	payment.Request
	Method string
}

// prepare asks for nothing when the order is not waiting for a payment any more.
func (o opening) prepare(ctx context.Context, tx pgx.Tx, reserved events.StockReserved) (*question, error) {
	q, pending, err := readOrder(ctx, tx, reserved.OrderID)
	if err != nil || !pending {
		return nil, err
	}
	if _, err := o.providers.For(q.Method); err != nil {
		return nil, function.Permanent(err)
	}
	q.PaymentID, err = id.Derive("create-payment", reserved.OrderID, "payment")
	return &q, err
}

// known answers for a provider that need not be asked.
func (o opening) known(q question) (opened payment.Opened, known bool) {
	provider, known := o.providers[q.Method].(payment.Knowing)
	if known {
		opened = provider.Know(q.Request)
	}
	return opened, known
}

func (o opening) call(ctx context.Context, _ string, q question) (payment.Opened, error) {
	provider, err := o.providers.For(q.Method)
	if err != nil {
		return payment.Opened{}, err
	}
	return provider.Open(ctx, q.PaymentID, q.Request) // one payment per order: its id is the key
}

// record stores what the provider answered. Money that comes for an order which ended while the provider was asked is kept
// apart until it is given back.
func (o opening) record(ctx context.Context, tx pgx.Tx, _ events.StockReserved, q question, opened payment.Opened) ([]events.Event, error) {
	provider, err := o.providers.For(q.Method)
	if err != nil {
		return nil, err
	}
	ended := false
	if _, known := provider.(payment.Knowing); !known {
		if ended, err = lockOrder(ctx, tx, q.OrderID); err != nil {
			return nil, err
		}
	}
	if err := noteAttempt(ctx, tx, q, string(opened.Outcome)); err != nil {
		return nil, err
	}
	if ended && opened.Outcome == payment.Paid {
		err = keepApart(ctx, tx, q, provider.Name(), opened)
	} else {
		err = store(ctx, tx, q, provider.Name(), opened)
	}
	if err != nil {
		return nil, err
	}
	return said(q, provider.Name(), opened), nil
}

func (o opening) failed(ctx context.Context, tx pgx.Tx, _ events.StockReserved, q question, cause error) error {
	return noteAttempt(ctx, tx, q, "unknown: "+cause.Error())
}

// said is that the payment was created and, for a direct method, its outcome.
func said(q question, provider string, opened payment.Opened) []events.Event {
	created := events.PaymentCreated{
		PaymentID: q.PaymentID, OrderID: q.OrderID, Method: q.Method, Provider: provider,
		AmountMinor: q.Amount.Minor, Currency: q.Amount.Currency, URI: opened.URI,
	}
	if !opened.ExpiresAt.IsZero() {
		created.ExpiresAt = &opened.ExpiresAt
	}
	at := time.Now().UTC()
	switch opened.Outcome {
	case payment.Paid:
		return []events.Event{created, events.PaymentPaid{
			PaymentID: q.PaymentID, OrderID: q.OrderID, Method: q.Method,
			AmountMinor: q.Amount.Minor, Currency: q.Amount.Currency, ProviderRef: opened.Ref, At: at,
		}}
	case payment.Declined:
		return []events.Event{created, events.PaymentFailed{PaymentID: q.PaymentID, OrderID: q.OrderID, Reason: opened.Reason, At: at}}
	}
	return []events.Event{created}
}
