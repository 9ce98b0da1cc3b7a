// Package payment has the payment methods, the interface of payment providers, and the rules of a payment. It knows no orders and no tables: a provider is asked
// with a key that is the same on every attempt, and answers what stands in its books.
package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
)

// Outcome is how a payment stands in its provider's books.
type Outcome string

// Outcomes.
const (
	Open     Outcome = "open"       // the customer has to do something
	Paid     Outcome = "paid"       // the money is captured
	SetAside Outcome = "authorised" // the money is set aside, and captured when the customer says so
	Declined Outcome = "declined"   // it will never be paid
	Expired  Outcome = "expired"    // it was not paid in time, and can no longer be
)

// Request asks a provider for a payment. The same key is always sent with the same request.
type Request struct {
	PaymentID   string
	OrderID     string
	OrderNumber string
	Method      string
	Amount      money.Amount
	At          time.Time // when the order was placed
	ReturnURL   string    // where the customer goes after paying
}

// Slip is what a customer pays with in a convenience store.
type Slip struct {
	Number       string    `json:"number"`
	Confirmation string    `json:"confirmation"`
	Chain        string    `json:"chain"`
	Deadline     time.Time `json:"deadline"`
}

// Opened is a payment in the provider's books.
type Opened struct {
	Ref       string // the provider's id of it
	Outcome   Outcome
	Reason    string // why it was declined
	URI       string // where the customer pays, while it is open
	Slip      *Slip
	ExpiresAt time.Time // until when the stock has to wait for the money; zero: as long as the shop wants
}

// State is the state of a payment in its provider's books.
type State struct {
	Outcome  Outcome
	Reason   string       // why it was declined
	Received money.Amount // all payments, refunds not subtracted
	OrderID  string       // the order that the provider has it for
}

// Provider moves money for one or more methods. Every call may come more than once with the same key, and has one
// effect. An error means that the outcome is unknown; a refusal is an answer.
type Provider interface {
	// Name is the provider's name in entries, and in the address of its notices.
	Name() string
	// Open makes a payment, or answers the one that was made with this key.
	Open(ctx context.Context, key string, r Request) (Opened, error)
	// Query returns the state of a payment.
	Query(ctx context.Context, ref string) (State, error)
	// Void closes an open payment, which can no longer be paid. paid reports whether it was paid before.
	Void(ctx context.Context, key, ref string) (paid bool, err error)
	// Refund gives money of a payment back. done is false, with a reason, when the provider refuses.
	Refund(ctx context.Context, key, ref string, amount money.Amount) (done bool, reason string, err error)
}

// LocalProvider is a provider that need not be asked: what Open answers, it knows beforehand and for ever.
type LocalProvider interface {
	Decide(r Request) Opened
}

// Notifier is a provider that sends notices.
type Notifier interface {
	// NoticeSecrets returns the secrets that its notices may be signed with, the present one first.
	NoticeSecrets() []string
	// ReadNotice returns the id of a notice, what kind it is, and the payment that it is about. ref is empty for a notice
	// about something else.
	ReadNotice(body []byte) (noticeID, kind, ref string, err error)
}

// WholeRefund returns the id of the refund of everything that is left of a payment. It is the same on every request.
func WholeRefund(paymentID string) (string, error) { return id.Derive("refund", paymentID, "whole") }

// DoubleRefund returns the id of the refund of money beyond the amount of a payment, of which received was paid in all.
func DoubleRefund(paymentID string, received int64) (string, error) {
	return id.Derive("refund", paymentID, fmt.Sprint("double ", received))
}

// Providers are the providers by method.
type Providers map[string]Provider

// For is the provider of a method.
func (p Providers) For(method string) (Provider, error) {
	provider, ok := p[method]
	if !ok {
		return nil, fmt.Errorf("no provider for payment method %q", method)
	}
	return provider, nil
}

// Named is the provider with a name.
func (p Providers) Named(name string) (Provider, bool) {
	for _, provider := range p {
		if provider.Name() == name {
			return provider, true
		}
	}
	return nil, false
}
