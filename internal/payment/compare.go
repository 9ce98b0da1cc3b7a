package payment

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/popup-shop/popup/internal/money"
)

// Booked is a payment in a provider's books.
type Booked struct {
	Ref      string
	Outcome  Outcome
	Received money.Amount // all payments, refunds not subtracted
	Refunded int64
}

// Lister is a provider whose books can be read.
type Lister interface {
	// List returns the payments that were opened at a time or later.
	List(ctx context.Context, since time.Time) ([]Booked, error)
}

// Recorded is what the shop has recorded about a payment.
type Recorded struct {
	PaymentID string
	OrderID   string
	Ref       string
	Open      bool
	Received  money.Amount
	Refunded  int64
	Listed    bool // it is old enough to be in the provider's list
	Moving    bool // it changed while the books were read, or has a refund that is not done: there is nothing to compare
}

// Kinds of differences.
const (
	Unknown     = "unknown"  // the shop has no such payment
	Missing     = "missing"  // the provider has no such payment
	InReceived  = "received" // in the money that was received
	InRefunds   = "refunded" // in the money that was refunded
	ClosedThere = "closed"   // it can no longer be paid at the provider, and the shop waits for it
)

// Difference is a difference between a provider's books and what the shop has recorded. Sums are in minor units.
type Difference struct {
	Kind      string `json:"kind"`
	PaymentID string `json:"payment_id,omitempty"`
	OrderID   string `json:"order_id,omitempty"`
	Ref       string `json:"provider_ref"`
	Currency  string `json:"currency"`
	Ours      int64  `json:"ours"`
	Theirs    int64  `json:"theirs"`
	Query     bool   `json:"query"` // a query of the payment corrects it; the others are for people
}

// Compare returns the differences, sorted by the provider's reference. A payment has one at most.
func Compare(ours []Recorded, theirs []Booked) (differences []Difference) {
	booked := make(map[string]Booked, len(theirs))
	for _, b := range theirs {
		booked[b.Ref] = b
	}
	for _, o := range ours {
		b, listed := booked[o.Ref]
		delete(booked, o.Ref)
		if d := o.compare(b, listed); d.Kind != "" && !o.Moving {
			d.PaymentID, d.OrderID, d.Ref = o.PaymentID, o.OrderID, o.Ref
			differences = append(differences, d)
		}
	}
	for _, b := range booked {
		if b.Received.Minor > 0 {
			differences = append(differences, Difference{Kind: Unknown, Ref: b.Ref, Currency: b.Received.Currency, Theirs: b.Received.Minor})
		}
	}
	slices.SortFunc(differences, func(x, y Difference) int { return strings.Compare(x.Ref, y.Ref) })
	return differences
}

// compare returns the difference of one payment, without a kind if there is none.
func (o Recorded) compare(b Booked, listed bool) Difference {
	d := Difference{Currency: o.Received.Currency, Ours: o.Received.Minor, Theirs: b.Received.Minor}
	switch {
	case !listed && o.Listed && (o.Open || o.Received.Minor > o.Refunded):
		d.Kind, d.Query = Missing, o.Open
	case !listed:
	case b.Received.Minor != o.Received.Minor || b.Received.Minor > 0 && b.Received.Currency != o.Received.Currency:
		d.Kind, d.Query = InReceived, b.Received.Minor > o.Received.Minor && (o.Received.Minor == 0 || b.Received.Currency == o.Received.Currency)
	case b.Refunded != o.Refunded:
		d.Kind, d.Ours, d.Theirs = InRefunds, o.Refunded, b.Refunded
	case o.Open && (b.Outcome == Declined || b.Outcome == Expired):
		d.Kind, d.Query = ClosedThere, true
	}
	return d
}
