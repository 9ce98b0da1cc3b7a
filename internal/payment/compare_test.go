package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

// PAY-40.
func TestBooksThatDifferInOneWay_PAY_40(t *testing.T) {
	t.Parallel()
	ours := payment.Recorded{PaymentID: "p", OrderID: "o", Ref: "r", Received: euros(1000), Refunded: 300, Listed: true}
	theirs := payment.Booked{Ref: "r", Outcome: payment.Paid, Received: euros(1000), Refunded: 300}
	for kind, change := range map[string]func(o *payment.Recorded, b *payment.Booked){
		"": func(*payment.Recorded, *payment.Booked) {},
		payment.InReceived: func(o *payment.Recorded, _ *payment.Booked) {
			*o = payment.Recorded{PaymentID: "p", Ref: "r", Open: true}
		},
		payment.InRefunds: func(_ *payment.Recorded, b *payment.Booked) { b.Refunded = 400 },
		payment.Missing:   func(_ *payment.Recorded, b *payment.Booked) { *b = payment.Booked{} },
		payment.Unknown:   func(o *payment.Recorded, _ *payment.Booked) { *o = payment.Recorded{} },
		payment.ClosedThere: func(o *payment.Recorded, b *payment.Booked) {
			o.Open, *b = true, payment.Booked{Ref: "r", Outcome: payment.Expired}
			o.Received.Minor, o.Refunded = 0, 0
		},
	} {
		o, b := ours, theirs
		change(&o, &b)
		differences := payment.Compare([]payment.Recorded{o}, []payment.Booked{b})
		if kind == "" {
			require.Empty(t, differences)
			continue
		}
		require.Len(t, differences, 1, kind)
		require.Equal(t, kind, differences[0].Kind)
		require.Equal(t, kind != payment.InRefunds && kind != payment.Unknown, differences[0].Corrected(), kind)
		o.Moving = true
		if kind != payment.Unknown {
			require.Empty(t, payment.Compare([]payment.Recorded{o}, []payment.Booked{b}), "%s: it changes just now", kind)
		}
	}
}

// PAY-40: books that agree have no difference, and each payment that is changed on one side is one.
func TestEachDifferenceIsFound_PAY_40(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ours []payment.Recorded
		var theirs []payment.Booked
		want := 0
		for _, ref := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{6}`), 0, 20, rapid.ID[string]).Draw(t, "refs") {
			received := rapid.Int64Range(1, 1000).Draw(t, "received")
			o := payment.Recorded{PaymentID: ref, Ref: ref, Received: euros(received), Refunded: rapid.Int64Range(0, received-1).Draw(t, "refunded"), Listed: true}
			b := payment.Booked{Ref: ref, Outcome: payment.Paid, Received: o.Received, Refunded: o.Refunded}
			if rapid.Bool().Draw(t, "changed") {
				want++
				switch rapid.IntRange(0, 3).Draw(t, "change") {
				case 0:
					b.Received.Minor++
				case 1:
					o.Refunded++
				case 2:
					b.Received.Currency = "JPY"
				case 3:
					theirs = append(theirs, b)
					continue
				}
			}
			ours, theirs = append(ours, o), append(theirs, b)
		}
		require.Len(t, payment.Compare(ours, theirs), want)
	})
}
