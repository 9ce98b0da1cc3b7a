package payment

import "github.com/popup-shop/popup/internal/money"

// Known is what the shop has recorded about a payment.
type Known struct {
	OrderID    string
	OrderEnded bool // without a sale: money for it goes back
	Open       bool
	Amount     money.Amount
	Captured   int64
	Suspended  int64 // what came in late or does not fit, and is in suspense or went back
	Double     int64 // suspended as paid once more
}

// Finding is what follows from a provider's books for the shop.
type Finding string

// Findings.
const (
	NoNews    Finding = "nothing"
	NowPaid   Finding = "paid"
	NowFailed Finding = "failed"
	NowOver   Finding = "expired"
	Late      Finding = "late"   // the money goes back: the order has ended
	Wrong     Finding = "wrong"  // the amount, the currency or the order does not fit
	Double    Finding = "double" // more came in than was captured
)

// Find compares what a provider answered with what the shop has recorded. It depends on no earlier notice, so notices may
// come in any order, repeated or not at all. amount is the money that goes to suspense.
func Find(k Known, s Standing) (f Finding, amount money.Amount) {
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

// taken is what came in first. It is captured or in suspense; late money is both once it went back.
func (k Known) taken() int64 { return max(k.Captured, k.Suspended) }

// Received is all that came in, as far as the shop has recorded it.
func (k Known) Received() int64 { return k.taken() + k.Double }

func findPaid(k Known, s Standing) (f Finding, amount money.Amount) {
	if k.taken() > 0 {
		extra := s.Received.Minor - k.taken() - k.Double
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
