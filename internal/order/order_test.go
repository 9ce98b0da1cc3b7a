package order_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/order"
)

var (
	now   = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	times = order.Times{
		Pay: 7 * 24 * time.Hour, Pickup: 5 * 24 * time.Hour, Staff: 3 * 24 * time.Hour, CompleteAfter: time.Minute,
	}
	ended = []order.Status{order.Completed, order.Returned, order.Cancelled, order.Rejected, order.Expired}
)

type move struct{ from, to order.Status }

// allowed are the moves of the product's table of states.
var allowed = []move{
	{order.Pending, order.Confirmed},
	{order.Pending, order.Rejected},
	{order.Pending, order.Expired},
	{order.Pending, order.Cancelling},
	{order.Confirmed, order.Processing},
	{order.Confirmed, order.Cancelling},
	{order.Processing, order.Shipped},
	{order.Processing, order.ReadyForPickup},
	{order.ReadyForPickup, order.PickedUp},
	{order.ReadyForPickup, order.Cancelling},
	{order.PickedUp, order.Delivered},
	{order.Shipped, order.InTransit},
	{order.InTransit, order.Delivered},
	{order.InTransit, order.FailedDelivery},
	{order.Delivered, order.Completed},
	{order.Delivered, order.Returned},
	{order.FailedDelivery, order.Delivered},
	{order.FailedDelivery, order.Returned},
	{order.Cancelling, order.Cancelled},
}

// open is an order in a state, with a deadline if it is open.
func open(s order.Status) order.Order {
	o := order.Order{Status: s, Stock: order.StockPending, Payment: order.PaymentPending, Now: now}
	if !s.Ended() {
		o.Deadline = now
	}
	return o
}

// ORD-20.
func TestOf225MovesThe19OfTheTableAreAllowed(t *testing.T) {
	t.Parallel()
	require.Len(t, allowed, 19)
	tried := 0
	for _, from := range order.Statuses() {
		for _, to := range order.Statuses() {
			tried++
			require.Equal(t, slices.Contains(allowed, move{from, to}), from.CanMoveTo(to), "%s to %s", from, to)
		}
	}
	require.Equal(t, 225, tried)
}

func TestTheDatabaseAllowsTheSameMoves(t *testing.T) {
	t.Parallel()
	sql, err := os.ReadFile("../../migrations/0004_orders.sql")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(sql), "INSERT INTO orders.moves VALUES")
	require.True(t, found)
	rows, _, _ := strings.Cut(after, ";")
	var inserted []move
	for _, row := range regexp.MustCompile(`\('(\w+)', '(\w+)'\)`).FindAllStringSubmatch(rows, -1) {
		inserted = append(inserted, move{order.Status(row[1]), order.Status(row[2])})
	}
	require.ElementsMatch(t, allowed, inserted)
}

func TestFiveStatesEndAnOrder(t *testing.T) {
	t.Parallel()
	for _, s := range order.Statuses() {
		require.Equal(t, slices.Contains(ended, s), s.Ended(), s)
	}
}

func TestAMoveSetsADeadlineUnlessItEndsTheOrder(t *testing.T) {
	t.Parallel()
	for _, from := range order.Statuses() {
		for _, to := range order.Statuses() {
			o, before := open(from), open(from)
			if !o.MoveTo(to, times) {
				require.Equal(t, before, o, "a refused move changes nothing")
				continue
			}
			require.Equal(t, to, o.Status)
			require.Equal(t, to.Ended(), o.Deadline.IsZero(), "%s to %s", from, to)
		}
	}
}

func TestEachStateHasItsDeadline(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		move
		payment order.PaymentStatus
		in      time.Duration
	}{
		"confirmed, money set aside: time to pay": {move{order.Pending, order.Confirmed}, order.PaymentAuthorised, times.Pay},
		"confirmed and paid: time of staff":       {move{order.Pending, order.Confirmed}, order.PaymentPaid, times.Staff},
		"waits in the store: time to pick up":     {move{order.Processing, order.ReadyForPickup}, order.PaymentPaid, times.Pickup},
		"delivered: rests before it is completed": {move{order.InTransit, order.Delivered}, order.PaymentPaid, times.CompleteAfter},
		"packed: time of staff":                   {move{order.Confirmed, order.Processing}, order.PaymentPaid, times.Staff},
		"picked up: time of staff":                {move{order.ReadyForPickup, order.PickedUp}, order.PaymentPaid, times.Staff},
		"shipped: time of staff":                  {move{order.Processing, order.Shipped}, order.PaymentPaid, times.Staff},
		"on its way: time of staff":               {move{order.Shipped, order.InTransit}, order.PaymentPaid, times.Staff},
		"nobody took it: time of staff":           {move{order.InTransit, order.FailedDelivery}, order.PaymentPaid, times.Staff},
		"being undone: time of staff":             {move{order.Pending, order.Cancelling}, order.PaymentAuthorised, times.Staff},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(of.from)
			o.Payment = of.payment
			require.True(t, o.MoveTo(of.to, times))
			require.Equal(t, now.Add(of.in), o.Deadline)
		})
	}
}

var (
	stockSides = []order.StockStatus{
		order.StockPending, order.StockHeld, order.StockShort, order.StockReleased, order.StockShipped,
	}
	paymentSides = []order.PaymentStatus{
		order.PaymentPending, order.PaymentCreated, order.PaymentAuthorised, order.PaymentPaid, order.PaymentFailed, order.PaymentExpired,
		order.PaymentRefunding, order.PaymentRefunded,
	}
)

// everywhere runs the test on an order in every state with every stock and payment side: 600 of them.
func everywhere(t *testing.T, test func(t *testing.T, o order.Order)) {
	t.Helper()
	t.Parallel()
	for _, status := range order.Statuses() {
		for _, stock := range stockSides {
			for _, payment := range paymentSides {
				o := open(status)
				o.Stock, o.Payment = stock, payment
				test(t, o)
			}
		}
	}
}

func TestHeldStockIsNewsOnceAndNeverForAnEndedOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, before order.Order) {
		o, want := before, before
		news := !o.Status.Ended() && o.Stock == order.StockPending
		if news {
			want.Stock = order.StockHeld
		}
		require.Equal(t, news, o.Hold())
		require.Equal(t, want, o)
		require.False(t, o.Hold(), "twice is no news")
	})
}

func TestAnOpenedPaymentNeverHidesAnOutcome(t *testing.T) {
	everywhere(t, func(t *testing.T, before order.Order) {
		o, want := before, before
		news := !o.Status.Ended() && o.Payment == order.PaymentPending
		if news {
			want.Payment, want.PaymentID = order.PaymentCreated, "p"
		}
		require.Equal(t, news, o.Open("p"))
		require.Equal(t, want, o)
		require.False(t, o.Open("p"), "twice is no news")
	})
}

func TestMoneyIsNewsUnlessItIsHereOrThePaymentIsClosed(t *testing.T) {
	unpaid := []order.PaymentStatus{order.PaymentPending, order.PaymentCreated, order.PaymentAuthorised}
	everywhere(t, func(t *testing.T, before order.Order) {
		o, want := before, before
		news := !o.Status.Ended() && slices.Contains(unpaid, o.Payment)
		if news {
			want.Payment, want.PaymentID = order.PaymentPaid, "p"
		}
		require.Equal(t, news, o.Pay("p"))
		require.Equal(t, want, o)
		require.False(t, o.Pay("p"), "twice is no news")
	})
}

func TestOnlyAPendingOrderWithStockAndMoneyIsConfirmable(t *testing.T) {
	everywhere(t, func(t *testing.T, o order.Order) {
		sure := o.Payment == order.PaymentAuthorised || o.Payment == order.PaymentPaid
		require.Equal(t, sure, o.Payment.Secured())
		require.Equal(t, o.Status == order.Pending && o.Stock == order.StockHeld && sure, o.Confirmable())
	})
}

func TestMoneyIsUnwantedOnceAnOrderIsUndoneOrNeverCameToBe(t *testing.T) {
	undone := []order.Status{order.Cancelling, order.Cancelled, order.Rejected, order.Expired}
	everywhere(t, func(t *testing.T, o order.Order) {
		require.Equal(t, slices.Contains(undone, o.Status), o.MustRefund())
	})
}

func TestOnlyAPendingOrderIsRejected(t *testing.T) {
	everywhere(t, func(t *testing.T, before order.Order) {
		o := before
		if !o.Reject(order.OutOfStock) {
			require.NotEqual(t, order.Pending, before.Status)
			require.Equal(t, before, o)
			return
		}
		require.Equal(t, order.Pending, before.Status)
		require.Equal(t, order.Rejected, o.Status)
		require.Equal(t, order.OutOfStock, o.Reason)
		require.Zero(t, o.Deadline)
	})
}

func TestAnOrderIsWithdrawnFromThreeStatesAndItsMoneyGoesBack(t *testing.T) {
	cancellable := []order.Status{order.Pending, order.Confirmed, order.ReadyForPickup}
	everywhere(t, func(t *testing.T, before order.Order) {
		before.TotalMinor = 100
		free := before
		free.TotalMinor = 0
		free.Withdraw("customer", "too late", times)
		require.Equal(t, before.Payment, free.Payment, "ORD-50: an order of 0 has no money to go back")
		o := before
		require.Equal(t, slices.Contains(cancellable, o.Status), o.Cancellable())
		require.Equal(t, o.Cancellable(), o.Withdraw("customer", "too late", times))
		if o.Status != order.Cancelling || before.Status == order.Cancelling {
			require.Equal(t, before, o)
			return
		}
		require.Equal(t, "too late", o.Reason)
		require.Equal(t, before.Payment == order.PaymentPaid, o.Payment == order.PaymentRefunding &&
			before.Payment != order.PaymentRefunding)
		require.False(t, o.Withdraw("staff", "again", times), "twice is no news")
	})
}

func TestAWithdrawalReasonIsACodeWithoutFreeText(t *testing.T) {
	t.Parallel()
	for by, why := range map[string]string{"customer": "requested", "staff": "requested", "clock": "overdue"} {
		o := open(order.Pending)
		require.True(t, o.Withdraw(by, "ask me at 555-0100", times))
		require.Equal(t, why, o.WithdrawalReason())
	}
}

func TestOnlyAConfirmedAndPaidOrderIsShippable(t *testing.T) {
	everywhere(t, func(t *testing.T, o order.Order) {
		require.Equal(t, o.Status == order.Confirmed && o.Payment == order.PaymentPaid, o.Shippable())
	})
}

func TestADeliveredOrderIsCompletableOncePaidBookedOutAndRested(t *testing.T) {
	everywhere(t, func(t *testing.T, o order.Order) {
		ready := o.Status == order.Delivered && o.Payment == order.PaymentPaid && o.Stock == order.StockShipped
		o.Deadline = o.Now.Add(time.Nanosecond)
		require.False(t, o.Completable(), "not before its time")
		o.Deadline = o.Now
		require.Equal(t, ready, o.Completable())
		o.Deadline = o.Now.Add(-time.Hour)
		require.Equal(t, ready, o.Completable())
	})
}

func TestStockIsHeldUntilItIsReleasedOrShipped(t *testing.T) {
	everywhere(t, func(t *testing.T, o order.Order) { require.Equal(t, o.Stock == order.StockHeld, o.HeldStock()) })
}

func TestAnOrderFollowsItsShipmentButNotItsPlanOrItsEnd(t *testing.T) {
	t.Parallel()
	for shipment, want := range map[string]order.Status{
		"preparing": order.Processing, "ready_for_pickup": order.ReadyForPickup, "picked_up": order.PickedUp, "shipped": order.Shipped,
		"in_transit": order.InTransit, "delivered": order.Delivered, "failed_delivery": order.FailedDelivery, "returned": order.Returned,
	} {
		s, follows := order.StatusFor(shipment)
		require.True(t, follows, shipment)
		require.Equal(t, want, s)
	}
	for _, shipment := range []string{"planned", "cancelled", ""} {
		_, follows := order.StatusFor(shipment)
		require.False(t, follows, shipment)
	}
}

// apply gives the order one fact and confirms it if that was the last one missing, as track-order does.
func apply(o *order.Order, fact string) (confirmed bool) {
	news := fact == "held" && o.Hold() || fact == "opened" && o.Open("p") || fact == "paid" && o.Pay("p")
	return news && o.Confirmable() && o.MoveTo(order.Confirmed, times)
}

func TestFactsInAnyOrderAndNumberConfirmOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := []string{"held", "opened", "paid"}
		again := rapid.SliceOfN(rapid.SampledFrom(facts), 0, 6).Draw(t, "again")
		o, confirmed := open(order.Pending), 0
		for _, fact := range rapid.Permutation(append(facts, again...)).Draw(t, "told") {
			if apply(&o, fact) {
				confirmed++
			}
		}
		require.Equal(t, 1, confirmed)
		require.Equal(t, order.Order{
			Status: order.Confirmed, Stock: order.StockHeld, Payment: order.PaymentPaid, PaymentID: "p",
			Deadline: now.Add(times.Staff), Now: now,
		}, o)
	})
}

func TestAnUndoneOrderIsNeverConfirmed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := open(order.Pending)
		o.Withdraw("customer", "changed my mind", times)
		if rapid.Bool().Draw(t, "closed") {
			require.True(t, o.MoveTo(order.Cancelled, times))
		}
		for _, fact := range rapid.SliceOf(rapid.SampledFrom([]string{"held", "opened", "paid"})).Draw(t, "told") {
			require.False(t, apply(&o, fact))
		}
	})
}

func TestWhateverHappensAnOrderHasADeadlineWhileOpenAndEndsOnce(t *testing.T) {
	t.Parallel()
	acts := map[string]func(*order.Order){
		"held": func(o *order.Order) { apply(o, "held") }, "opened": func(o *order.Order) { apply(o, "opened") },
		"paid": func(o *order.Order) { apply(o, "paid") }, "reject": func(o *order.Order) { o.Reject(order.Invalid) },
		"withdraw": func(o *order.Order) { o.Withdraw("staff", "", times) },
	}
	names := []string{"held", "opened", "paid", "reject", "withdraw"}
	for _, s := range order.Statuses() {
		acts[string(s)] = func(o *order.Order) { o.MoveTo(s, times) }
		names = append(names, string(s))
	}
	rapid.Check(t, func(t *rapid.T) {
		o := open(order.Pending)
		for _, act := range rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "acts") {
			before := o
			acts[act](&o)
			require.Equal(t, o.Status.Ended(), o.Deadline.IsZero())
			if before.Status.Ended() {
				require.Equal(t, before, o)
			}
			if before.Status != o.Status {
				require.True(t, before.Status.CanMoveTo(o.Status))
			}
		}
	})
}
