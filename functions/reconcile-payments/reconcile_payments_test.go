package reconcilepayments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/simulator"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "reconcile-payments"

type bench struct {
	*shoptest.Shop
	books *simulator.Simulator
	t     *testing.T
}

func setup(t *testing.T) bench {
	t.Helper()
	s, err := simulator.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return bench{shoptest.Open(t, functions.All, func(settings *functions.Settings) {
		settings.PaymentMethods, settings.Payments = []string{"card", "taler"}, s.Settings(settings.Payments)
	}), s, t}
}

// opened returns an order with an open payment, made some time ago.
func (b bench) opened(method string) events.PaymentCreated {
	b.t.Helper()
	placed := b.Place(b.t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("payment_method", method))
	reserved := b.Send(b.t, "reserve-stock", placed.OrderPlaced)
	return b.Send(b.t, "create-payment", reserved[0])[0].(events.PaymentCreated)
}

func (b bench) age() {
	b.Exec(b.t, `UPDATE payments.payments SET created_at = now() - interval '1 hour', updated_at = now() - interval '1 hour'`)
}

func (b bench) act(e events.PaymentCreated, act string) string {
	b.t.Helper()
	booked, ok := b.books.Of(e.OrderID)
	require.True(b.t, ok)
	_, err := b.books.Act(e.Provider, booked.Ref, act)
	require.NoError(b.t, err)
	return booked.Ref
}

// due returns the comparison of an hour, of the last three hours.
func due(provider string) events.ReconciliationDue {
	return events.ReconciliationDue{ReconciliationID: uuid.NewString(), Provider: provider, Since: time.Now().Add(-3 * time.Hour).UTC()}
}

func (b bench) differences(of events.ReconciliationDue) []payment.Difference {
	b.t.Helper()
	return shoptest.Scalar[[]payment.Difference](b.t, b.Shop, `SELECT differences FROM payments.reconciliations WHERE reconciliation_id = $1`, of.ReconciliationID)
}

// PAY-40: a payment whose notice was lost is queried, and is paid.
func TestAPaymentWithoutItsNoticeIsCorrected_PAY_40(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"card", "taler"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			paid, waits := b.opened(method), b.opened(method)
			b.age()
			ref := b.act(paid, "pay")
			first := due(method)
			emitted := b.Send(t, name, first)
			notified := events.ProviderNotified{
				Provider: method, NoticeID: first.ReconciliationID, ProviderRef: ref, OrderID: paid.OrderID, PaymentID: paid.PaymentID,
			}
			require.Equal(t, []events.Event{notified}, emitted)
			require.Equal(t, []payment.Difference{{
				Kind: payment.InReceived, PaymentID: paid.PaymentID, OrderID: paid.OrderID, Ref: ref, Currency: "EUR", Theirs: paid.AmountMinor, Query: true,
			}}, b.differences(first))
			require.IsType(t, events.PaymentPaid{}, b.Send(t, "check-payment", notified)[0])
			b.age()
			second := due(method)
			require.Empty(t, b.Send(t, name, second))
			require.Empty(t, b.differences(second))
			require.Equal(t, "created", shoptest.Scalar[string](t, b.Shop, `SELECT status FROM payments.payments WHERE payment_id = $1`, waits.PaymentID))
		})
	}
}

// PAY-40: what no query can correct is shown: a refund at the provider, money that the shop has no payment for.
func TestWhatNoQueryCorrectsIsShown_PAY_40(t *testing.T) {
	t.Parallel()
	b := setup(t)
	refunded, forgotten, lost := b.opened("taler"), b.opened("taler"), b.opened("taler")
	for _, e := range []events.PaymentCreated{refunded, forgotten} {
		b.act(e, "pay")
		b.Send(t, "check-payment", events.ProviderNotified{PaymentID: e.PaymentID, OrderID: e.OrderID, Provider: e.Provider})
	}
	b.age()
	b.Exec(t, `UPDATE payments.payments SET provider_ref = 'gone' WHERE payment_id = $1`, forgotten.PaymentID)
	b.Exec(t, `UPDATE payments.payments SET updated_at = now() - interval '1 hour', provider_ref = CASE payment_id WHEN $1 THEN 'lost' ELSE provider_ref END
		WHERE payment_id IN ($1, $2)`, lost.PaymentID, forgotten.PaymentID)
	b.Exec(t, `UPDATE payments.payments SET created_at = now() - interval '90 minutes', updated_at = now() - interval '1 hour'`)
	b.act(refunded, "refund")
	comparison := due("taler")
	emitted := b.Send(t, name, comparison)
	require.Len(t, emitted, 1, "an open payment that is missing there is queried")
	require.Equal(t, lost.PaymentID, emitted[0].(events.ProviderNotified).PaymentID)
	kinds := map[string]int64{}
	for _, d := range b.differences(comparison) {
		kinds[d.Kind+" "+d.OrderID] = d.Theirs
	}
	require.Equal(t, map[string]int64{
		"refunded " + refunded.OrderID: refunded.AmountMinor, "missing " + forgotten.OrderID: 0, "missing " + lost.OrderID: 0, "unknown ": forgotten.AmountMinor,
	}, kinds)
	require.EqualValues(t, 3, shoptest.Scalar[int64](t, b.Shop, `SELECT compared FROM payments.reconciliations`))
}

// PAY-40: a payment that changes while the books are read is left to the next comparison, and so is one that the provider may not list yet.
func TestWhatMovesIsNotCompared_PAY_40(t *testing.T) {
	t.Parallel()
	b := setup(t)
	paid := b.opened("taler")
	b.act(paid, "pay")
	compare := func() []payment.Difference {
		comparison := due("taler")
		b.Send(t, name, comparison)
		return b.differences(comparison)
	}
	b.age()
	b.Exec(t, `UPDATE payments.payments SET updated_at = clock_timestamp() + interval '1 minute'`)
	require.Empty(t, compare(), "it changed after the books were read")
	b.age()
	b.Exec(t, `
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense)
		SELECT payment_id, payment_id, order_id, 1, currency, 'x', 'x', 'requested', 'double' FROM payments.payments`)
	require.Empty(t, compare(), "a refund is on its way")
	b.Exec(t, `UPDATE payments.refunds SET status = 'failed', updated_at = now() - interval '1 hour'`)
	require.Len(t, compare(), 1)

	young := b.opened("taler")
	b.Exec(t, `UPDATE payments.payments SET provider_ref = 'young', updated_at = now() - interval '1 hour' WHERE payment_id = $1`, young.PaymentID)
	for _, d := range compare() {
		require.NotEqual(t, young.PaymentID, d.PaymentID, "it was opened just now")
	}
	b.age()
	require.Contains(t, compare(), payment.Difference{
		Kind: payment.Missing, PaymentID: young.PaymentID, OrderID: young.OrderID, Ref: "young", Currency: "EUR", Query: true,
	})
}

// PAY-40: a provider that does not respond leaves no comparison, and is asked again.
func TestNoBooksNoComparison_PAY_40(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.opened("card")
	b.age()
	b.books.Fault = func(*http.Request) simulator.Fault { return simulator.Down }
	comparison := b.Store(t, due("card"))
	require.Error(t, b.TryDeliver(t, name, comparison))
	require.Zero(t, shoptest.Scalar[int64](t, b.Shop, `SELECT count(*) FROM payments.reconciliations`))
	b.books.Fault = nil
	require.NoError(t, b.TryDeliver(t, name, comparison))
	require.NoError(t, b.TryDeliver(t, name, comparison), "a second delivery stores nothing")
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, b.Shop, `SELECT count(*) FROM payments.reconciliations`))
	require.Empty(t, b.Send(t, name, due("simulated")), "a provider without books is not compared")
}
