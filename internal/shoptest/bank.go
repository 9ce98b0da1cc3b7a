package shoptest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// Bank is a provider that keeps its own books, as those outside do, and does what a test needs it to.
type Bank struct {
	Outcome     payment.Outcome // of every payment
	OnOpen      func()          // happens while a payment is being opened
	Unavailable bool            // no call comes through
	TooLate     bool            // an open payment was paid before it could be closed
	Received    money.Amount    // the money of such a payment
	Refusing    bool            // refunds are refused

	mu       sync.Mutex
	opened   map[string]payment.Request
	refunded map[string]money.Amount
	voided   map[string]bool
}

var errAway = errors.New("the bank does not answer")

// Name is "bank".
func (b *Bank) Name() string { return "bank" }

// Open opens one payment per key.
func (b *Bank) Open(_ context.Context, key string, r payment.Request) (payment.Opened, error) {
	if b.Unavailable {
		return payment.Opened{}, errAway
	}
	b.mu.Lock()
	if b.opened == nil {
		b.opened = map[string]payment.Request{}
	}
	b.opened[key] = r
	b.mu.Unlock()
	if b.OnOpen != nil {
		b.OnOpen()
	}
	opened := payment.Opened{Ref: "ref-" + key, Outcome: b.Outcome}
	switch b.Outcome {
	case payment.Open:
		opened.URI = "https://bank.test/pay/" + key
	case payment.Declined:
		opened.Reason = "declined"
	}
	return opened, nil
}

// Query returns what the bank's books say.
func (b *Bank) Query(_ context.Context, ref string) (payment.State, error) {
	if b.Unavailable {
		return payment.State{}, errAway
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.opened[strings.TrimPrefix(ref, "ref-")]
	state := payment.State{Outcome: b.Outcome, OrderID: r.OrderID, Received: r.Amount}
	if b.TooLate {
		state.Outcome, state.Received = payment.Paid, b.Received
	}
	return state, nil
}

// Void closes one payment per key.
func (b *Bank) Void(_ context.Context, key, _ string) (paid bool, err error) {
	if b.Unavailable {
		return false, errAway
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.voided == nil {
		b.voided = map[string]bool{}
	}
	b.voided[key] = !b.TooLate
	return b.TooLate, nil
}

// Refund gives back once per key.
func (b *Bank) Refund(_ context.Context, key, _ string, amount money.Amount) (done bool, reason string, err error) {
	switch {
	case b.Unavailable:
		return false, "", errAway
	case b.Refusing:
		return false, "account closed", nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refunded == nil {
		b.refunded = map[string]money.Amount{}
	}
	b.refunded[key] = amount
	return true, "", nil
}

// Opened are the payments in the bank's books.
func (b *Bank) Opened() (all []payment.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.opened {
		all = append(all, r)
	}
	return all
}

// Refunded are the refunds in the bank's books.
func (b *Bank) Refunded() (all []money.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, amount := range b.refunded {
		all = append(all, amount)
	}
	return all
}

// Voided is how many payments the bank has closed.
func (b *Bank) Voided() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, closed := range b.voided {
		if closed {
			n++
		}
	}
	return n
}
