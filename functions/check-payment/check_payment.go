// Package checkpayment queries the provider of a payment for its state, after a notice of the provider and at intervals
// while the payment is open. Only the provider's response counts.
package checkpayment

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
)

const name = "check-payment"

// New returns the function. It calls the payment providers.
func New(settings provider.Settings) function.Function {
	c := checker{settings.PaymentSilence, provider.Of(settings)}
	return function.Function{
		Name: name,
		On:   []function.Handler{onNews[events.PaymentSilent](c), onNews[events.ProviderNotified](c)},
		Emits: []events.Event{
			events.PaymentPaid{},
			events.PaymentFailed{},
			events.PaymentExpired{},
			events.PaymentMismatched{},
			events.RefundRequested{},
		},
		Locks:      []string{"orders.orders"},
		Writes:     []string{"payments.payments", "payments.attempts", "payments.entries", "payments.suspense", "payments.refunds"},
		SyncCommit: true,
	}
}

type checker struct {
	silence   time.Duration
	providers payment.Providers
}

// request is the payment to query.
type request struct {
	PaymentID string
	OrderID   string
	Method    string
	Provider  string
	Ref       string
	Amount    money.Amount
	Open      bool
}

// onNews returns the handler of an event that leads to a query.
func onNews[E events.Event](c checker) function.Handler {
	return function.OnCall(function.ExternalCall[E, request, payment.State]{
		Prepare: function.EachCall(func(ctx context.Context, tx pgx.Tx, d *function.Call[E, request, payment.State]) (err error) {
			d.Request, err = c.prepare(ctx, tx, d.Event.About().Subject)
			return err
		}),
		Call: func(ctx context.Context, _ string, q request) (payment.State, error) {
			return c.query(ctx, q)
		},
		Record: function.EachCall(func(ctx context.Context, tx pgx.Tx, d *function.Call[E, request, payment.State]) error {
			emitted, err := c.record(ctx, tx, *d.Request, d.Response)
			for _, e := range emitted {
				d.Emit(e)
			}
			return err
		}),
	})
}

// unknown is the outcome of a query without a response.
const unknown payment.Outcome = "unknown"

// query returns the state of a payment at its provider, which is unknown for an open payment whose provider does not
// respond: the next query follows soon. A closed payment is queried after a notice only, so there the error is returned and
// the notice is delivered again.
func (c checker) query(ctx context.Context, q request) (payment.State, error) {
	provider, err := c.providers.For(q.Method)
	if err != nil {
		return payment.State{}, err
	}
	s, err := provider.Query(ctx, q.Ref)
	if err != nil && q.Open {
		return payment.State{Outcome: unknown, Reason: err.Error()}, nil
	}
	return s, err
}

// prepare returns nil for a payment that no provider has books of.
func (c checker) prepare(ctx context.Context, tx pgx.Tx, paymentID string) (*request, error) {
	q, ok, err := readPayment(ctx, tx, paymentID)
	if err != nil || !ok {
		return nil, err
	}
	provider, err := c.providers.For(q.Method)
	if err != nil {
		return nil, function.Permanent(err)
	}
	if _, ok := provider.(payment.LocalProvider); ok {
		return nil, nil
	}
	return &q, nil
}

// record stores what follows from the provider's response.
func (c checker) record(ctx context.Context, tx pgx.Tx, q request, s payment.State) ([]events.Event, error) {
	if s.Outcome == unknown {
		return nil, c.recordUnanswered(ctx, tx, q, s.Reason)
	}
	known, err := lockPayment(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	at := time.Now().UTC()
	switch finding, amount := payment.Find(known, s); finding {
	case payment.NowPaid:
		return paid(q, q.Amount, at), insertEntry(ctx, tx, q, "captured")
	case payment.NowFailed:
		reason := cmp.Or(s.Reason, "declined")
		return []events.Event{events.PaymentFailed{PaymentID: q.PaymentID, OrderID: q.OrderID, Reason: reason, At: at}}, insertEntry(ctx, tx, q, "failed")
	case payment.NowOver:
		return []events.Event{events.PaymentExpired{PaymentID: q.PaymentID, OrderID: q.OrderID, At: at}}, insertEntry(ctx, tx, q, "expired")
	case payment.Late: // track-order requests the refund
		return paid(q, amount, at), insertSuspense(ctx, tx, q, amount, "late")
	case payment.Wrong:
		return mismatched(q, amount), insertSuspense(ctx, tx, q, amount, "wrong")
	case payment.Double:
		return c.returnDouble(ctx, tx, q, known, amount)
	}
	return nil, c.scheduleQuery(ctx, tx, q.PaymentID)
}

func paid(q request, amount money.Amount, at time.Time) []events.Event {
	return []events.Event{events.PaymentPaid{
		PaymentID: q.PaymentID, OrderID: q.OrderID, Method: q.Method, AmountMinor: amount.Minor, Currency: amount.Currency,
		ProviderRef: q.Ref, At: at,
	}}
}

func mismatched(q request, got money.Amount) []events.Event {
	return []events.Event{events.PaymentMismatched{
		PaymentID: q.PaymentID, OrderID: q.OrderID, ProviderRef: q.Ref,
		ExpectedMinor: q.Amount.Minor, Currency: q.Amount.Currency, GotMinor: got.Minor, GotCurrency: got.Currency,
	}}
}

// returnDouble requests the refund of money that was paid beyond the amount.
func (c checker) returnDouble(ctx context.Context, tx pgx.Tx, q request, known payment.Known, extra money.Amount) ([]events.Event, error) {
	refundID, err := payment.DoubleRefund(q.PaymentID, known.Received()+extra.Minor)
	if err != nil {
		return nil, err
	}
	requested := events.RefundRequested{
		RefundID: refundID, PaymentID: q.PaymentID, OrderID: q.OrderID, AmountMinor: extra.Minor, Currency: extra.Currency,
		Reason: "paid_twice", By: name,
	}
	if err := insertDouble(ctx, tx, q, extra, requested); err != nil {
		return nil, err
	}
	return []events.Event{requested}, nil
}
