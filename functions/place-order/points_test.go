package placeorder_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// buyer returns a shop, a customer with points, and the Authorization header of the customer.
func buyer(t *testing.T, points int64) (*shoptest.Shop, shoptest.Person, []string) {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	ada := shop.SignIn(t, token.Customer)
	if points > 0 {
		shop.GivePoints(t, ada.ID, points)
	}
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = 1000 WHERE sku = $1`, shoptest.Cup) // 1,100 yen with tax
	return shop, ada, []string{"Authorization", ada.Bearer}
}

func cup() shoptest.Body { return shoptest.Order(shoptest.Of(shoptest.Cup, 1)) }

func TestPointsLowerTheTotalAndAreHeld_PTS_01(t *testing.T) {
	t.Parallel()
	shop, ada, bearer := buyer(t, 50)
	quote := shop.Call(t, "place-order", http.MethodPost, "/v1/quotes",
		map[string]any{"lines": []any{shoptest.Of(shoptest.Cup, 1)}, "points": 20}, bearer...)
	require.Equal(t, 900.0, quote.Body["to_pay"].(map[string]any)["amount_minor"], quote.Raw)
	require.Equal(t, 200.0, quote.Body["discount"].(map[string]any)["amount_minor"])
	require.Empty(t, quote.Body["problems"])
	require.Equal(t, shoptest.Points{Available: 50}, shop.PointsOf(t, ada), "a quote holds nothing")

	placed := shop.Place(t, cup().With("points", 20), bearer...)
	require.Equal(t, []int64{900, 200, 20}, []int64{placed.TotalMinor, placed.DiscountMinor, placed.Points})
	require.Equal(t, shoptest.Points{Available: 30, Held: 20}, shop.PointsOf(t, ada))
	held := shoptest.EventOf(t, shop.Emitted(t, placed.ID, "points.held")[0])
	require.Equal(t, events.PointsHeld{CustomerID: ada.ID, OrderID: placed.ID, Points: 20, ValueMinor: 200, Currency: "JPY"}, held)
	shown := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID, nil, bearer...)
	require.Equal(t, 20.0, shown.Body["points_applied"])
	require.Equal(t, 900.0, shown.Body["total"].(map[string]any)["amount_minor"])
}

func TestPointsAreLimitedByTheOrder_PTS_02(t *testing.T) {
	t.Parallel()
	shop, ada, bearer := buyer(t, 500)
	before := rows(t, shop)
	for _, n := range []int{10_001, 111, -1} {
		a := post(t, shop, cup().With("points", n), bearer...)
		require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
		require.Equal(t, []string{"points"}, a.Fields())
	}
	require.Equal(t, before, rows(t, shop))
	placed := shop.Place(t, cup().With("points", 110), bearer...)
	require.Zero(t, placed.TotalMinor)
	require.Equal(t, shoptest.Points{Available: 390, Held: 110}, shop.PointsOf(t, ada))
}

func TestPointsAreNeverHeldTwice_PTS_03(t *testing.T) {
	t.Parallel()
	shop, ada, bearer := buyer(t, 100)
	var orders []func() shoptest.Response
	for range 20 {
		orders = append(orders, func() shoptest.Response { return post(t, shop, cup().With("points", 100), bearer...) })
	}
	kinds := map[string]int{}
	for _, a := range shoptest.Concurrently(orders...) {
		kind, _ := a.Body["type"].(string)
		kinds[kind]++
	}
	require.Equal(t, map[string]int{"": 1, "/problems/not-enough-points": 19}, kinds)
	require.Equal(t, shoptest.Points{Held: 100}, shop.PointsOf(t, ada))
	require.Equal(t, 1, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM orders.orders`))
}

func TestGuestsHaveNoPoints_PTS_16(t *testing.T) {
	t.Parallel()
	shop, _, _ := buyer(t, 0)
	for who, headers := range map[string][]string{"visitor": nil, "guest": {"Authorization", shop.SignIn(t, token.Guest).Bearer}} {
		a := post(t, shop, cup().With("points", 1), headers...)
		require.Equal(t, http.StatusBadRequest, a.Status, who)
		require.Equal(t, []string{"points"}, a.Fields(), who)
		quote := shop.Call(t, "place-order", http.MethodPost, "/v1/quotes",
			map[string]any{"lines": []any{shoptest.Of(shoptest.Cup, 1)}, "points": 1}, headers...)
		require.Contains(t, quote.Raw, "customers with an account", who)
	}
}

func TestPointsPayAWholeOrderWithoutAProvider_PTS_15(t *testing.T) {
	t.Parallel()
	shop, ada, bearer := buyer(t, 110)
	a := post(t, shop, cup().With("points", 109).With("payment_method", "points"), bearer...)
	require.Equal(t, []string{"payment_method"}, a.Fields(), a.Raw)
	placed := shop.Place(t, cup().With("points", 110).With("payment_method", "points"), bearer...)
	shop.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "completed", shop.Status(t, placed.ID))
	require.Equal(t, "points none 0 paid", shoptest.Scalar[string](t, shop,
		`SELECT concat_ws(' ', method, provider, captured_minor, status) FROM payments.payments WHERE order_id = $1`, placed.ID))
	require.Equal(t, shoptest.Points{}, shop.PointsOf(t, ada))
}

func TestQuoteNamesMissingPoints_PTS_03(t *testing.T) {
	t.Parallel()
	shop, _, bearer := buyer(t, 5)
	quote := shop.Call(t, "place-order", http.MethodPost, "/v1/quotes",
		map[string]any{"lines": []any{shoptest.Of(shoptest.Cup, 1)}, "points": 6, "payment_method": "points"}, bearer...)
	require.Contains(t, quote.Raw, "/problems/not-enough-points")
	require.Contains(t, quote.Raw, "payment_method")
}

// PTS-03: a key that is used again holds nothing more.
func TestReplayHoldsPointsOnce_PTS_14(t *testing.T) {
	t.Parallel()
	shop, ada, bearer := buyer(t, 50)
	key := []string{"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0"}
	for range 3 {
		a := shop.Call(t, "place-order", http.MethodPost, "/v1/orders", cup().With("points", 20), append(key, bearer...)...)
		require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	}
	require.Equal(t, shoptest.Points{Available: 30, Held: 20}, shop.PointsOf(t, ada))
}
