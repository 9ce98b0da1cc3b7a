package placeorder_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// fill puts two caps and a variant of the tee into a basket.
func fill(t *testing.T, shop *shoptest.Shop, headers ...string) shoptest.Response {
	t.Helper()
	add := func(sku string, quantity int) shoptest.Response {
		return shop.Call(t, "serve-baskets", http.MethodPost, "/v1/basket/items",
			map[string]any{"sku": sku, "quantity": quantity}, headers...)
	}
	add(shoptest.Cap, 2)
	a := add(red, 1)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return a
}

func fromBasket(id any) shoptest.Body { return order().With("lines", nil).With("basket_id", id) }

// BSK-09.
func TestBasketIsOrderedAndClosed(t *testing.T) {
	t.Parallel()
	shop := open(t)
	_, variant := shop.AddVariant(t, shoptest.Tee, red, "red, M", 4100, 5, shoptest.Canal)
	ada := []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	basket := fill(t, shop, ada...)
	placed := shop.Place(t, fromBasket(basket.Body["id"]), ada...)
	require.Equal(t, basket.Body["id"], placed.BasketID)
	require.Equal(t, []string{shoptest.Cap, red}, []string{placed.Lines[0].SKU, placed.Lines[1].SKU})
	require.Equal(t, int64(2), placed.Lines[0].Quantity)
	require.Equal(t, variant, placed.Lines[1].VariantID)
	require.Equal(t, basket.Body["subtotal"].(map[string]any)["amount_minor"], float64(placed.TotalMinor))

	read := func() shoptest.Response {
		return shop.Call(t, "serve-baskets", http.MethodGet, "/v1/basket", nil, ada...)
	}
	require.Nil(t, read().Body["id"])
	require.Equal(t, 0.0, read().Body["count"])
	again := post(t, shop, fromBasket(basket.Body["id"]), ada...)
	require.Equal(t, http.StatusConflict, again.Status, again.Raw)
	require.Equal(t, "/problems/basket-ordered", again.Body["type"], again.Raw)
	require.Equal(t, placed.ID, again.Body["order_id"], again.Raw)
	require.NotEqual(t, basket.Body["id"], fill(t, shop, ada...).Body["id"], "the next add starts a new one")
}

func TestVisitorOrdersTheBasketOfTheirToken(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.AddVariant(t, shoptest.Tee, red, "red, M", 4100, 5, shoptest.Canal)
	first := shop.Call(t, "serve-baskets", http.MethodPost, "/v1/basket/items",
		map[string]any{"sku": shoptest.Cap, "quantity": 1})
	shown := []string{"Popup-Basket-Token", first.Body["basket_token"].(string)}
	placed := shop.Place(t, fromBasket(first.Body["id"]), shown...)
	require.Len(t, placed.Lines, 1)
	second := fill(t, shop, shown...)
	require.Nil(t, second.Body["basket_token"], "the token they have goes on")
	require.Equal(t, 3.0, second.Body["count"])
}

func TestRejectedOrderLeavesTheBasket(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.AddVariant(t, shoptest.Tee, red, "red, M", 4100, 5, shoptest.Canal)
	ada, eve := []string{"Authorization", shop.SignIn(t, "customer").Bearer}, []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	basket := fill(t, shop, ada...).Body["id"]
	before := rows(t, shop)
	for what, a := range map[string]shoptest.Response{
		"of another customer": post(t, shop, fromBasket(basket), eve...),
		"of a visitor":        post(t, shop, fromBasket(basket)),
		"with lines":          post(t, shop, order().With("basket_id", basket), ada...),
		"no basket":           post(t, shop, fromBasket(uuid.NewString()), ada...),
		"no UUID":             post(t, shop, fromBasket("urn:uuid:"+uuid.NewString()), ada...),
	} {
		require.Equal(t, http.StatusBadRequest, a.Status, what)
		require.Equal(t, []string{"basket_id"}, a.Fields(), what)
	}
	shop.Exec(t, `UPDATE catalogue.products SET active = false WHERE sku = $1`, shoptest.Cap)
	require.Equal(t, "/problems/not-on-sale", post(t, shop, fromBasket(basket), ada...).Body["type"])
	shop.Exec(t, `UPDATE catalogue.products SET active = true WHERE sku = $1`, shoptest.Cap)
	require.Equal(t, before, rows(t, shop))
	shop.Exec(t, `UPDATE orders.baskets SET expires_at = now()`)
	require.Equal(t, []string{"basket_id"}, post(t, shop, fromBasket(basket), ada...).Fields())
}

// BSK-09, ORD-14: of several concurrent orders of a basket one succeeds.
func TestBasketIsOrderedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.AddVariant(t, shoptest.Tee, red, "red, M", 4100, 5, shoptest.Canal)
	ada := []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	basket := fill(t, shop, ada...).Body["id"]
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for range 8 {
		all.Go(func() {
			status := post(t, shop, fromBasket(basket), ada...).Status
			mu.Lock()
			defer mu.Unlock()
			seen[status]++
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{http.StatusAccepted: 1, http.StatusConflict: 7}, seen)
}
