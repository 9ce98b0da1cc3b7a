package serveorders_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// API-50, ORD-43: an order that has ended leaves the lists of staff, and nothing else of it changes.
func TestAnOrderIsHiddenByAnEvent_ORD_43(t *testing.T) {
	t.Parallel()
	shop := open(t)
	over, open := shop.OrderIn(t, "cancelled"), shop.OrderIn(t, "confirmed")
	staff := []string{"Authorization", shop.Staff(t)}
	path := "/v1/orders/" + over.ID
	before := get(t, shop, path, staff...).Body
	log := len(items(get(t, shop, path+"/events", staff...)))
	hide := func(ids []string, headers ...string) shoptest.Response {
		return shop.Call(t, name, http.MethodPost, "/v1/orders/hide", map[string]any{"ids": ids, "reason": "a test"}, headers...)
	}
	unknown := uuid.NewString()
	for range 2 {
		a := hide([]string{open.ID, over.ID, unknown}, staff...)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, []any{
			map[string]any{"id": open.ID, "hidden": false},
			map[string]any{"id": over.ID, "hidden": true},
			map[string]any{"id": unknown, "hidden": false},
		}, a.Body["results"])
	}
	require.Equal(t, []string{open.OrderNumber}, numbers(t, get(t, shop, "/v1/orders", staff...)))
	require.Equal(t, []string{}, numbers(t, get(t, shop, "/v1/orders?q="+over.OrderNumber, staff...)))
	require.Equal(t, before, get(t, shop, path, staff...).Body)
	require.Equal(t, http.StatusOK, get(t, shop, path, "Popup-Order-Token", over.Token).Status)

	require.Len(t, shop.Emitted(t, over.ID, "order.hidden"), 1, "once, however often it is hidden")
	require.Empty(t, shop.Emitted(t, open.ID, "order.hidden"))
	require.Len(t, items(get(t, shop, path+"/events", staff...)), log+1)

	admin := []string{"Authorization", shop.SignIn(t, "admin").Bearer}
	require.Equal(t, []string{over.OrderNumber}, numbers(t, get(t, shop, "/v1/orders?hidden=true", admin...)))
	require.Equal(t, http.StatusForbidden, get(t, shop, "/v1/orders?hidden=true", staff...).Status)
	require.Equal(t, http.StatusForbidden, hide([]string{over.ID}, "Authorization", shop.SignIn(t, "customer").Bearer).Status)
	require.Equal(t, []string{"ids[1]"}, hide([]string{over.ID, "one"}, staff...).Fields())
}

// ORD-43: a customer keeps what they bought.
func TestAHiddenOrderStaysWithItsCustomer_ORD_43(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), ada...)
	shop.AwaitStatus(t, placed.ID, "confirmed")
	require.Less(t, cancel(t, shop, placed.ID, ada...).Status, http.StatusBadRequest)
	shop.AwaitStatus(t, placed.ID, "cancelled")
	a := shop.Call(t, name, http.MethodPost, "/v1/orders/hide", map[string]any{"ids": []string{placed.ID}}, "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, []string{}, numbers(t, get(t, shop, "/v1/orders", "Authorization", shop.Staff(t))))
	require.Equal(t, []string{placed.OrderNumber}, numbers(t, get(t, shop, "/v1/orders", ada...)))
}
