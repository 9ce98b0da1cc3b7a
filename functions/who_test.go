package functions_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/shoptest"
)

// may lists the callers that may use each route. "client" is a machine client with the scope of the route, "stranger"
// one without it, "anonymous" a request without a token.
var may = map[string]string{
	"GET /v1/products":      "anonymous guest customer staff admin stranger client",
	"GET /v1/products/{id}": "anonymous guest customer staff admin stranger client",

	"GET /v1/products/search":                "anonymous guest customer staff admin stranger client",
	"GET /v1/products/suggestions":           "anonymous guest customer staff admin stranger client",
	"GET /v1/products/{id}/variants":         "anonymous guest customer staff admin stranger client",
	"GET /v1/facets":                         "anonymous guest customer staff admin stranger client",
	"GET /v1/tags":                           "anonymous guest customer staff admin stranger client",
	"GET /v1/categories":                     "anonymous guest customer staff admin stranger client",
	"GET /v1/categories/{id}":                "anonymous guest customer staff admin stranger client",
	"GET /v1/stores":                         "anonymous guest customer staff admin stranger client",
	"GET /v1/products/drafts":                "staff admin client",
	"GET /v1/points":                         "customer staff admin",
	"GET /v1/points/entries":                 "customer staff admin",
	"POST /v1/points/adjustments":            "staff admin",
	"POST /v1/orders/{id}/points":            "customer staff admin",
	"GET /v1/insights/daily":                 "staff admin",
	"GET /v1/inventory/stock/{id}":           "staff admin client",
	"GET /v1/settings":                       "anonymous guest customer staff admin stranger client",
	"PUT /v1/settings":                       "admin",
	"GET /v1/texts/{kind}":                   "anonymous guest customer staff admin stranger client",
	"PUT /v1/texts/{kind}":                   "admin",
	"DELETE /v1/texts/{kind}":                "admin",
	"GET /v1/stores/{id}":                    "anonymous guest customer staff admin stranger client",
	"GET /v1/stores/{id}/products":           "anonymous guest customer staff admin stranger client",
	"POST /v1/products":                      "staff admin client",
	"PUT /v1/products/{id}":                  "staff admin client",
	"DELETE /v1/products/{id}":               "staff admin client",
	"POST /v1/products/imports":              "staff admin client",
	"GET /v1/products/exports":               "staff admin client",
	"POST /v1/products/deletions":            "staff admin client",
	"POST /v1/products/{id}/restore":         "staff admin client",
	"POST /v1/variants/{id}/restore":         "staff admin client",
	"POST /v1/products/{id}/variants":        "staff admin client",
	"PUT /v1/variants/{id}":                  "staff admin client",
	"DELETE /v1/variants/{id}":               "staff admin client",
	"PUT /v1/products/{id}/tags/{tag}":       "staff admin client",
	"DELETE /v1/products/{id}/tags/{tag}":    "staff admin client",
	"POST /v1/products/{id}/images":          "staff admin client",
	"DELETE /v1/products/{id}/images/{name}": "staff admin client",
	"POST /v1/categories":                    "staff admin client",
	"PUT /v1/categories/{id}":                "staff admin client",
	"DELETE /v1/categories/{id}":             "staff admin client",
	"POST /v1/stores":                        "staff admin client",
	"PUT /v1/stores/{id}":                    "staff admin client",
	"DELETE /v1/stores/{id}":                 "staff admin client",
	"PUT /v1/stores/{id}/participating":      "staff admin client",
	"DELETE /v1/stores/{id}/participating":   "staff admin client",
	"DELETE /v1/stores/{id}/products":        "staff admin client",

	"GET /v1/inventory/stock":                 "anonymous guest customer staff admin stranger client",
	"POST /v1/inventory/stock":                "staff admin client",
	"POST /v1/inventory/stock/{id}/movements": "staff admin client",
	"GET /v1/inventory/stock/{id}/movements":  "staff admin client",
	"PUT /v1/inventory/stock/{id}":            "staff admin client",
	"POST /v1/inventory/transfers":            "staff admin client",
	"GET /v1/inventory/reservations":          "staff admin client",
	"POST /v1/inventory/reservations":         "staff admin client",
	"GET /v1/inventory/reservations/{id}":     "staff admin client",
	"DELETE /v1/inventory/reservations/{id}":  "staff admin client",
	"GET /v1/basket":                          "anonymous guest customer staff admin stranger client",
	"DELETE /v1/basket":                       "anonymous guest customer staff admin stranger client",
	"POST /v1/basket/items":                   "anonymous guest customer staff admin stranger client",
	"PUT /v1/basket/items/{id}":               "anonymous guest customer staff admin stranger client",
	"DELETE /v1/basket/items/{id}":            "anonymous guest customer staff admin stranger client",

	"GET /v1/payment-methods":          "anonymous guest customer staff admin stranger client",
	"GET /v1/payments":                 "staff admin",
	"GET /v1/payments/suspense":        "staff admin",
	"POST /v1/authorisations":          "guest customer staff admin",
	"GET /v1/authorisations":           "guest customer staff admin",
	"GET /v1/authorisations/{id}":      "guest customer staff admin",
	"POST /v1/payments/{id}/capture":   "guest customer staff admin",
	"GET /v1/payments/reconciliations": "staff admin",
	"GET /v1/payments/{id}":            "guest customer staff admin",
	"GET /v1/payments/{id}/entries":    "staff admin",
	"GET /v1/orders/{id}/payment":      "guest customer staff admin",
	"GET /v1/payments/{id}/refunds":    "staff admin",
	"POST /v1/payments/{id}/refunds":   "staff admin",
	"GET /v1/refunds/{id}":             "guest customer staff admin",
	"POST /v1/refunds/{id}/retry":      "staff admin",
	"POST /v1/webhooks/{provider}":     "anonymous guest customer staff admin stranger client",

	"GET /v1/warehouses":         "staff admin client",
	"POST /v1/warehouses":        "staff admin client",
	"GET /v1/warehouses/{id}":    "staff admin client",
	"PUT /v1/warehouses/{id}":    "staff admin client",
	"DELETE /v1/warehouses/{id}": "staff admin client",

	"POST /v1/users/register":           "anonymous guest customer staff admin stranger client",
	"POST /v1/users/login":              "anonymous guest customer staff admin stranger client",
	"POST /v1/users/password/forgot":    "anonymous guest customer staff admin stranger client",
	"POST /v1/users/password/reset":     "anonymous guest customer staff admin stranger client",
	"POST /v1/users/refresh":            "anonymous guest customer staff admin stranger client",
	"POST /v1/users/logout":             "customer staff admin",
	"GET /v1/keys":                      "anonymous guest customer staff admin stranger client",
	"GET /v1/users/me":                  "customer staff admin",
	"PUT /v1/users/me":                  "customer staff admin",
	"DELETE /v1/users/me":               "customer staff admin",
	"GET /v1/users/me/data":             "customer staff admin",
	"PUT /v1/users/me/password":         "customer staff admin",
	"GET /v1/users/me/addresses":        "customer staff admin",
	"POST /v1/users/me/addresses":       "customer staff admin",
	"PUT /v1/addresses/{id}":            "customer staff admin",
	"DELETE /v1/addresses/{id}":         "customer staff admin",
	"GET /v1/users/me/ssh-keys":         "customer staff admin",
	"POST /v1/users/me/ssh-keys":        "customer staff admin",
	"DELETE /v1/users/me/ssh-keys/{id}": "customer staff admin",
	"GET /v1/users/me/sessions":         "customer staff admin",
	"DELETE /v1/users/me/sessions":      "customer staff admin",
	"POST /v1/customers":                "anonymous guest customer staff admin stranger client",
	"GET /v1/customers/{id}":            "guest staff admin",
	"POST /v1/customers/{id}/token":     "anonymous guest customer staff admin stranger client",
	"GET /v1/clients":                   "admin",
	"POST /v1/clients":                  "admin",
	"DELETE /v1/clients/{id}":           "admin",
	"POST /v1/tokens":                   "anonymous guest customer staff admin stranger client",
	"GET /v1/users":                     "staff admin",
	"GET /v1/users/{id}":                "staff admin",
	"PUT /v1/users/{id}":                "admin",
	"GET /v1/audit":                     "admin",

	"POST /v1/orders":                    "anonymous guest customer staff admin stranger client",
	"GET /v1/orders":                     "guest customer staff admin",
	"POST /v1/orders/hide":               "staff admin",
	"POST /v1/orders/find":               "anonymous guest customer staff admin stranger client",
	"GET /v1/orders/{id}/stream":         "guest customer staff admin",
	"POST /v1/orders/{id}/session":       "anonymous guest customer staff admin stranger client",
	"GET /v1/events":                     "staff admin client",
	"GET /v1/dead-letters":               "staff admin",
	"GET /v1/dead-letters/{id}":          "staff admin",
	"POST /v1/dead-letters/{id}/redrive": "staff admin",
	"POST /v1/dead-letters/{id}/discard": "admin",
	"GET /v1/functions":                  "staff admin",
	"GET /v1/functions/flow":             "staff admin",
	"GET /v1/checks":                     "staff admin",
	"GET /v1/mails":                      "staff admin",
	"GET /v1/mails/{id}":                 "staff admin",
	"GET /v1/mail-samples":               "staff admin",
	"POST /v1/mails/{id}/send":           "staff admin",
	"GET /v1/events/stream":              "staff admin client",
	"POST /v1/orders/{id}/claim":         "customer staff admin",
	"GET /v1/orders/{id}":                "guest customer staff admin",
	"GET /v1/orders/{id}/events":         "guest customer staff admin",
	"POST /v1/orders/{id}/cancel":        "guest customer staff admin",
	"GET /v1/orders/{id}/notes":          "staff admin",
	"POST /v1/orders/{id}/notes":         "staff admin",
	"POST /v1/orders/{id}/ship":          "staff admin",
	"POST /v1/orders/{id}/status":        "staff admin",
	"POST /v1/quotes":                    "anonymous guest customer staff admin stranger client",
	"GET /v1/shipments":                  "staff admin",
	"GET /v1/shipments/{id}":             "staff admin",
	"GET /v1/tracking/{number}":          "anonymous guest customer staff admin stranger client",
}

// ACC-19, ACC-20: every route is tried with each kind of caller. A route that is missing in the table fails the test.
func TestRoutesAdmitTheirCallersOnly(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	tried := 0
	for _, f := range all(t) {
		if f.Endpoints == nil {
			continue
		}
		for _, r := range f.Endpoints.Routes() {
			name := r.Method + " " + r.Path
			allowed, ok := may[strings.TrimSuffix(name, ".csv")] // a list as CSV is for those who may read the list
			require.True(t, ok, "%s is not in the table", name)
			for who, bearer := range callers(t, shop, scopeOf(r.Access)) {
				status := shop.Call(t, f.Name, r.Method, filled(r.Path), body(r.Method), "Authorization", bearer,
					"Idempotency-Key", uuid.NewString()).Status
				switch {
				case slices.Contains(strings.Fields(allowed), who):
					require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s as %s", name, who)
				case who == "anonymous":
					require.Equal(t, http.StatusUnauthorized, status, "%s as %s", name, who)
				default:
					require.Equal(t, http.StatusForbidden, status, "%s as %s", name, who)
				}
			}
			if !strings.HasSuffix(name, ".csv") {
				tried++
			}
		}
	}
	require.Len(t, may, tried, "the table has a route that does not exist")
}

// callers returns the bearer token of each kind of caller.
func callers(t testing.TB, shop *shoptest.Shop, scope string) map[string]string {
	t.Helper()
	other := "metrics"
	if scope == other {
		other = "orders"
	}
	made := map[string]string{"anonymous": "", "stranger": shop.SignIn(t, "client", other).Bearer, "client": shop.SignIn(t, "client", scope).Bearer}
	for _, role := range []string{"guest", "customer", "staff", "admin"} {
		made[role] = shop.SignIn(t, role).Bearer
	}
	return made
}

// scopeOf returns the scope with which a client may use a route, or "orders" where no scope is enough.
func scopeOf(a access.Access) string {
	if scopes := a.Scopes(); len(scopes) > 0 {
		return scopes[0]
	}
	return "orders"
}

// filled returns a path with ids of objects that do not exist.
func filled(path string) string {
	for strings.Contains(path, "{") {
		from, to := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:from] + uuid.NewString() + path[to+1:]
	}
	return path
}

func body(method string) any {
	if method == http.MethodGet || method == http.MethodDelete {
		return nil
	}
	return map[string]any{"a_field_that_nobody_has": 1}
}
