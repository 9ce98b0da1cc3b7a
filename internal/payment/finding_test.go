package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

// record does to what is known what check-payment does for a finding.
func record(k payment.Known, f payment.Finding, amount money.Amount) payment.Known {
	switch f {
	case payment.NowPaid:
		k.Open, k.Captured = false, k.Amount.Minor
	case payment.NowFailed, payment.NowOver:
		k.Open = false
	case payment.Late, payment.Wrong:
		k.Suspended = amount.Minor
	case payment.Double:
		k.Double += amount.Minor
	}
	return k
}

// PAY-24, PAY-36: a repeated query has no further result, and all money is either captured or in suspense.
func TestAFindingIsMadeOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := payment.Known{
			OrderID: "order", OrderEnded: rapid.Bool().Draw(t, "ended"), Open: rapid.Bool().Draw(t, "open"),
			Amount: money.Amount{Minor: 1000, Currency: "EUR"},
		}
		received := int64(0)
		for range rapid.IntRange(1, 4).Draw(t, "payments") {
			received += rapid.SampledFrom([]int64{1000, 999, 1001}).Draw(t, "paid")
			s := payment.State{
				Outcome: payment.Paid, Received: money.Amount{Minor: received, Currency: "EUR"}, OrderID: "order",
			}
			for range rapid.IntRange(1, 3).Draw(t, "questions") {
				f, amount := payment.Find(k, s)
				k = record(k, f, amount)
			}
			again, _ := payment.Find(k, s)
			require.Equal(t, payment.NoNews, again)
			require.Equal(t, received, k.Received())
		}
		require.False(t, k.OrderEnded && k.Captured > 0, "an ended order keeps nothing")
	})
}

// PAY-27: money for another order or in another currency is wrong, whatever its amount.
func TestMoneyOfAnotherOrderDoesNotFit(t *testing.T) {
	t.Parallel()
	k := payment.Known{OrderID: "order", Open: true, Amount: money.Amount{Minor: 1000, Currency: "EUR"}}
	for _, s := range []payment.State{
		{Outcome: payment.Paid, Received: k.Amount, OrderID: "another"},
		{Outcome: payment.Paid, Received: money.Amount{Minor: 1000, Currency: "USD"}, OrderID: "order"},
		{Outcome: payment.Paid, Received: money.Amount{Minor: 1, Currency: "EUR"}, OrderID: "order"},
	} {
		f, amount := payment.Find(k, s)
		require.Equal(t, payment.Wrong, f)
		require.Equal(t, s.Received, amount)
	}
}
