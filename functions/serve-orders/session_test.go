package serveorders_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// cookiesOf exchanges the token of an order, and returns the cookies as a browser sends them.
func cookiesOf(t *testing.T, shop *shoptest.Shop, placed shoptest.Placed) string {
	t.Helper()
	a := shop.Call(t, name, http.MethodPost, "/v1/orders/"+placed.OrderNumber+"/session", map[string]string{"order_token": placed.Token})
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	var cookies []string
	for _, cookie := range a.Header.Values("Set-Cookie") {
		cookies = append(cookies, strings.Split(cookie, ";")[0])
	}
	return strings.Join(cookies, "; ")
}

// NOT-15: a browser with the cookie of an order sees and cancels it, by its id and its number, and no other one.
func TestCookiesGiveAccessToOneOrder_NOT_15(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed, other := shop.Place(t, cap1()), shop.Place(t, cap1())
	cookie := []string{"Cookie", cookiesOf(t, shop, placed)}
	for _, id := range []string{placed.ID, placed.OrderNumber, strings.ToLower(placed.OrderNumber), strings.ToUpper(placed.ID)} {
		require.Equal(t, placed.ID, get(t, shop, "/v1/orders/"+id, cookie...).Body["id"], id)
		require.Equal(t, http.StatusOK, get(t, shop, "/v1/orders/"+id+"/events", cookie...).Status, id)
	}
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/orders/"+other.ID, cookie...).Status)
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/"+other.OrderNumber, "Popup-Order-Token", placed.Token).Status)

	foreign := append([]string{"Sec-Fetch-Site", "cross-site", "Idempotency-Key", uuid.NewString()}, cookie...)
	a := shop.Call(t, name, http.MethodPost, "/v1/orders/"+placed.ID+"/cancel", map[string]string{"reason": "x"}, foreign...)
	require.Equal(t, http.StatusForbidden, a.Status)
	require.Equal(t, "/problems/foreign-page", a.Body["type"])
	require.Equal(t, http.StatusAccepted, cancel(t, shop, placed.ID, cookie...).Status)
}

// NOT-15: over TLS the cookies are for this host alone, and are not readable by scripts.
func TestCookiesOfOrdersAreOfTheHostAlone(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.Access.PublicURL = "https://shop.test" })
	placed := shop.Place(t, cap1())
	a := shop.Call(t, name, http.MethodPost, "/v1/orders/"+placed.ID+"/session", map[string]string{"order_token": placed.Token})
	require.Len(t, a.Header.Values("Set-Cookie"), 2)
	for _, cookie := range a.Header.Values("Set-Cookie") {
		require.Regexp(t, `^__Host-popup-order-[0-9a-z-]+=[0-9A-Z]{32}; Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax$`, cookie)
	}
}
