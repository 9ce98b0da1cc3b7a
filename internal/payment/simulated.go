package payment

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/popup-shop/popup/internal/money"
)

// Simulated is a provider whose outcomes are drawn: an order is paid with a set chance, and the draw of an order is the
// same on every attempt. Its books are that draw.
type Simulated struct {
	Wallet  string  // its name; "simulated" when empty
	Success float64 // 0 to 1
}

// Name is that of the wallet, or "simulated".
func (s Simulated) Name() string { return cmp.Or(s.Wallet, "simulated") }

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

// Query returns an error: there are no books, and a drawn payment is never open.
func (s Simulated) Query(context.Context, string) (State, error) {
	return State{}, errors.New(s.Name() + " keeps no books")
}

// Void has nothing to close: what is drawn is never open.
func (Simulated) Void(context.Context, string, string) (bool, error) { return false, nil }

// Refund always gives the money back.
func (Simulated) Refund(context.Context, string, string, money.Amount) (bool, string, error) {
	return true, "", nil
}
