package payment

import "github.com/popup-shop/popup/internal/money"

// Known is what the shop has recorded about a payment.
type Known struct {
	OrderID    string
	OrderEnded bool // without a sale: money for it must be refunded
	Open       bool
	Amount     money.Amount
	Captured   int64
	Suspended  int64 // received late or with a wrong amount; in suspense or refunded
	Double     int64 // received beyond the amount; in suspense or refunded
}

// Finding is what the state at a provider means for the shop.
type Finding string

// Findings.
const (
	NoNews    Finding = "nothing"
	NowPaid   Finding = "paid"
	NowFailed Finding = "failed"
	NowOver   Finding = "expired"
	Late      Finding = "late"   // the order has ended: the money must be refunded
	Wrong     Finding = "wrong"  // the amount, the currency or the order does not fit
	Double    Finding = "double" // more was received than was captured
)

// Find compares the state at a provider with what the shop has recorded. It depends on no earlier notice, so notices may
// arrive in any order, repeatedly or not at all. amount is the money to put into suspense.
func Find(k Known, s State) (f Finding, amount money.Amount) {
	switch s.Outcome {
	case Paid:
		return findPaid(k, s)
	case Declined:
		if k.Open {
			return NowFailed, amount
		}
	case Expired:
		if k.Open {
			return NowOver, amount
		}
	}
	return NoNews, amount
}

// first is the amount of the first payment, which is captured or in suspense. Late money is both once it is refunded.
func (k Known) first() int64 { return max(k.Captured, k.Suspended) }

// Received is all the money of the payment that the shop has recorded.
func (k Known) Received() int64 { return k.first() + k.Double }

func findPaid(k Known, s State) (f Finding, amount money.Amount) {
	if k.first() > 0 {
		extra := s.Received.Minor - k.first() - k.Double
		if extra <= 0 || s.Received.Currency != k.Amount.Currency {
			return NoNews, amount
		}
		return Double, money.Amount{Minor: extra, Currency: s.Received.Currency}
	}
	fits := s.Received == k.Amount && (s.OrderID == "" || s.OrderID == k.OrderID)
	switch {
	case s.Received.Minor <= 0:
		return NoNews, amount
	case k.OrderEnded:
		return Late, s.Received
	case !fits:
		return Wrong, s.Received
	}
	return NowPaid, amount
}
