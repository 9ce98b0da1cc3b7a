// Package createpayment opens the payment of an order at the provider of its payment method, once the stock of the
// order is reserved.
package createpayment

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/provider"
)

const name = "create-payment"

// Settings configures the function.
type Settings struct {
	provider.Settings
	config.Public
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error {
	return cmp.Or(s.Settings.Check(), provider.CheckMethods(s.Settings))
}

// New returns the function. It calls the payment providers.
func New(settings Settings) function.Function {
	return newFunction(settings, provider.Of(settings.Settings))
}

func newFunction(settings Settings, providers payment.Providers) function.Function {
	c := creator{settings, providers}
	return function.Function{
		Name: name,
		On:   []function.Handler{opening[events.StockReserved](c), opening[events.PaymentDue](c)},
		Emits: []events.Event{
			events.PaymentCreated{}, events.PaymentAuthorised{}, events.PaymentPaid{}, events.PaymentFailed{},
		},
		Locks:  []string{"orders.orders", "payments.authorisations"},
		Writes: []string{"payments.payments", "payments.attempts", "payments.entries", "payments.suspense"},
	}
}

type creator struct {
	settings  Settings
	providers payment.Providers
}

// opening returns the handler of an event after which payments are opened.
func opening[E events.Event](c creator) function.Handler {
	return function.OnCall(function.ExternalCall[E, request, payment.Opened]{
		Prepare: func(ctx context.Context, tx pgx.Tx, batch []*function.Call[E, request, payment.Opened]) error {
			orders := make([]string, len(batch))
			for i, d := range batch {
				orders[i] = d.Event.About().OrderID
			}
			requests, err := c.prepare(ctx, tx, orders)
			for i, d := range batch {
				d.Request = requests[orders[i]]
			}
			return err
		},
		Local: c.local,
		Call:  c.call,
		Record: func(ctx context.Context, tx pgx.Tx, batch []*function.Call[E, request, payment.Opened]) error {
			payments := make([]opened, len(batch))
			for i, d := range batch {
				payments[i] = opened{request: *d.Request, Opened: d.Response}
			}
			if err := c.record(ctx, tx, payments); err != nil {
				return err
			}
			for i, d := range batch {
				for _, e := range payments[i].events() {
					d.Emit(e)
				}
			}
			return nil
		},
		OnError: func(ctx context.Context, tx pgx.Tx, _ E, r request, cause error) error {
			return insertFailedAttempt(ctx, tx, r, "unknown: "+cause.Error())
		},
	})
}

// request asks for the payment of an order.
type request struct {
	payment.Request
	Authorisation string          // the amount that it is taken from; empty for other methods
	Decided       *payment.Opened // what the shop's own books say, for a part of an authorisation
}

// prepare returns the requests of the orders that still wait for a payment, by order.
func (c creator) prepare(ctx context.Context, tx pgx.Tx, orders []string) (map[string]*request, error) {
	waiting, err := readOrders(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	for _, r := range waiting {
		r.Method = payment.MethodFor(r.Method, r.Amount)
		if _, err := c.providers.For(r.Method); err != nil {
			return nil, function.Permanent(err)
		}
		if r.PaymentID, err = id.Derive(name, r.OrderID, "payment"); err != nil {
			return nil, err
		}
		r.ReturnURL = strings.TrimRight(c.settings.PublicURL, "/") + "/o/" + r.OrderNumber + "/pay"
	}
	return waiting, setAside(ctx, tx, waiting)
}

// local returns the decision of a provider that needs no call.
func (c creator) local(r request) (opened payment.Opened, ok bool) {
	if r.Decided != nil {
		return *r.Decided, true
	}
	provider, ok := c.providers[r.Method].(payment.LocalProvider)
	if ok {
		opened = provider.Decide(r.Request)
	}
	return opened, ok
}

func (c creator) call(ctx context.Context, _ string, r request) (payment.Opened, error) {
	provider, err := c.providers.For(r.Method)
	if err != nil {
		return payment.Opened{}, err
	}
	return provider.Open(ctx, r.PaymentID, r.Request) // one payment per order: its id is the key
}

// record stores the payments. Money for an order that has ended meanwhile is put into suspense until it is refunded.
func (c creator) record(ctx context.Context, tx pgx.Tx, payments []opened) error {
	ended, err := c.lockEnded(ctx, tx, payments)
	if err != nil {
		return err
	}
	for i := range payments {
		p := &payments[i]
		provider, err := c.providers.For(p.Method)
		if err != nil {
			return err
		}
		p.Provider, p.Suspended = provider.Name(), ended[p.OrderID] && p.Outcome == payment.Paid
		c.setTimes(p)
	}
	return insertPayments(ctx, tx, payments)
}

// setTimes sets the deadline of an open payment and the time of its first query.
func (c creator) setTimes(o *opened) {
	if o.Outcome != payment.Open {
		return
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if o.ExpiresAt.IsZero() {
		o.ExpiresAt = now.Add(c.settings.HoldTime)
	}
	o.CheckAt = now.Add(c.settings.PaymentSilence)
}

// lockEnded locks the orders whose providers were called, and returns those that have ended. The other orders have been
// locked by prepare in the same transaction.
func (c creator) lockEnded(ctx context.Context, tx pgx.Tx, payments []opened) (map[string]bool, error) {
	var called []string
	for _, p := range payments {
		if _, ok := c.local(p.request); !ok {
			called = append(called, p.OrderID)
		}
	}
	if len(called) == 0 {
		return nil, nil
	}
	return lockOrders(ctx, tx, called)
}

// opened is a payment that the provider has opened.
type opened struct {
	request
	payment.Opened
	Provider  string
	Suspended bool
	CheckAt   time.Time // of the first query; zero for a payment that is not open
}

// events returns payment.created and, for a direct payment method, the event of its outcome; payment.authorised for money that is set aside.
func (o opened) events() []events.Event {
	if o.Outcome == payment.SetAside {
		return []events.Event{events.PaymentAuthorised{
			PaymentID: o.PaymentID, OrderID: o.OrderID, AuthorisationID: o.Authorisation, AmountMinor: o.Amount.Minor, Currency: o.Amount.Currency,
		}}
	}
	created := events.PaymentCreated{
		PaymentID: o.PaymentID, OrderID: o.OrderID, Method: o.Method, Provider: o.Provider,
		AmountMinor: o.Amount.Minor, Currency: o.Amount.Currency, URI: o.URI,
	}
	if !o.ExpiresAt.IsZero() {
		created.ExpiresAt = &o.ExpiresAt
	}
	if o.Slip != nil {
		slip := events.Slip(*o.Slip)
		created.Slip = &slip
	}
	at := time.Now().UTC()
	switch o.Outcome {
	case payment.Paid:
		return []events.Event{created, events.PaymentPaid{
			PaymentID: o.PaymentID, OrderID: o.OrderID, Method: o.Method,
			AmountMinor: o.Amount.Minor, Currency: o.Amount.Currency, ProviderRef: o.Ref, At: at,
		}}
	case payment.Declined:
		return []events.Event{
			created, events.PaymentFailed{PaymentID: o.PaymentID, OrderID: o.OrderID, Reason: o.Reason, At: at},
		}
	}
	return []events.Event{created}
}
