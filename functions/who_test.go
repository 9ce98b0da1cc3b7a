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

// may is who may take each route there is: "client" is a machine client with the scope that the route names.
var may = map[string]string{
	"GET /v1/products":      "nobody guest customer staff admin stranger client",
	"GET /v1/products/{id}": "nobody guest customer staff admin stranger client",

	"GET /v1/products/search":                "nobody guest customer staff admin stranger client",
	"GET /v1/products/suggestions":           "nobody guest customer staff admin stranger client",
	"GET /v1/products/{id}/variants":         "nobody guest customer staff admin stranger client",
	"GET /v1/tags":                           "nobody guest customer staff admin stranger client",
	"GET /v1/categories":                     "nobody guest customer staff admin stranger client",
	"GET /v1/categories/{id}":                "nobody guest customer staff admin stranger client",
	"GET /v1/stores":                         "nobody guest customer staff admin stranger client",
	"GET /v1/stores/{id}":                    "nobody guest customer staff admin stranger client",
	"GET /v1/stores/{id}/products":           "nobody guest customer staff admin stranger client",
	"POST /v1/products":                      "staff admin client",
	"PUT /v1/products/{id}":                  "staff admin client",
	"DELETE /v1/products/{id}":               "staff admin client",
	"POST /v1/products/imports":              "staff admin client",
	"GET /v1/products/exports":               "staff admin client",
	"POST /v1/products/deletions":            "staff admin client",
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

	"GET /v1/inventory/stock":                 "nobody guest customer staff admin stranger client",
	"POST /v1/inventory/stock":                "staff admin client",
	"POST /v1/inventory/stock/{id}/movements": "staff admin client",
	"GET /v1/inventory/stock/{id}/movements":  "staff admin client",
	"PUT /v1/inventory/stock/{id}":            "staff admin client",
	"POST /v1/inventory/reservations":         "staff admin client",
	"GET /v1/inventory/reservations/{id}":     "staff admin client",
	"DELETE /v1/inventory/reservations/{id}":  "staff admin client",
	"GET /v1/basket":                          "nobody guest customer staff admin stranger client",
	"DELETE /v1/basket":                       "nobody guest customer staff admin stranger client",
	"POST /v1/basket/items":                   "nobody guest customer staff admin stranger client",
	"PUT /v1/basket/items/{id}":               "nobody guest customer staff admin stranger client",
	"DELETE /v1/basket/items/{id}":            "nobody guest customer staff admin stranger client",

	"GET /v1/warehouses":         "staff admin client",
	"POST /v1/warehouses":        "staff admin client",
	"GET /v1/warehouses/{id}":    "staff admin client",
	"PUT /v1/warehouses/{id}":    "staff admin client",
	"DELETE /v1/warehouses/{id}": "staff admin client",

	"POST /v1/users/register":           "nobody guest customer staff admin stranger client",
	"POST /v1/users/login":              "nobody guest customer staff admin stranger client",
	"POST /v1/users/refresh":            "nobody guest customer staff admin stranger client",
	"POST /v1/users/logout":             "customer staff admin",
	"GET /v1/keys":                      "nobody guest customer staff admin stranger client",
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
	"POST /v1/customers":                "nobody guest customer staff admin stranger client",
	"GET /v1/customers/{id}":            "guest staff admin",
	"POST /v1/customers/{id}/token":     "nobody guest customer staff admin stranger client",
	"GET /v1/clients":                   "admin",
	"POST /v1/clients":                  "admin",
	"DELETE /v1/clients/{id}":           "admin",
	"POST /v1/tokens":                   "nobody guest customer staff admin stranger client",
	"GET /v1/users":                     "staff admin",
	"GET /v1/users/{id}":                "admin",
	"PUT /v1/users/{id}":                "admin",
	"GET /v1/audit":                     "admin",

	"POST /v1/orders":             "nobody guest customer staff admin stranger client",
	"GET /v1/orders":              "guest customer staff admin",
	"POST /v1/orders/{id}/claim":  "customer staff admin",
	"GET /v1/orders/{id}":         "guest customer staff admin",
	"GET /v1/orders/{id}/events":  "guest customer staff admin",
	"POST /v1/orders/{id}/cancel": "guest customer staff admin",
}

// TestWhoMayTakeEachRoute tries every route as everybody. A route that is not in the table fails. ACC-19, ACC-20.
func TestWhoMayTakeEachRoute(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	tried := 0
	for _, f := range all(t) {
		if f.Endpoints == nil {
			continue
		}
		for _, r := range f.Endpoints.Routes() {
			name := r.Method + " " + r.Path
			allowed, listed := may[name]
			require.True(t, listed, "%s is not in the table", name)
			for who, bearer := range callers(t, shop, scopeOf(r.Access)) {
				status := shop.Call(t, f.Name, r.Method, filled(r.Path), body(r.Method), "Authorization", bearer, "Idempotency-Key", uuid.NewString()).Status
				switch {
				case slices.Contains(strings.Fields(allowed), who):
					require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s as %s", name, who)
				case who == "nobody":
					require.Equal(t, http.StatusUnauthorized, status, "%s as %s", name, who)
				default:
					require.Equal(t, http.StatusForbidden, status, "%s as %s", name, who)
				}
			}
			tried++
		}
	}
	require.Len(t, may, tried, "the table names a route that is not there")
}

// callers is one of each kind: the stranger is a client without the scope.
func callers(t testing.TB, shop *shoptest.Shop, scope string) map[string]string {
	t.Helper()
	other := "metrics"
	if scope == other {
		other = "orders"
	}
	made := map[string]string{"nobody": "", "stranger": shop.SignIn(t, "client", other).Bearer, "client": shop.SignIn(t, "client", scope).Bearer}
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

// filled is a path that leads to nothing.
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
