package refundpayment_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	refundpayment "github.com/popup-shop/popup/functions/refund-payment"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "refund-payment"

var price = money.Amount{Minor: 2400, Currency: "EUR"}

// withdrawn returns a shop with a simulated bank, and an order that was cancelled when its payment had these entries.
func withdrawn(t *testing.T, bank *shoptest.Bank, entries ...string) (*shoptest.Shop, events.OrderWithdrawn) {
	shop := open(t, bank)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	enter(t, shop, placed.ID, entries...)
	return shop, shop.Cancel(t, placed)
}

func open(t *testing.T, bank *shoptest.Bank) *shoptest.Shop {
	shop := shoptest.Open(t, functions.All)
	shop.Replace(t, refundpayment.With(payment.Providers{"simulated": bank}))
	return shop
}

// enter inserts a payment with these entries.
func enter(t *testing.T, shop *shoptest.Shop, orderID string, kinds ...string) {
	t.Helper()
	shop.Exec(t, `
		INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref)
		SELECT order_id, order_id, 'simulated', 'bank', total_minor, currency, order_id FROM orders.orders WHERE order_id = $1`, orderID)
	shop.Exec(t, `
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, kind, CASE WHEN kind IN ('failed', 'voided') THEN 0 ELSE amount_minor END, currency, provider, provider_ref
		FROM payments.payments, unnest($2::text[]) WITH ORDINALITY AS entry (kind, n) WHERE order_id = $1 ORDER BY n`, orderID, kinds)
}

// requireBooks checks the payment status of an order and the balance of its payment.
func requireBooks(t *testing.T, shop *shoptest.Shop, orderID, status string, captured, refunded int64) {
	t.Helper()
	var hasStatus string
	var hasCaptured, hasRefunded int64
	require.NoError(t, shop.Pool.QueryRow(t.Context(), `
		SELECT status, captured_minor, refunded_minor FROM payments.payments WHERE order_id = $1`, orderID).Scan(&hasStatus, &hasCaptured, &hasRefunded))
	require.Equal(t, status, hasStatus)
	require.Equal(t, captured, hasCaptured)
	require.Equal(t, refunded, hasRefunded)
}

func TestRedeliveryRefundsOnce(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created", "captured")
	m := shop.Store(t, over)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { shop.Deliver(t, name, m) })
	}
	all.Wait()

	emitted := shop.EmittedFor(t, name, m)
	require.Len(t, emitted, 1)
	refunded := emitted[0].(events.PaymentRefunded)
	require.Equal(t, []int64{2400, 2400}, []int64{refunded.AmountMinor, refunded.RefundedMinor})
	require.Empty(t, shop.Send(t, name, events.RefundRequested{OrderID: over.OrderID, PaymentID: refunded.PaymentID}))
	require.Empty(t, shop.Send(t, name, over))
	require.Equal(t, []money.Amount{price}, bank.Refunded())
	requireBooks(t, shop, over.OrderID, "refunded", 2400, 2400)
}

func TestConcurrentReasonsRefundOnce(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created", "captured")
	one, two := shop.Store(t, over), shop.Store(t, events.RefundRequested{OrderID: over.OrderID})
	var both sync.WaitGroup
	both.Go(func() { shop.Deliver(t, name, one) })
	both.Go(func() { shop.Deliver(t, name, two) })
	both.Wait()
	require.Len(t, append(shop.EmittedFor(t, name, one), shop.EmittedFor(t, name, two)...), 1)
	require.Len(t, bank.Refunded(), 1)
	requireBooks(t, shop, over.OrderID, "refunded", 2400, 2400)
}

func TestNothingToRefundEmitsNothing(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop := open(t, bank)
	unpaid := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	declined := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	enter(t, shop, declined.ID, "created", "failed")
	for _, id := range []string{unpaid.ID, declined.ID} {
		require.Empty(t, shop.Send(t, name, events.OrderExpired{OrderID: id}))
		require.Empty(t, shop.Send(t, name, events.OrderRejected{OrderID: id}))
	}
	require.Empty(t, bank.Refunded())
}

// PAY-44.
func TestOpenPaymentIsVoided(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created")

	emitted := shop.Send(t, name, over)
	require.Len(t, emitted, 1)
	require.IsType(t, events.PaymentVoided{}, emitted[0])
	require.Empty(t, shop.Send(t, name, over))
	require.Equal(t, 1, bank.Voided())
	requireBooks(t, shop, over.OrderID, "voided", 0, 0)
}

// PAY-44.
func TestPaymentPaidDuringTheVoidIsRefunded(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{TooLate: true, Received: price}
	shop, over := withdrawn(t, bank, "created")

	emitted := shop.Send(t, name, over)
	require.Len(t, emitted, 1)
	require.EqualValues(t, 2400, emitted[0].(events.PaymentRefunded).AmountMinor)
	require.Equal(t, []money.Amount{price}, bank.Refunded())
	requireBooks(t, shop, over.OrderID, "refunded", 2400, 2400)
}

func TestMoneyInSuspenseIsRefunded(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop := open(t, bank)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.Send(t, "close-order", shop.Cancel(t, placed))
	enter(t, shop, placed.ID, "voided")
	shop.Exec(t, `
		INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency)
		SELECT payment_id, order_id, provider, provider_ref, amount_minor, currency FROM payments.payments`)
	require.Equal(t, "cancelled", shop.Status(t, placed.ID))

	emitted := shop.Send(t, name, events.RefundRequested{OrderID: placed.ID})
	require.Len(t, emitted, 1)
	require.EqualValues(t, 2400, emitted[0].(events.PaymentRefunded).RefundedMinor)
	require.Empty(t, shop.Send(t, name, events.RefundRequested{OrderID: placed.ID}))
	require.Equal(t, []money.Amount{price}, bank.Refunded())
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM payments.suspense WHERE returned_at IS NULL`))
	requireBooks(t, shop, placed.ID, "refunded", 2400, 2400)
}

// PAY-32: the refund of an ended order leaves out what was refunded before, and no more than was paid goes back.
func TestWholeRefundLeavesOutEarlierOnes_PAY_32(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created", "captured")
	for _, refundID := range []string{uuid.NewString(), uuid.NewString()} {
		shop.Exec(t, `
			INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
			SELECT payment_id, 'refunded', 500, currency, provider, $2 FROM payments.payments WHERE order_id = $1`,
			over.OrderID, refundID)
	}
	requireBooks(t, shop, over.OrderID, "paid", 2400, 1000)

	emitted := shop.Send(t, name, over)
	require.Len(t, emitted, 1)
	refunded := emitted[0].(events.PaymentRefunded)
	require.Equal(t, []int64{1400, 2400}, []int64{refunded.AmountMinor, refunded.RefundedMinor})
	require.Equal(t, []money.Amount{{Minor: 1400, Currency: "EUR"}}, bank.Refunded())
	require.EqualValues(t, 1400, shoptest.Scalar[int64](t, shop, `SELECT sum(amount_minor)::bigint FROM payments.refunds`))
	requireBooks(t, shop, over.OrderID, "refunded", 2400, 2400)
}

// Money that was paid twice, and then once more, is in suspense until both refunds are done.
func TestSuspenseIsReturnedWithItsLastRefund(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created", "captured")
	shop.Exec(t, `
		INSERT INTO payments.suspense (payment_id, order_id, provider, provider_ref, amount_minor, currency, why)
		SELECT payment_id, order_id, provider, provider_ref, 2 * amount_minor, currency, 'double' FROM payments.payments`)
	inSuspense := func() int64 {
		return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM payments.suspense WHERE returned_at IS NULL`)
	}
	requested := []string{uuid.NewString(), uuid.NewString()}
	for _, refundID := range requested {
		shop.Exec(t, `
			INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status, of_suspense)
			SELECT $1, payment_id, order_id, amount_minor, currency, 'paid_twice', 'check-payment', 'requested', 'double' FROM payments.payments`, refundID)
	}
	for i, refundID := range requested {
		refunded := shop.Send(t, name, events.RefundRequested{OrderID: over.OrderID, RefundID: refundID})[0].(events.PaymentRefunded)
		require.Equal(t, []any{"double", int64(0)}, []any{refunded.Suspense, refunded.RefundedMinor})
		require.EqualValues(t, 1-i, inSuspense())
	}
	requireBooks(t, shop, over.OrderID, "paid", 2400, 0)
	require.Empty(t, shop.Send(t, name, events.RefundRequested{OrderID: over.OrderID, RefundID: uuid.NewString()}), "an unknown refund refunds nothing")
	require.Len(t, bank.Refunded(), 2)
}

// PAY-34.
func TestRefusedRefundCanBeRepeated(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{Refusing: true}
	shop, over := withdrawn(t, bank, "created", "captured")

	emitted := shop.Send(t, name, over)
	require.Len(t, emitted, 1)
	require.EqualValues(t, 2400, emitted[0].(events.RefundFailed).AmountMinor)
	requireBooks(t, shop, over.OrderID, "paid", 2400, 0)
	require.Equal(t, "failed", shoptest.Scalar[string](t, shop, `SELECT status FROM payments.refunds`))

	bank.Refusing = false
	again := events.RefundRequested{OrderID: over.OrderID}
	require.IsType(t, events.PaymentRefunded{}, shop.Send(t, name, again)[0])
	require.Empty(t, shop.Send(t, name, again))
	requireBooks(t, shop, over.OrderID, "refunded", 2400, 2400)
	require.Equal(t, "refunded", shoptest.Scalar[string](t, shop, `SELECT status FROM payments.refunds`))
}

func TestFailedCallIsRetriedForTheSameRefund(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{}
	shop, over := withdrawn(t, bank, "created", "captured")
	m := shop.Store(t, over)
	bank.Unavailable = true
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "does not answer")
	bank.Unavailable = false
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.Equal(t, []string{"unknown: the bank does not answer", "refunded"}, shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(result ORDER BY at) FROM payments.attempts WHERE act = 'refund'`))
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop,
		`SELECT count(DISTINCT key) FROM payments.attempts WHERE act = 'refund'`))
	require.Len(t, bank.Refunded(), 1)
}
