package functions_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// ids collects the values of all fields that are named id or end in _id.
func ids(value any, found map[string][]string) {
	switch v := value.(type) {
	case []any:
		for _, each := range v {
			ids(each, found)
		}
	case map[string]any:
		for name, field := range v {
			if text, ok := field.(string); ok && text != "" && (name == "id" || strings.HasSuffix(name, "_id")) {
				found[name] = append(found[name], text)
			}
			ids(field, found)
		}
	}
}

// ACC-36: the ids in all responses and events, from sign-up to a completed and a cancelled order.
func TestAllIDsAreUUIDs(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	found := map[string][]string{}
	call := func(name, method, path string, body any, headers ...string) shoptest.Response {
		a := shop.Call(t, name, method, path, body, headers...)
		require.Less(t, a.Status, 300, a.Raw)
		ids(map[string]any(a.Body), found)
		return a
	}
	grace := call("serve-accounts", http.MethodPost, "/v1/customers",
		map[string]string{"name": "Grace", "phone": "+49 40 7654321"})
	ada := call("serve-accounts", http.MethodPost, "/v1/users/register", map[string]string{
		"email": "ada@example.test", "password": "correct horse battery", "name": "Ada", "phone": "+49 40 1234567",
	})
	bearer := []string{"Authorization", "Bearer " + ada.Body["access_token"].(string)}
	done := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), bearer...)
	shop.AwaitStatus(t, done.ID, "completed")
	undone := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 1)), "Authorization",
		"Bearer "+grace.Body["token"].(string))
	shop.Cancel(t, undone)
	shop.AwaitStatus(t, undone.ID, "cancelled")

	staff := []string{"Authorization", shop.SignIn(t, "admin").Bearer}
	for path, name := range map[string]string{
		"/v1/products": "serve-catalogue", "/v1/inventory/stock": "serve-stock", "/v1/orders": "serve-orders",
		"/v1/users":             "serve-accounts",
		"/v1/orders/" + done.ID: "serve-orders", "/v1/orders/" + done.ID + "/events": "serve-orders",
		"/v1/orders/" + undone.ID + "/events":        "serve-orders",
		"/v1/customers/" + grace.Body["id"].(string): "serve-accounts",
	} {
		call(name, http.MethodGet, path, nil, staff...)
	}
	for _, data := range shoptest.Scalar[[]string](t, shop, `SELECT array_agg(data::text) FROM bus.event`) {
		var value any
		require.NoError(t, json.Unmarshal([]byte(data), &value))
		ids(value, found)
	}
	for _, kind := range []string{"id", "customer_id", "order_id", "payment_id", "store_id", "product_id", "shipment_id"} {
		require.NotEmpty(t, found[kind], "the run shows no %s", kind)
	}
	for name, values := range found {
		for _, value := range values {
			require.NoError(t, uuid.Validate(value), "%s=%s", name, value)
			require.Len(t, value, 36, name)
		}
	}
}
