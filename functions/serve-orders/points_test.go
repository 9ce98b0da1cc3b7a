package serveorders_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

func applyPoints(t *testing.T, shop *shoptest.Shop, orderID string, points int64, headers ...string) shoptest.Response {
	t.Helper()
	return shop.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+orderID+"/points", map[string]any{"points": points},
		append(headers, "Idempotency-Key", uuid.NewString())...)
}

func TestPointsAreAppliedUntilThePaymentIsOpened_PTS_04(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.StockCheckDelay = 1, time.Hour })
	ada := shop.SignIn(t, token.Customer)
	bearer := []string{"Authorization", ada.Bearer}
	shop.GivePoints(t, ada.ID, 100)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), bearer...) // 24.00
	for _, c := range []struct{ points, total int64 }{{20, 2200}, {20, 2200}, {100, 1400}, {0, 2400}, {30, 2100}} {
		a := applyPoints(t, shop, placed.ID, c.points, bearer...)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		for range 2 {
			shown := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID, nil, bearer...)
			require.EqualValues(t, c.total, shown.Body["total"].(map[string]any)["amount_minor"])
		}
		require.Equal(t, shoptest.Points{Available: 100 - c.points, Held: c.points, Pending: c.total / 1000}, shop.PointsOf(t, ada))
	}
	require.Equal(t, http.StatusConflict, applyPoints(t, shop, placed.ID, 101, bearer...).Status)
	require.Equal(t, []string{"points"}, applyPoints(t, shop, placed.ID, 241, bearer...).Fields())
	require.Equal(t, http.StatusNotFound, applyPoints(t, shop, placed.ID, 1, "Authorization", shop.SignIn(t, token.Customer).Bearer).Status)
	require.EqualValues(t, 30, shop.PointsOf(t, ada).Held)

	shop.ChangeOrder(t, placed.ID, "stock_check_at = now(), payment_check_at = now()")
	shop.Send(t, "reserve-stock", events.StockDue{OrderID: placed.ID, Lines: placed.Lines})
	shop.AwaitStatus(t, placed.ID, "confirmed")
	late := applyPoints(t, shop, placed.ID, 10, bearer...)
	require.Equal(t, []any{http.StatusConflict, "/problems/payment-open"}, []any{late.Status, late.Body["type"]}, late.Raw)
	require.EqualValues(t, 2100, shoptest.Scalar[int64](t, shop, `SELECT captured_minor FROM payments.payments WHERE order_id = $1`, placed.ID))
}

// PTS-04: without its points an order may cost more than a slip can be for.
func TestPointsLeaveWhatTheMethodTakes_PTS_04(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.StockCheckDelay, s.PaymentMethods = time.Hour, []string{"konbini_lawson"}
	})
	ada := shop.SignIn(t, token.Customer)
	shop.GivePoints(t, ada.ID, 10_000)
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = 300000, currency = 'JPY' WHERE sku = $1`, shoptest.Cap)
	order := shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("payment_method", "konbini_lawson") // 330,000 with tax
	dear := shop.Call(t, "place-order", http.MethodPost, "/v1/orders", order, "Authorization", ada.Bearer, "Idempotency-Key", "dear", "Prefer", "wait=0")
	require.Equal(t, []string{"payment_method"}, dear.Fields(), dear.Raw)
	placed := shop.Place(t, order.With("points", 5000), "Authorization", ada.Bearer)
	require.Equal(t, []string{"points"}, applyPoints(t, shop, placed.ID, 3000, "Authorization", ada.Bearer).Fields())
	require.Equal(t, http.StatusOK, applyPoints(t, shop, placed.ID, 4000, "Authorization", ada.Bearer).Status)
}

// PTS-04: whatever comes first, the payment has the total of the order.
func TestPointsAndPaymentAgree_PTS_04(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	ada := shop.SignIn(t, token.Customer)
	shop.GivePoints(t, ada.ID, 1000)
	for range 12 {
		placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), "Authorization", ada.Bearer)
		shoptest.Concurrently(
			func() shoptest.Response { return applyPoints(t, shop, placed.ID, 20, "Authorization", ada.Bearer) },
			func() shoptest.Response {
				shop.AwaitStatus(t, placed.ID, "confirmed")
				return shoptest.Response{}
			},
		)
		require.Zero(t, shoptest.Scalar[int](t, shop, `
			SELECT count(*) FROM orders.orders o JOIN payments.payments p USING (order_id) WHERE p.captured_minor <> o.total_minor`))
	}
}
