package placeorder_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func quote(t *testing.T, shop *shoptest.Shop, body any, headers ...string) shoptest.Response {
	t.Helper()
	return shop.Call(t, name, http.MethodPost, "/v1/quotes", body, headers...)
}

// problems returns the kind and the field of each problem of a quote.
func problems(t *testing.T, a shoptest.Response) (found []string) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	for _, p := range a.Body["problems"].([]any) {
		p := p.(map[string]any)
		field, _ := p["field"].(string)
		require.NotEmpty(t, p["detail"])
		found = append(found, p["type"].(string)+" "+field)
	}
	return found
}

// ORD-19, API-38: what a quote says is what the order costs.
func TestQuoteHasTheTotalsOfTheOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for sku, tax := range map[string]float64{shoptest.Cap: 0, shoptest.Cup: 760} {
		lines := []shoptest.Item{shoptest.Of(sku, 2)}
		before := rows(t, shop)
		quoted := quote(t, shop, map[string]any{"lines": lines})
		require.Empty(t, problems(t, quoted), sku)
		require.Equal(t, before, rows(t, shop), "nothing is stored")
		placed := post(t, shop, order().With("lines", lines))
		require.Equal(t, http.StatusAccepted, placed.Status, "%s", placed.Raw)
		for _, amount := range []string{"subtotal", "delivery_fee", "tax", "discount", "total"} {
			require.Equal(t, placed.Body[amount], quoted.Body[amount], amount)
		}
		require.Equal(t, placed.Body["total"], quoted.Body["to_pay"])
		require.Equal(t, tax, quoted.Body["tax"].(map[string]any)["amount_minor"])
	}
}

// BSK-12.
func TestBasketCostsWhatItsQuoteAndItsOrderCost(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	basket := shop.Call(t, "serve-baskets", http.MethodPost, "/v1/basket/items", map[string]any{"sku": shoptest.Cup, "quantity": 2}, ada...)
	quoted := quote(t, shop, map[string]any{"basket_id": basket.Body["id"]}, ada...)
	require.Empty(t, problems(t, quoted))
	require.Equal(t, []string{"/problems/invalid basket_id"}, problems(t, quote(t, shop, map[string]any{"basket_id": basket.Body["id"]})))
	placed := post(t, shop, fromBasket(basket.Body["id"]), ada...)
	for _, amount := range []string{"subtotal", "delivery_fee", "tax", "discount", "total"} {
		require.Equal(t, placed.Body[amount], basket.Body[amount], amount)
		require.Equal(t, placed.Body[amount], quoted.Body[amount], amount)
	}
	require.Equal(t, []string{"/problems/invalid basket_id"}, problems(t, quote(t, shop, map[string]any{"basket_id": basket.Body["id"]}, ada...)), "it is ordered")
}

// ORD-19: all that is wrong with the order, in one response.
func TestQuoteNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	shop := open(t)
	line := func(sku string, quantity int64) []shoptest.Item { return []shoptest.Item{shoptest.Of(sku, quantity)} }
	for problem, body := range map[string]map[string]any{
		"/problems/invalid lines[0]":            {"lines": line("NO-SUCH", 1)},
		"/problems/out-of-stock lines[0]":       {"lines": line(shoptest.Print, 60)},
		"/problems/invalid lines[1]":            {"lines": append(line(shoptest.Cap, 1), shoptest.Of(shoptest.Cup, 1))},
		"/problems/invalid payment_method":      {"lines": line(shoptest.Cap, 1), "payment_method": "bitcoin"},
		"/problems/invalid address.country":     {"lines": line(shoptest.Cap, 1), "address": home("XX", "1")},
		"/problems/invalid address.postal_code": {"lines": line(shoptest.Cap, 1), "address": home("DE", "1")},
		"/problems/invalid contact.email":       {"lines": line(shoptest.Cap, 1), "contact": map[string]any{"name": "Ada", "email": "no", "phone": "030 123456"}},
		"/problems/invalid pickup.store_id":     {"lines": line(shoptest.Cap, 1), "pickup": map[string]any{"store_id": uuid.NewString()}},
		"/problems/invalid address_id":          {"lines": line(shoptest.Cap, 1), "address_id": uuid.NewString()},
		"/problems/invalid basket_id":           {"basket_id": uuid.NewString()},
	} {
		require.Equal(t, []string{problem}, problems(t, quote(t, shop, body)))
	}
	require.ElementsMatch(t, []string{"/problems/invalid lines[0]", "/problems/out-of-stock lines[1]", "/problems/invalid payment_method"},
		problems(t, quote(t, shop, map[string]any{"lines": append(line("NO-SUCH", 1), shoptest.Of(shoptest.Print, 60)), "payment_method": "x"})))
	require.Equal(t, []string{"lines"}, quote(t, shop, map[string]any{}).Fields())
}

func home(country, postalCode string) map[string]any {
	return map[string]any{"name": "Ada", "phone": "030 123456", "country": country, "postal_code": postalCode, "city": "B", "address_line1": "1"}
}
