// Package payment is how the shop talks to those who move money. It knows no orders and no tables: a provider is asked
// with a key that is the same on every attempt, and answers what stands in its books.
package payment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/points"
)

// Outcome is how a payment stands in its provider's books.
type Outcome string

// Outcomes.
const (
	Open     Outcome = "open"     // the customer has to do something
	Paid     Outcome = "paid"     // the money is captured
	Declined Outcome = "declined" // it will never be paid
)

// Request asks a provider for a payment.
type Request struct {
	PaymentID string
	OrderID   string
	Amount    money.Amount
}

// Opened is a payment in the provider's books.
type Opened struct {
	Ref       string // the provider's id of it
	Outcome   Outcome
	Reason    string // why it was declined
	URI       string // where the customer pays, while it is open
	ExpiresAt time.Time
}

// Provider moves money for one or more methods. Every call may come more than once with the same key, and has one
// effect. An error means that the outcome is unknown; a refusal is an answer.
type Provider interface {
	// Name is the provider's name in entries.
	Name() string
	// Open makes a payment, or answers the one that was made with this key.
	Open(ctx context.Context, key string, r Request) (Opened, error)
	// Void closes an open payment, which can no longer be paid. paid reports whether it was paid before.
	Void(ctx context.Context, key, ref string) (paid bool, err error)
	// Refund gives money of a payment back. done is false, with a reason, when the provider refuses.
	Refund(ctx context.Context, key, ref string, amount money.Amount) (done bool, reason string, err error)
}

// LocalProvider is a provider that need not be asked: what Open answers, it knows beforehand and for ever.
type LocalProvider interface {
	Decide(r Request) Opened
}

// WholeRefund returns the id of the refund of everything that is left of a payment. It is the same on every request.
func WholeRefund(paymentID string) (string, error) { return id.Derive("refund", paymentID, "whole") }

// Providers are the providers by method.
type Providers map[string]Provider

// Of are the providers of the shop. success is the chance of a simulated payment.
func Of(success float64) Providers {
	return Providers{"simulated": Simulated{Success: success}, Nothing: Free{}, points.Method: Free{}}
}

// Nothing is the method of the payment of an order that costs nothing, whatever method its customer chose.
const Nothing = "none"

// MethodFor returns the method by which an amount is paid: the one that the customer chose, or Nothing where nothing is to be paid, unless
// points pay it.
func MethodFor(chosen string, amount money.Amount) string {
	if amount.Minor == 0 && chosen != points.Method {
		return Nothing
	}
	return chosen
}

// Free is the provider of payments of 0, without a method or by points: they are paid at once, and no provider has them in its books.
type Free struct{}

// Name is "none".
func (Free) Name() string { return Nothing }

// Open returns a paid payment.
func (f Free) Open(_ context.Context, _ string, r Request) (Opened, error) { return f.Decide(r), nil }

// Decide returns a paid payment.
func (Free) Decide(r Request) Opened { return Opened{Ref: "free_" + r.PaymentID, Outcome: Paid} }

// Void has nothing to close: the payment is never open.
func (Free) Void(context.Context, string, string) (bool, error) { return false, nil }

// Refund has nothing to return.
func (Free) Refund(context.Context, string, string, money.Amount) (bool, string, error) {
	return true, "", nil
}

// For is the provider of a method.
func (p Providers) For(method string) (Provider, error) {
	provider, ok := p[method]
	if !ok {
		return nil, fmt.Errorf("no provider for payment method %q", method)
	}
	return provider, nil
}

// Simulated is a provider whose outcomes are drawn: an order is paid with a set chance, and the draw of an order is the
// same on every attempt. Its books are that draw.
type Simulated struct {
	Success float64 // 0 to 1
}

// Name is "simulated".
func (Simulated) Name() string { return "simulated" }

// Open draws the outcome of the order.
func (s Simulated) Open(_ context.Context, _ string, r Request) (Opened, error) {
	return s.Decide(r), nil
}

// Decide draws the outcome of the order.
func (s Simulated) Decide(r Request) Opened {
	opened := Opened{Ref: "sim_" + r.PaymentID, Outcome: Paid}
	if s.draw(r.OrderID) >= s.Success {
		opened.Outcome, opened.Reason = Declined, "declined"
	}
	return opened
}

// draw is a number in [0, 1) that depends on the order alone.
func (Simulated) draw(orderID string) float64 {
	hash := sha256.Sum256([]byte("simulated payment of " + orderID))
	return float64(binary.BigEndian.Uint64(hash[:8])>>11) / (1 << 53)
}

// Void has nothing to close: what is drawn is never open.
func (Simulated) Void(context.Context, string, string) (bool, error) { return false, nil }

// Refund always gives the money back.
func (Simulated) Refund(context.Context, string, string, money.Amount) (bool, string, error) {
	return true, "", nil
}
