package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// productWith returns a function that makes the path of the product with a SKU.
func productWith(sku string) func(t testing.TB, w *tab) string {
	return func(t testing.TB, _ *tab) string {
		t.Helper()
		var slug string
		require.NoError(t, shop.Pool.QueryRow(t.Context(), `SELECT slug FROM catalogue.products WHERE sku = $1`, sku).Scan(&slug))
		return "/products/" + slug
	}
}

// basketOf returns a function that fills the basket of a window with so many different products.
func basketOf(lines int) func(t testing.TB, w *tab) string {
	return func(t testing.TB, w *tab) string {
		t.Helper()
		token := ""
		for n := range lines {
			sku, quantity := "CAP-NAVY", 1
			if n > 0 {
				sku = someProduct(t, n)
				quantity = 1 + n%3
			}
			made := call(t, http.MethodPost, "/v1/basket/items", map[string]any{"sku": sku, "quantity": quantity}, basketHeader(token)...)
			if made["basket_token"] != nil {
				token = made["basket_token"].(string)
			}
		}
		w.cookie("popup-basket", token)
		return "/basket"
	}
}

// someProduct returns the SKU of the n-th further product, whose name is long.
func someProduct(t testing.TB, n int) string {
	t.Helper()
	sku := fmt.Sprintf("MORE-%02d", n)
	name := []string{
		"Sailcloth pouch with a brass zip and a loop for the belt, number %d", "藍染めの手ぬぐい、波と月の柄、職人が一枚ずつ染めました %d", "Rope %d",
	}[n%3]
	_, err := shop.Pool.Exec(t.Context(), `
		INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
		SELECT gen_random_uuid(), '01900000-0000-7000-8000-000000000011', $1::text, $2, $3, 'EUR'
		WHERE NOT EXISTS (SELECT FROM catalogue.skus WHERE sku = $1)`, sku, fmt.Sprintf(name, n), 900+n*350)
	require.NoError(t, err)
	_, err = shop.Pool.Exec(t.Context(), `
		INSERT INTO stock.levels (level_id, sku, warehouse_id)
		VALUES (gen_random_uuid(), $1, '01900000-0000-7000-8000-000000000001')
		ON CONFLICT DO NOTHING`, sku)
	require.NoError(t, err)
	_, err = shop.Pool.Exec(t.Context(), `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', 50, 'test' FROM stock.levels WHERE sku = $1 AND on_hand = 0`, sku)
	require.NoError(t, err)
	return sku
}

// atCheckout fills a basket and returns the path of the checkout.
func atCheckout(t testing.TB, w *tab) string {
	t.Helper()
	if w.access != "" {
		call(t, http.MethodPost, "/v1/basket/items", map[string]any{"sku": "CAP-NAVY", "quantity": 1}, "Authorization", "Bearer "+w.access)
		withAddress(t, w)
		return "/checkout"
	}
	basketOf(2)(t, w)
	return "/checkout"
}

// withAddress gives the account of a window an address in Japan and one in Germany.
func withAddress(t testing.TB, w *tab) string {
	t.Helper()
	for _, a := range []map[string]any{
		{
			"name": "山田 花子", "phone": "+81 3 1234 5678", "country": "JP", "postal_code": "100-0001", "prefecture": "東京都", "city": "千代田区",
			"address_line1": "千代田1-1", "is_default": true,
		},
		{
			"name": "Ada Byron", "phone": "+49 40 1234567", "country": "DE", "postal_code": "20457", "city": "Hamburg", "address_line1": "Am Kai 1",
		},
	} {
		call(t, http.MethodPost, "/v1/users/me/addresses", a, "Authorization", "Bearer "+w.access)
	}
	return "/account/addresses"
}

// moves are how staff takes an order to a state.
var moves = map[string][]string{"confirmed": {}, "in_transit": {"preparing", "shipped", "in_transit"}}

// payable returns a function that places an order as a guest with a method that is paid later, and returns where it is paid.
func payable(method string) func(t testing.TB, w *tab) string {
	return func(t testing.TB, w *tab) string {
		t.Helper()
		sku := "MUG-ENAMEL"
		if strings.HasPrefix(method, "konbini") {
			sku = "YUNOMI-01"
		}
		order := guestOrderOf(sku)
		order["payment_method"] = method
		placed := call(t, http.MethodPost, "/v1/orders", order, "Idempotency-Key", uuid.NewString(), "Prefer", "wait=10")
		w.cookie("popup-order-"+strings.ToLower(placed["order_number"].(string)), placed["order_token"].(string))
		return "/o/" + placed["order_number"].(string) + "/pay"
	}
}

// orderIn returns a function that places an order as a guest, gives the window access to it, and brings it into a state.
func orderIn(state string) func(t testing.TB, w *tab) string {
	return func(t testing.TB, w *tab) string {
		t.Helper()
		placed := placeOrder(t)
		id, token := placed["id"].(string), placed["order_token"].(string)
		w.cookie("popup-order-"+strings.ToLower(placed["order_number"].(string)), token)
		if state == "cancelled" {
			call(t, http.MethodPost, "/v1/orders/"+id+"/cancel", map[string]any{"reason": "a test"}, "Popup-Order-Token", token)
		}
		if len(moves[state]) > 0 {
			_, staff := account(t, "admin")
			for _, to := range moves[state] {
				call(t, http.MethodPost, "/v1/orders/"+id+"/status", map[string]any{"status": to}, "Authorization", "Bearer "+staff, "Prefer", "wait=10")
			}
		}
		require.Eventually(t, func() bool {
			now := call(t, http.MethodGet, "/v1/orders/"+id, nil, "Popup-Order-Token", token)
			return now["status"] == state
		}, 20*time.Second, 50*time.Millisecond, "%s: %v", state, placed)
		return "/o/" + placed["order_number"].(string)
	}
}

// placeOrder places an order as a guest.
func placeOrder(t testing.TB) map[string]any {
	t.Helper()
	order := guestOrderOf("MUG-ENAMEL")
	order["lines"] = append([]any{map[string]any{"sku": "CAP-NAVY", "quantity": 2}}, order["lines"].([]any)...)
	return call(t, http.MethodPost, "/v1/orders", order, "Idempotency-Key", uuid.NewString(), "Prefer", "wait=10")
}

// guestOrderOf is the order of a guest for one piece.
func guestOrderOf(sku string) map[string]any {
	return map[string]any{
		"lines": []any{map[string]any{"sku": sku, "quantity": 1}}, "payment_method": "simulated",
		"contact": map[string]any{"name": "Ada Byron", "email": "ada@example.test", "phone": "+49 40 1234567"},
		"address": map[string]any{
			"name": "Ada Byron", "phone": "+49 40 1234567", "country": "DE", "postal_code": "20457", "city": "Hamburg", "address_line1": "Am Kai 1",
		},
	}
}

// basketHeader is the header with the token of a basket, once there is one.
func basketHeader(token string) []string {
	if token == "" {
		return nil
	}
	return []string{"Popup-Basket-Token", token}
}
