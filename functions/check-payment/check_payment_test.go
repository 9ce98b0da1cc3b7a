package checkpayment_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/payment/simulator"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "check-payment"

// open returns a shop that takes cards at a simulator.
func open(t *testing.T) (*shoptest.Shop, *simulator.Simulator) {
	t.Helper()
	s, err := simulator.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return shoptest.Open(t, functions.All, func(settings *functions.Settings) {
		settings.PaymentMethods, settings.Payments = []string{"card"}, s.Settings(settings.Payments)
	}), s
}

// created returns an order with an open payment.
func created(t *testing.T, shop *shoptest.Shop) events.PaymentCreated {
	t.Helper()
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("payment_method", "card"))
	reserved := shop.Send(t, "reserve-stock", placed.OrderPlaced)
	return shop.Send(t, "create-payment", reserved[0])[0].(events.PaymentCreated)
}

func silent(e events.PaymentCreated) events.PaymentSilent {
	return events.PaymentSilent{PaymentID: e.PaymentID, OrderID: e.OrderID, Provider: e.Provider, Since: time.Now().UTC()}
}

func notified(e events.PaymentCreated) events.ProviderNotified {
	return events.ProviderNotified{PaymentID: e.PaymentID, OrderID: e.OrderID, Provider: e.Provider, NoticeID: uuid.NewString()}
}

func pay(t *testing.T, s *simulator.Simulator, e events.PaymentCreated) {
	t.Helper()
	booked, ok := s.Of(e.OrderID)
	require.True(t, ok)
	_, err := s.Act("card", booked.Ref, "pay")
	require.NoError(t, err)
}

// PAY-26: a notice, a question and the return of the customer at once give one result.
func TestAllAtOnceGiveOneResult_PAY_26(t *testing.T) {
	t.Parallel()
	shop, s := open(t)
	for range 10 {
		e := created(t, shop)
		pay(t, s, e)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { shop.Send(t, name, notified(e)) })
			all.Go(func() { shop.Send(t, name, silent(e)) })
		}
		all.Wait()
		require.Len(t, shop.Emitted(t, e.OrderID, "payment.paid"), 1)
		require.Equal(t, e.AmountMinor, shoptest.Scalar[int64](t, shop,
			`SELECT captured_minor FROM payments.payments WHERE payment_id = $1`, e.PaymentID))
	}
}

// PAY-15: an open payment is queried at growing intervals, and after the shortest one when there was no response.
func TestAnOpenPaymentIsAskedAboutAgain_PAY_15(t *testing.T) {
	t.Parallel()
	shop, s := open(t)
	e := created(t, shop)
	next := func() time.Duration {
		return shoptest.Scalar[time.Duration](t, shop, `SELECT check_at - now() FROM payments.payments`)
	}
	age := func(interval string) {
		shop.Exec(t, `UPDATE payments.payments SET created_at = now() - $1::interval, check_at = now() - interval '1 s'`, interval)
	}
	require.InDelta(t, 30, next().Seconds(), 5)
	for old, want := range map[string]float64{"1 minute": 30, "20 minutes": 300, "3 days": 600} {
		age(old)
		require.Empty(t, shop.Send(t, name, silent(e)))
		require.InDelta(t, want, next().Seconds(), 10, old)
	}
	s.Fault = func(*http.Request) simulator.Fault { return simulator.Garbage }
	age("3 days")
	require.Empty(t, shop.Send(t, name, silent(e)))
	require.InDelta(t, 30, next().Seconds(), 10, "there was no answer")
	require.Contains(t, shoptest.Scalar[string](t, shop, `SELECT result FROM payments.attempts WHERE act = 'query'`), "unknown")
}

// A notice about a closed payment is delivered again until the provider responds: no query is scheduled for it.
func TestANoticeOfAClosedPaymentIsNotLost(t *testing.T) {
	t.Parallel()
	shop, s := open(t)
	e := created(t, shop)
	pay(t, s, e)
	require.Len(t, shop.Send(t, name, notified(e)), 1)
	s.Fault = func(*http.Request) simulator.Fault { return simulator.Down }
	require.Error(t, shop.TryDeliver(t, name, shop.Store(t, notified(e))))
}
