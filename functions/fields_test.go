package functions_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// wrongly is a request with a good body, and a wrong value of each of its fields: some that the schema rejects, such as a text that is too
// long, and some that only a rule rejects.
type wrongly struct {
	function, method, path, role string
	body                         shoptest.Body
	wrong                        map[string]any
}

var (
	long   = strings.Repeat("x", 500)
	notID  = "urn:uuid:" + uuid.NewString() // passes the schema
	someID = uuid.NewString()
)

var wrongRequests = map[string]wrongly{
	"order": {
		"place-order", http.MethodPost, "/v1/orders", "", shoptest.Order(shoptest.Of(shoptest.Cap, 1)), map[string]any{
			"locale": long, "payment_method": "gold", "basket_id": notID,
			"address.postal_code": "?", "address.city": long,
			"contact.email": "nobody", "contact.name": long, "contact.phone": "call me",
			"expected_total": map[string]any{"amount_minor": 1, "currency": "nix"},
		},
	},
	"sign-up": {
		"serve-accounts", http.MethodPost, "/v1/users/register", "",
		shoptest.Body{
			"email": "ada@example.org", "name": "Ada", "phone": "+49 40 1234567", "password": "correct horse battery", "locale": "en",
		},
		map[string]any{"email": "nobody", "name": long, "phone": "call me", "password": "password", "locale": "?"},
	},
	"guest": {
		"serve-accounts", http.MethodPost, "/v1/customers", "",
		shoptest.Body{"name": "Ada", "phone": "+49 40 1234567"},
		map[string]any{"name": long, "phone": "call me"},
	},
	"new password": {
		"serve-accounts", http.MethodPut, "/v1/users/me/password", token.Customer,
		shoptest.Body{"old": "x", "new": "correct horse battery"},
		map[string]any{"old": long, "new": "password"},
	},
	"client": {
		"serve-accounts", http.MethodPost, "/v1/clients", token.Admin,
		shoptest.Body{"name": "till", "scopes": []string{"orders"}},
		map[string]any{"name": long, "scopes": []string{"orders", "orders"}},
	},
	"product": {
		"edit-catalogue", http.MethodPost, "/v1/products", token.Staff,
		shoptest.Body{
			"store_id": shoptest.TheStore, "name": "Hat", "sku": "HAT", "price": map[string]any{"amount_minor": 1, "currency": "EUR"},
		},
		map[string]any{
			"store_id": notID, "name": " \t ", "slug": "?", "description": strings.Repeat("x", 20_001), "sku": long, "category_id": notID,
			"price": map[string]any{"amount_minor": 1, "currency": "nix"}, "outside_number": 0,
			"variants": []any{map[string]any{"name": long, "sku": "HAT-2"}}, "tags": []string{long},
		},
	},
	"store": {
		"edit-catalogue", http.MethodPost, "/v1/stores", token.Staff,
		shoptest.Body{"name": "Pier", "location": "Hamburg"},
		map[string]any{"name": long, "location": " ", "check_delay_s": -1, "warehouse_id": notID},
	},
	"category": {
		"edit-catalogue", http.MethodPost, "/v1/categories", token.Staff,
		shoptest.Body{"name": "Hats"},
		map[string]any{"name": long, "parent_id": notID, "slug": "?"},
	},
	"settings": {
		"edit-catalogue", http.MethodPut, "/v1/settings", token.Admin,
		shoptest.Body{"name": "Pier", "currency": "EUR"},
		map[string]any{"name": long, "accent": "red", "currency": "nix", "contact_email": "nobody"},
	},
	"level": {
		"serve-stock", http.MethodPost, "/v1/inventory/stock", token.Staff,
		shoptest.Body{"sku": "HAT", "warehouse_id": someID, "quantity": 1},
		map[string]any{"sku": long, "warehouse_id": notID, "quantity": -1},
	},
	"hold": {
		"serve-stock", http.MethodPost, "/v1/inventory/reservations", token.Staff,
		shoptest.Body{
			"lines": []any{map[string]any{"sku": shoptest.Cap, "quantity": 1}}, "expires_in_s": 60,
		},
		map[string]any{"expires_in_s": -1, "lines": []any{map[string]any{"sku": shoptest.Cap, "quantity": 1, "warehouse_id": notID}}},
	},
	"transfer": {
		"serve-stock", http.MethodPost, "/v1/inventory/transfers", token.Staff,
		shoptest.Body{
			"sku": shoptest.Cap, "from_warehouse_id": shoptest.Harbour, "to_warehouse_id": shoptest.Canal, "quantity": 1, "reason": "x",
		},
		map[string]any{"sku": long, "from_warehouse_id": notID, "to_warehouse_id": notID + "0", "quantity": 0, "reason": strings.Repeat("x", 501)},
	},
	"basket": {
		"serve-baskets", http.MethodPost, "/v1/basket/items", "",
		shoptest.Body{"product_id": someID, "quantity": 1},
		map[string]any{"product_id": notID, "quantity": 100},
	},
}

// set returns the body with a wrong value of a field, which may be one of an object.
func set(body shoptest.Body, field string, value any) shoptest.Body {
	object, inner, ok := strings.Cut(field, ".")
	if !ok {
		return body.With(field, value)
	}
	changed := maps.Clone(body[object].(map[string]any))
	changed[inner] = value
	return body.With(object, changed)
}

func TestEveryWrongFieldIsNamedInOneRound_API_95(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	bearers := map[string]string{"": ""}
	for _, role := range []string{token.Customer, token.Staff, token.Admin} {
		bearers[role] = shop.SignIn(t, role).Bearer
	}
	for name, c := range wrongRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				fields := slices.Sorted(maps.Keys(c.wrong))
				chosen := rapid.SliceOfNDistinct(rapid.SampledFrom(fields), 1, len(fields), rapid.ID).Draw(r, "fields")
				body := c.body
				for _, field := range chosen {
					body = set(body, field, c.wrong[field])
				}
				headers := []string{"Idempotency-Key", uuid.NewString()}
				if bearers[c.role] != "" {
					headers = append(headers, "Authorization", bearers[c.role])
				}
				a := shop.Call(t, c.function, c.method, c.path, body, headers...)
				require.Equal(r, http.StatusBadRequest, a.Status, a.Raw)
				require.ElementsMatch(r, chosen, outermost(a.Fields(), chosen), a.Raw)
			})
		})
	}
}

// outermost returns fields with each that is within one of the chosen fields replaced by that, once.
func outermost(fields, chosen []string) (named []string) {
	for _, field := range fields {
		for _, c := range chosen {
			if strings.HasPrefix(field, c+".") || strings.HasPrefix(field, c+"[") {
				field = c
			}
		}
		if !slices.Contains(named, field) {
			named = append(named, field)
		}
	}
	return named
}
