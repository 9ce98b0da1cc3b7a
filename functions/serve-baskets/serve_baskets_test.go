package servebaskets_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "serve-baskets"

func open(t *testing.T, change ...func(*functions.Settings)) *shoptest.Shop {
	return shoptest.Open(t, functions.All, change...)
}

// shopper is a caller with the headers that identify them.
type shopper struct {
	t       *testing.T
	shop    *shoptest.Shop
	headers []string
}

func (s shopper) call(method, path string, body any) shoptest.Response {
	s.t.Helper()
	return s.shop.Call(s.t, name, method, "/v1/basket"+path, body, s.headers...)
}

func (s shopper) add(sku string, quantity int) shoptest.Response {
	s.t.Helper()
	return s.call(http.MethodPost, "/items", map[string]any{"sku": sku, "quantity": quantity})
}

func (s shopper) must(sku string, quantity int) shoptest.Response {
	s.t.Helper()
	a := s.add(sku, quantity)
	require.Equal(s.t, http.StatusCreated, a.Status, "%s %s", a.Raw, s.shop.Log())
	return a
}

func (s shopper) read() shoptest.Response {
	s.t.Helper()
	a := s.call(http.MethodGet, "", nil)
	require.Equal(s.t, http.StatusOK, a.Status, a.Raw)
	return a
}

// visitor puts an item into a new basket and returns a caller with its token.
func visitor(t *testing.T, shop *shoptest.Shop, sku string, quantity int) shopper {
	t.Helper()
	token := shopper{t, shop, nil}.must(sku, quantity).Body["basket_token"].(string)
	return shopper{t, shop, []string{"Popup-Basket-Token", token}}
}

func signedIn(t *testing.T, shop *shoptest.Shop, headers ...string) shopper {
	return shopper{t, shop, append([]string{"Authorization", shop.SignIn(t, "customer").Bearer}, headers...)}
}

// quantities returns the quantities of a response by SKU.
func quantities(a shoptest.Response) map[string]float64 {
	found := map[string]float64{}
	for _, l := range a.Body["lines"].([]any) {
		line := l.(map[string]any)
		found[line["sku"].(string)] = line["quantity"].(float64)
	}
	return found
}

func line(a shoptest.Response, i int) map[string]any {
	return a.Body["lines"].([]any)[i].(map[string]any)
}

func euros(minor float64) any { return map[string]any{"amount_minor": minor, "currency": "EUR"} }

// BSK-01.
func TestBasketIsFilledChangedAndCleared(t *testing.T) {
	t.Parallel()
	ada := signedIn(t, open(t))
	require.Nil(t, ada.read().Body["id"])
	require.Equal(t, 0.0, ada.read().Body["count"])
	require.Equal(t, []any{}, ada.read().Body["lines"])
	ada.must(shoptest.Cap, 2)
	a := ada.must(shoptest.Tee, 1)
	require.Equal(t, 3.0, a.Body["count"])
	require.Equal(t, euros(8700), a.Body["subtotal"])
	first := line(a, 0)
	require.Equal(t, []any{shoptest.Cap, "Harbour cap", 2.0, euros(2400), nil, 120.0, true},
		[]any{first["sku"], first["name"], first["quantity"], first["unit_price"], first["old_price"], first["available"], first["on_sale"]})

	path := "/items/" + first["id"].(string)
	a = ada.call(http.MethodPut, path, map[string]any{"quantity": 99})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, 100.0, a.Body["count"], a.Raw)
	a = ada.call(http.MethodDelete, path, nil)
	require.Equal(t, http.StatusOK, a.Status)
	require.Equal(t, 1.0, a.Body["count"])
	require.Equal(t, euros(3900), a.Body["subtotal"])
	require.Equal(t, http.StatusNotFound, ada.call(http.MethodDelete, path, nil).Status)
	require.Equal(t, http.StatusNoContent, ada.call(http.MethodDelete, "", nil).Status)
	require.Equal(t, 0.0, ada.read().Body["count"])
}

// BSK-01.
func TestErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := signedIn(t, shop)
	id := line(ada.must(shoptest.Cap, 90), 0)["id"].(string)
	for _, wrong := range []struct {
		field  string
		answer shoptest.Response
	}{
		{"quantity", ada.add(shoptest.Cap, 0)},
		{"quantity", ada.add(shoptest.Cap, 100)},
		{"quantity", ada.add(shoptest.Cap, 10)},
		{"quantity", ada.call(http.MethodPut, "/items/"+id, map[string]any{"quantity": 0})},
		{"quantity", ada.call(http.MethodPut, "/items/"+id, map[string]any{"quantity": 100})},
		{"sku", ada.add("NO-SUCH", 1)},
		{"product_id", ada.call(http.MethodPost, "/items", map[string]any{"quantity": 1})},
		{"variant_id", ada.call(http.MethodPost, "/items", map[string]any{"quantity": 1, "variant_id": uuid.NewString()})},
		{"variant_id", ada.call(http.MethodPost, "/items", map[string]any{"quantity": 1, "variant_id": "urn:uuid:" + uuid.NewString()})},
		{"price", ada.call(http.MethodPost, "/items", map[string]any{"quantity": 1, "sku": shoptest.Cap, "price": 1})},
	} {
		require.Equal(t, http.StatusBadRequest, wrong.answer.Status, wrong.answer.Raw)
		require.Equal(t, []string{wrong.field}, wrong.answer.Fields(), wrong.answer.Raw)
	}
	require.Equal(t, http.StatusConflict, ada.add(shoptest.Cup, 1).Status, "another currency")
	require.Equal(t, map[string]float64{shoptest.Cap: 90}, quantities(ada.read()))
}

// BSK-02.
func TestSameProductIsOneLine(t *testing.T) {
	t.Parallel()
	shop := open(t)
	product, variant := shop.AddVariant(t, shoptest.Tee, "TEE-RED-M", "red, M", 4100, 5, shoptest.Canal)
	ada := signedIn(t, shop)
	for _, by := range []map[string]any{{"sku": shoptest.Tee}, {"product_id": product}, {"variant_id": variant}, {"sku": "TEE-RED-M"}} {
		by["quantity"] = 1
		require.Equal(t, http.StatusCreated, ada.call(http.MethodPost, "/items", by).Status)
	}
	a := ada.read()
	require.Equal(t, map[string]float64{shoptest.Tee: 2, "TEE-RED-M": 2}, quantities(a))
	require.Equal(t, []any{nil, variant, "Low Tide T-shirt, red, M", euros(4100)},
		[]any{line(a, 0)["variant_id"], line(a, 1)["variant_id"], line(a, 1)["name"], line(a, 1)["unit_price"]})
}

// BSK-03.
func TestTooLargeQuantityIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SetStock(t, shoptest.Cap, shoptest.Harbour, 3)
	ada := signedIn(t, shop)
	refused := func(a shoptest.Response) {
		t.Helper()
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/out-of-stock", a.Body["type"], a.Raw)
		require.Equal(t, 3.0, a.Body["available"], a.Raw)
	}
	refused(ada.add(shoptest.Cap, 4))
	path := "/items/" + line(ada.must(shoptest.Cap, 3), 0)["id"].(string)
	refused(ada.add(shoptest.Cap, 1))
	refused(ada.call(http.MethodPut, path, map[string]any{"quantity": 4}))
	shop.SetStock(t, shoptest.Cap, shoptest.Harbour, 1)
	require.Equal(t, http.StatusOK, ada.call(http.MethodPut, path, map[string]any{"quantity": 2}).Status, "fewer are always better")
}

// BSK-04.
func TestBasketExpires(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.BasketLife = 10 * time.Second })
	for who, s := range map[string]shopper{"account": signedIn(t, shop), "visitor": visitor(t, shop, shoptest.Tee, 1)} {
		s.must(shoptest.Cap, 1)
		expires, err := time.Parse(time.RFC3339, s.must(shoptest.Cap, 1).Body["expires_at"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(10*time.Second), expires, 5*time.Second, who)
	}
	shop.Exec(t, `UPDATE orders.baskets SET expires_at = now()`)
	ada := signedIn(t, shop)
	ada.must(shoptest.Cap, 2)
	old := ada.read().Body["id"]
	shop.Exec(t, `UPDATE orders.baskets SET expires_at = now()`)
	require.Equal(t, 0.0, ada.read().Body["count"])
	now := ada.must(shoptest.Cap, 1)
	require.Equal(t, 1.0, now.Body["count"])
	require.NotEqual(t, old, now.Body["id"])
}

// BSK-05, BSK-08.
func TestBasketBelongsToItsAccount(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := signedIn(t, shop), signedIn(t, shop)
	one, two := visitor(t, shop, shoptest.Cap, 1), visitor(t, shop, shoptest.Tee, 2)
	ada.must(shoptest.Print, 1)
	require.Equal(t, map[string]float64{shoptest.Cap: 1}, quantities(one.read()))
	require.Equal(t, map[string]float64{shoptest.Tee: 2}, quantities(two.read()))
	require.Equal(t, map[string]float64{shoptest.Print: 1}, quantities(ada.read()))
	require.Empty(t, quantities(eve.read()))
	require.Empty(t, quantities(shopper{t, shop, nil}.read()))

	path := "/items/" + line(ada.read(), 0)["id"].(string)
	for _, other := range []shopper{eve, one, {t, shop, []string{"Authorization", shop.Staff(t)}}} {
		require.Equal(t, http.StatusNotFound, other.call(http.MethodPut, path, map[string]any{"quantity": 2}).Status)
		require.Equal(t, http.StatusNotFound, other.call(http.MethodDelete, path, nil).Status)
	}
}

func TestVisitorsTokenIsReturnedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	a := shopper{t, shop, nil}.must(shoptest.Cap, 1)
	token := a.Body["basket_token"].(string)
	cookie, err := http.ParseSetCookie(a.Header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.Equal(t, "popup-basket", cookie.Name)
	require.Equal(t, token, cookie.Value)
	require.Equal(t, true, cookie.HttpOnly)
	require.Equal(t, 168*3600, cookie.MaxAge)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	browser := shopper{t, shop, []string{"Cookie", "popup-basket=" + token}}
	again := browser.must(shoptest.Cap, 1)
	require.Nil(t, again.Body["basket_token"])
	require.Equal(t, a.Body["id"], again.Body["id"])
	require.Equal(t, 2.0, again.Body["count"])
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.baskets WHERE token_hash = $1`, []byte(token)), "only its hash is kept")

	foreign := shopper{t, shop, append(browser.headers, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site")}
	require.Equal(t, http.StatusForbidden, foreign.add(shoptest.Cap, 1).Status)
	chosen := shopper{t, shop, []string{"Popup-Basket-Token", "mine"}}.must(shoptest.Cap, 1)
	require.NotEmpty(t, chosen.Body["basket_token"], "callers cannot choose their token")
	require.NotEqual(t, "mine", chosen.Body["basket_token"])
}

// BSK-06.
func TestVisitorsBasketIsMergedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	guest := visitor(t, shop, shoptest.Cap, 2)
	guest.must(shoptest.Tee, 60)
	guest.must(shoptest.Print, 1)
	ada := signedIn(t, shop)
	ada.must(shoptest.Cap, 1)
	ada.must(shoptest.Tee, 50)
	shop.Exec(t, `UPDATE catalogue.products SET active = false WHERE sku = $1`, shoptest.Print)

	atLogin := shopper{t, shop, append(ada.headers, guest.headers...)}
	a := atLogin.read()
	require.Equal(t, map[string]float64{shoptest.Cap: 3, shoptest.Tee: 99}, quantities(a))
	require.Equal(t, []any{map[string]any{"sku": shoptest.Print, "name": `Linocut "Ebb", numbered`}}, a.Body["left_out"])
	require.Contains(t, a.Header.Get("Set-Cookie"), "popup-basket=; Path=/; Max-Age=0")
	a = atLogin.read()
	require.Equal(t, map[string]float64{shoptest.Cap: 3, shoptest.Tee: 99}, quantities(a), "once")
	require.Nil(t, a.Body["left_out"])
	require.Empty(t, quantities(guest.read()))
}

func TestConcurrentRequestsMergeOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	guest, ada := visitor(t, shop, shoptest.Cap, 2), signedIn(t, shop)
	both := shopper{t, shop, append(ada.headers, guest.headers...)}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { both.read() })
	}
	all.Wait()
	require.Equal(t, map[string]float64{shoptest.Cap: 2}, quantities(ada.read()))
}

// BSK-07.
func TestLineShowsWhatChanged(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := signedIn(t, shop)
	ada.must(shoptest.Cap, 2)
	ada.must(shoptest.Tee, 1)
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = 2600 WHERE sku = $1`, shoptest.Cap)
	shop.Exec(t, `UPDATE catalogue.products SET active = false WHERE sku = $1`, shoptest.Tee)
	a := ada.read()
	require.Equal(t, euros(2600), line(a, 0)["unit_price"])
	require.Equal(t, euros(2400), line(a, 0)["old_price"])
	require.Equal(t, true, line(a, 0)["on_sale"])
	require.Nil(t, line(a, 1)["old_price"])
	require.Equal(t, false, line(a, 1)["on_sale"])
	require.Equal(t, 3.0, a.Body["count"])
	require.Equal(t, euros(5200), a.Body["subtotal"])
	gone := ada.add(shoptest.Tee, 1)
	require.Equal(t, http.StatusConflict, gone.Status)
	require.Equal(t, "/problems/not-on-sale", gone.Body["type"])
	require.Nil(t, line(ada.must(shoptest.Cap, 1), 0)["old_price"], "the new price was shown")
}

// BSK-10.
func TestConcurrentAddsLoseNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, s := range []shopper{signedIn(t, shop), visitor(t, shop, shoptest.Tee, 1)} {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.must(shoptest.Cap, 1) })
		}
		all.Wait()
		require.Equal(t, 20.0, quantities(s.read())[shoptest.Cap])
	}
}
