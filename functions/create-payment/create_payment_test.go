package createpayment_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	createpayment "github.com/popup-shop/popup/functions/create-payment"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "create-payment"

// reserved returns a shop with a simulated bank, and a placed order with reserved stock.
func reserved(t *testing.T, bank *shoptest.Bank, items ...shoptest.Item) (*shoptest.Shop, shoptest.Placed) {
	shop := shoptest.Open(t, functions.All)
	shop.Replace(t, createpayment.With(payment.Providers{"simulated": bank}))
	placed := shop.Place(t, shoptest.Order(items...))
	require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", placed.OrderPlaced)[0])
	return shop, placed
}

func stockReserved(placed shoptest.Placed) events.StockReserved {
	return events.StockReserved{OrderID: placed.ID}
}

// results returns the results of all attempts at an order's payment, in order.
func results(t *testing.T, shop *shoptest.Shop, orderID string) []string {
	return shoptest.Scalar[[]string](t, shop,
		`SELECT array_agg(result ORDER BY at) FROM payments.attempts WHERE order_id = $1`, orderID)
}

// PAY-02, PAY-08.
func TestPaymentIsForTheExactTotal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items []shoptest.Item
		want  money.Amount
	}{
		"euros":        {[]shoptest.Item{shoptest.Of(shoptest.Tee, 2), shoptest.Of(shoptest.Cap, 1)}, money.Amount{Minor: 10200, Currency: "EUR"}},
		"yen with tax": {[]shoptest.Item{shoptest.Of(shoptest.Cup, 1)}, money.Amount{Minor: 4180, Currency: "JPY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bank := &shoptest.Bank{Outcome: payment.Paid}
			shop, placed := reserved(t, bank, c.items...)

			emitted := shop.Send(t, "create-payment", stockReserved(placed))
			require.Len(t, emitted, 2)
			created, paid := emitted[0].(events.PaymentCreated), emitted[1].(events.PaymentPaid)
			require.Equal(t, c.want, money.Amount{Minor: created.AmountMinor, Currency: created.Currency})
			require.Equal(t, c.want, money.Amount{Minor: paid.AmountMinor, Currency: paid.Currency})
			require.Equal(t, []payment.Request{{
				PaymentID: created.PaymentID, OrderID: placed.ID, OrderNumber: placed.OrderNumber, Method: "simulated", Amount: c.want,
				At:        shoptest.Scalar[time.Time](t, shop, `SELECT created_at FROM orders.orders`).UTC(),
				ReturnURL: "https://shop.test/o/" + placed.OrderNumber + "/pay",
			}}, bank.Opened())
			require.Equal(t, c.want.Minor, shoptest.Scalar[int64](t, shop, `
				SELECT captured_minor FROM payments.payments WHERE payment_id = $1 AND status = 'paid'`, created.PaymentID))
			require.Equal(t, []string{"paid"}, results(t, shop, placed.ID))
		})
	}
}

// PAY-10, PAY-12.
func TestRedeliveryOpensNoSecondPayment(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{Outcome: payment.Paid}
	shop, placed := reserved(t, bank, shoptest.Of(shoptest.Cap, 1))
	m := shop.Store(t, stockReserved(placed))
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { shop.Deliver(t, name, m) })
	}
	all.Wait()
	require.Empty(t, shop.Send(t, name, stockReserved(placed)), "another event id: only the rows show that it exists")
	require.Len(t, shop.EmittedFor(t, name, m), 2)
	require.Len(t, bank.Opened(), 1)
	require.Equal(t, []string{"paid"}, results(t, shop, placed.ID))
}

func TestDeclinedPaymentEmitsPaymentFailed(t *testing.T) {
	t.Parallel()
	shop, placed := reserved(t, &shoptest.Bank{Outcome: payment.Declined}, shoptest.Of(shoptest.Cap, 1))

	emitted := shop.Send(t, name, stockReserved(placed))
	require.Len(t, emitted, 2)
	require.Equal(t, "declined", emitted[1].(events.PaymentFailed).Reason)
	require.Equal(t, "failed 0", shoptest.Scalar[string](t, shop, `
		SELECT concat(status, ' ', captured_minor) FROM payments.payments WHERE order_id = $1`, placed.ID))
	require.Equal(t, []string{"declined"}, results(t, shop, placed.ID))
}

func TestOpenPaymentHasAPaymentURI(t *testing.T) {
	t.Parallel()
	shop, placed := reserved(t, &shoptest.Bank{Outcome: payment.Open}, shoptest.Of(shoptest.Cap, 1))

	emitted := shop.Send(t, name, stockReserved(placed))
	require.Len(t, emitted, 1)
	require.Contains(t, emitted[0].(events.PaymentCreated).URI, "https://bank.test/pay/")
}

func TestEndedOrderGetsNoPayment(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{Outcome: payment.Paid}
	shop, placed := reserved(t, bank, shoptest.Of(shoptest.Cap, 1))
	shop.Cancel(t, placed)

	require.Empty(t, shop.Send(t, name, stockReserved(placed)))
	require.Empty(t, bank.Opened())
}

func TestMoneyForAnEndedOrderIsInSuspense(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{Outcome: payment.Paid}
	shop, placed := reserved(t, bank, shoptest.Of(shoptest.Cap, 1))
	bank.OnOpen = func() { // the customer cancels during the call to the bank
		withdrawn := shop.Cancel(t, placed)
		shop.Send(t, "release-stock", withdrawn)
		shop.Send(t, "close-order", withdrawn)
	}

	emitted := shop.Send(t, name, stockReserved(placed))
	require.Len(t, emitted, 2)
	require.IsType(t, events.PaymentPaid{}, emitted[1])
	require.Equal(t, "cancelled", shop.Status(t, placed.ID))
	require.EqualValues(t, 2400, shoptest.Scalar[int64](t, shop, `
		SELECT amount_minor FROM payments.suspense WHERE order_id = $1 AND returned_at IS NULL`, placed.ID))
	require.Equal(t, "voided 0", shoptest.Scalar[string](t, shop, `
		SELECT concat(status, ' ', captured_minor) FROM payments.payments WHERE order_id = $1`, placed.ID))
}

// PAY-10, FUN-11.
func TestFailedCallIsRetriedForTheSamePayment(t *testing.T) {
	t.Parallel()
	bank := &shoptest.Bank{Outcome: payment.Paid, Unavailable: true}
	shop, placed := reserved(t, bank, shoptest.Of(shoptest.Cap, 1))
	m := shop.Store(t, stockReserved(placed))
	for range 2 {
		require.ErrorContains(t, shop.TryDeliver(t, name, m), "does not answer")
	}
	bank.Unavailable = false
	require.Len(t, shop.Deliver(t, name, m), 2)
	require.Equal(t, []string{"unknown: the bank does not answer", "unknown: the bank does not answer", "paid"},
		results(t, shop, placed.ID))
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop,
		`SELECT count(DISTINCT key) FROM payments.attempts WHERE order_id = $1`, placed.ID))
}

func TestMethodWithoutProviderIsDeadLettered(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.PaymentMethods = []string{"gold"} })
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("payment_method", "gold"))

	require.Empty(t, shop.Send(t, name, stockReserved(placed)))
	require.Contains(t, shoptest.Scalar[string](t, shop, `SELECT reason FROM bus.dead_letters WHERE consumer = $1`, name),
		`"gold"`)
}
