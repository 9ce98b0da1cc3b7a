package createpayment_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	createpayment "github.com/popup-shop/popup/functions/create-payment"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
)

// freeShop returns a shop with a free cap and a bank, and an order of that cap.
func freeShop(t *testing.T) (*shoptest.Shop, *shoptest.Bank, shoptest.Placed) {
	bank := &shoptest.Bank{Outcome: payment.Declined}
	providers := payment.Providers{payment.Nothing: payment.Free{}}
	providers["simulated"] = bank
	shop := shoptest.Open(t, functions.All)
	shop.Replace(t, createpayment.With(providers))
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = 0 WHERE sku = $1`, shoptest.Cap)
	return shop, bank, shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)))
}

// requireSound fails the test if a promise of popup check is broken, or if the bank was called.
func requireSound(t *testing.T, shop *shoptest.Shop, bank *shoptest.Bank) {
	t.Helper()
	results, err := invariant.Check(context.Background(), shop.Pool, true)
	require.NoError(t, err)
	for _, r := range results {
		if r.Domain != "mail" && r.Domain != "bus" { // no mail is sent here, and nothing is published
			require.Zero(t, r.Broken, r.Promise)
		}
	}
	require.Empty(t, bank.Opened())
	require.Zero(t, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM payments.refunds`))
}

func TestOrderOfNothingNeedsNoProvider_ORD_50(t *testing.T) {
	t.Parallel()
	shop, bank, placed := freeShop(t)
	require.Zero(t, placed.TotalMinor)
	shop.AwaitStatus(t, placed.ID, "confirmed")
	require.Equal(t, "none paid 0", shoptest.Scalar[string](t, shop, `
		SELECT concat_ws(' ', provider, status, captured_minor) FROM payments.payments WHERE order_id = $1`, placed.ID))
	shop.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "completed", shop.Status(t, placed.ID))
	requireSound(t, shop, bank)
}

func TestCancelledOrderOfNothingRefundsNothing_ORD_50(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"pending", "confirmed"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			shop, bank, placed := freeShop(t)
			shop.AwaitStatus(t, placed.ID, from)
			shop.Cancel(t, placed)
			shop.AwaitStatus(t, placed.ID, "")
			require.Equal(t, "cancelled", shop.Status(t, placed.ID))
			require.NotEqual(t, "refunding", shoptest.Scalar[string](t, shop, `SELECT payment FROM orders.orders WHERE order_id = $1`, placed.ID))
			requireSound(t, shop, bank)
		})
	}
}
