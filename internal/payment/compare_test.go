package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

func euros(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

// PAY-40: a difference is queried if the shop learns something from it; the others are for people.
func TestBooksThatDifferInOneWay_PAY_40(t *testing.T) {
	t.Parallel()
	ours := payment.Recorded{PaymentID: "p", OrderID: "o", Ref: "r", Received: euros(1000), Refunded: 300, Listed: true}
	theirs := payment.Booked{Ref: "r", Outcome: payment.Paid, Received: euros(1000), Refunded: 300}
	waits := payment.Recorded{PaymentID: "p", OrderID: "o", Ref: "r", Received: euros(0), Open: true, Listed: true}
	with := func(b payment.Booked, received money.Amount, refunded int64) payment.Booked {
		b.Received, b.Refunded = received, refunded
		return b
	}
	for name, c := range map[string]struct {
		ours   payment.Recorded
		theirs payment.Booked
		kind   string
		query  bool
	}{
		"equal":                       {ours, theirs, "", false},
		"both wait":                   {waits, payment.Booked{Ref: "r", Outcome: payment.Open}, "", false},
		"paid there":                  {waits, with(theirs, euros(1000), 0), payment.InReceived, true},
		"paid there in yen":           {waits, with(theirs, money.Amount{Minor: 9, Currency: "JPY"}, 0), payment.InReceived, true},
		"paid twice there":            {ours, with(theirs, euros(2000), 300), payment.InReceived, true},
		"charged back there":          {ours, with(theirs, euros(0), 0), payment.InReceived, false},
		"in another currency there":   {ours, with(theirs, money.Amount{Minor: 1001, Currency: "JPY"}, 300), payment.InReceived, false},
		"refunded there":              {ours, with(theirs, euros(1000), 400), payment.InRefunds, false},
		"not refunded there":          {ours, with(theirs, euros(1000), 0), payment.InRefunds, false},
		"closed there":                {waits, payment.Booked{Ref: "r", Outcome: payment.Expired}, payment.ClosedThere, true},
		"open, and unknown there":     {waits, payment.Booked{}, payment.Missing, true},
		"paid, and unknown there":     {ours, payment.Booked{}, payment.Missing, false},
		"unknown here":                {payment.Recorded{}, theirs, payment.Unknown, false},
		"unknown here, and not paid":  {payment.Recorded{}, payment.Booked{Ref: "r", Outcome: payment.Open}, "", false},
		"too young to be listed":      {payment.Recorded{PaymentID: "p", Ref: "r", Open: true}, payment.Booked{}, "", false},
		"unknown there, all refunded": {payment.Recorded{PaymentID: "p", Ref: "r", Received: euros(5), Refunded: 5, Listed: true}, payment.Booked{}, "", false},
	} {
		found := payment.Compare([]payment.Recorded{c.ours}, []payment.Booked{c.theirs})
		if c.kind == "" {
			require.Empty(t, found, name)
			continue
		}
		require.Len(t, found, 1, name)
		require.Equal(t, []any{c.kind, c.query}, []any{found[0].Kind, found[0].Query}, name)
		c.ours.Moving = true
		if c.kind != payment.Unknown {
			require.Empty(t, payment.Compare([]payment.Recorded{c.ours}, []payment.Booked{c.theirs}), "%s: it changes just now", name)
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
