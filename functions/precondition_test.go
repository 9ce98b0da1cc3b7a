package functions_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// revision is a change of an object that a GET shows.
type revision struct {
	get    string // where the ETag is read
	path   string
	body   any
	bearer string
	basket string // token
}

// API-94: a change with the current ETag of its object is made, and one with another is not.
func TestEveryChangeHonoursIfMatch_API_94(t *testing.T) {
	t.Parallel()
	s := reviser{shoptest.Open(t, functions.All, func(s *functions.Settings) { s.Pictures = pictures(t) }), t}
	revisions := s.revisions()
	served := map[string]string{}
	var changes []string
	for _, f := range functions.All(functions.Settings{}) {
		if f.Endpoints == nil {
			continue
		}
		for _, r := range f.Endpoints.Routes() {
			route := r.Method + " " + r.Path
			served[route] = f.Name
			if r.Method == http.MethodPut || r.Method == http.MethodDelete {
				changes = append(changes, route)
			}
		}
	}
	var covered []string
	for route := range revisions {
		covered = append(covered, route)
	}
	require.ElementsMatch(t, changes, covered)
	for route, prepare := range revisions {
		t.Run(route, func(t *testing.T) {
			r := prepare()
			method, _, _ := strings.Cut(route, " ")
			call := func(tag string) shoptest.Response {
				return s.Call(s.t, served[route], method, r.path, r.body, r.headers("If-Match", tag)...)
			}
			read := func() shoptest.Response {
				get, name, _ := strings.Cut(r.get, "@")
				return s.Call(s.t, name, http.MethodGet, get, nil, r.headers()...)
			}
			tag := read().Header.Get("ETag")
			require.NotEmpty(t, tag)
			refused := call(`"old"`)
			require.Equal(t, http.StatusPreconditionFailed, refused.Status, refused.Raw)
			require.Equal(t, tag, refused.Header.Get("ETag"), "the current one")
			require.Equal(t, tag, read().Header.Get("ETag"), "nothing is changed")
			made := call(tag)
			require.Less(t, made.Status, 300, made.Raw)
		})
	}
}

func (r revision) headers(more ...string) []string {
	if r.bearer != "" {
		more = append(more, "Authorization", r.bearer)
	}
	if r.basket != "" {
		more = append(more, "Popup-Basket-Token", r.basket)
	}
	return more
}

// reviser makes the objects that are changed.
type reviser struct {
	*shoptest.Shop
	t *testing.T
}

func (s reviser) revisions() map[string]func() revision {
	all := map[string]func() revision{}
	s.addCatalogue(all)
	s.addStores(all)
	s.addSettings(all)
	s.addAccounts(all)
	s.addBaskets(all)
	s.addStock(all)
	return all
}

// made sends a POST as staff, and returns the id of what it made.
func (s reviser) made(name, path string, body any) string {
	s.t.Helper()
	r := s.Call(s.t, name, http.MethodPost, path, body, "Authorization", s.Staff(s.t))
	require.Equal(s.t, http.StatusCreated, r.Status, r.Raw)
	return r.Body["id"].(string)
}

func (s reviser) product() (path, get string, body shoptest.Body) {
	body = shoptest.Body{
		"store_id": shoptest.TheStore, "name": "Knit hat", "sku": uuid.NewString(),
		"price": map[string]any{"amount_minor": 1, "currency": "EUR"},
	}
	path = "/v1/products/" + s.made("edit-catalogue", "/v1/products", body)
	return path, path + "@serve-catalogue", body
}

func (s reviser) addCatalogue(all map[string]func() revision) {
	staff := s.Staff(s.t)
	ofProduct := func(part string) func() revision {
		return func() revision {
			path, get, body := s.product()
			return revision{get: get, path: path + part, body: body.With("name", "Cap"), bearer: staff}
		}
	}
	all["PUT /v1/products/{id}"], all["DELETE /v1/products/{id}"] = ofProduct(""), ofProduct("")
	for _, method := range []string{"PUT", "DELETE"} {
		all[method+" /v1/products/{id}/tags/{tag}"] = func() revision {
			r := ofProduct("/tags/warm")()
			r.body = nil
			return r
		}
		all[method+" /v1/variants/{id}"] = func() revision {
			path, get, _ := s.product()
			variant := shoptest.Body{"name": "red", "sku": uuid.NewString()}
			return revision{
				get: get, path: "/v1/variants/" + s.made("edit-catalogue", path+"/variants", variant),
				body: variant.With("name", "blue"), bearer: staff,
			}
		}
		all[method+" /v1/categories/{id}"] = func() revision {
			path := "/v1/categories/" + s.made("edit-catalogue", "/v1/categories", shoptest.Body{"name": "Hats"})
			return revision{get: path + "@serve-catalogue", path: path, body: shoptest.Body{"name": "Caps"}, bearer: staff}
		}
	}
	all["DELETE /v1/products/{id}/images/{name}"] = func() revision {
		path, get, _ := s.product()
		s.Exec(s.t, `UPDATE catalogue.products SET images = '{x.png}' WHERE product_id = $1`, path[len("/v1/products/"):])
		return revision{get: get, path: path + "/images/x.png", bearer: staff}
	}
}

func (s reviser) addStores(all map[string]func() revision) {
	body := shoptest.Body{"name": "Stall", "location": "Kiel"}
	for route, part := range map[string]string{
		"PUT /v1/stores/{id}": "", "DELETE /v1/stores/{id}": "?confirm=true", "DELETE /v1/stores/{id}/participating": "/participating",
		"PUT /v1/stores/{id}/participating": "/participating", "DELETE /v1/stores/{id}/products": "/products?confirm=true",
	} {
		all[route] = func() revision {
			id := s.made("edit-catalogue", "/v1/stores", body)
			if strings.HasPrefix(route, "PUT") && part != "" {
				s.Exec(s.t, `UPDATE catalogue.stores SET participating = false WHERE store_id = $1`, id)
			}
			return revision{
				get: "/v1/stores/" + id + "@serve-catalogue", path: "/v1/stores/" + id + part, body: body.With("name", "Shed"),
				bearer: s.Staff(s.t),
			}
		}
	}
}

func (s reviser) addSettings(all map[string]func() revision) {
	admin := s.SignIn(s.t, token.Admin).Bearer
	all["PUT /v1/settings"] = func() revision {
		return revision{
			get: "/v1/settings@serve-catalogue", path: "/v1/settings", body: shoptest.Body{"name": "Tide", "currency": "EUR"}, bearer: admin,
		}
	}
	const path = "/v1/texts/terms"
	text := shoptest.Body{"en": shoptest.Body{"description": "Terms."}}
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		all[method+" /v1/texts/{kind}"] = func() revision {
			r := s.Call(s.t, "edit-catalogue", http.MethodPut, path, text, "Authorization", admin)
			require.Equal(s.t, http.StatusOK, r.Status, r.Raw)
			return revision{
				get: path + "@serve-catalogue", path: path, body: shoptest.Body{"en": shoptest.Body{"description": "New."}}, bearer: admin,
			}
		}
	}
}

func (s reviser) addAccounts(all map[string]func() revision) {
	const accounts = "serve-accounts"
	registered := func() string {
		r := s.Call(s.t, accounts, http.MethodPost, "/v1/users/register", shoptest.Body{
			"email": uuid.NewString() + "@example.test", "name": "Ada Byron", "phone": contact.Phone, "password": secret,
		})
		require.Equal(s.t, http.StatusCreated, r.Status, r.Raw)
		return "Bearer " + r.Body["access_token"].(string)
	}
	own := func(get, path string, body any) func() revision {
		return func() revision {
			return revision{get: get + "@" + accounts, path: path, body: body, bearer: registered()}
		}
	}
	part := func(list, path string, body, change any) func() revision {
		return func() revision {
			r := own(list, path, change)()
			made := s.Call(s.t, accounts, http.MethodPost, list, body, r.headers()...)
			require.Equal(s.t, http.StatusCreated, made.Status, made.Raw)
			r.path += made.Body["id"].(string)
			return r
		}
	}
	all["PUT /v1/users/me"] = func() revision {
		r := own("/v1/users/me", "/v1/users/me", nil)()
		me := s.Call(s.t, accounts, http.MethodGet, "/v1/users/me", nil, r.headers()...).Body
		r.body = shoptest.Body{"email": me["email"], "name": "Ada King", "phone": contact.Phone}
		return r
	}
	all["DELETE /v1/users/me"] = own("/v1/users/me", "/v1/users/me", nil)
	all["PUT /v1/users/me/password"] = own("/v1/users/me", "/v1/users/me/password",
		shoptest.Body{"old": secret, "new": another})
	all["DELETE /v1/users/me/sessions"] = own("/v1/users/me/sessions", "/v1/users/me/sessions", nil)
	all["PUT /v1/addresses/{id}"] = part("/v1/users/me/addresses", "/v1/addresses/", home, home)
	all["DELETE /v1/addresses/{id}"] = part("/v1/users/me/addresses", "/v1/addresses/", home, nil)
	all["DELETE /v1/users/me/ssh-keys/{id}"] = part("/v1/users/me/ssh-keys", "/v1/users/me/ssh-keys/",
		shoptest.Body{"name": "machine", "key": key}, nil)
	all["DELETE /v1/clients/{id}"] = func() revision {
		r := revision{get: "/v1/clients@" + accounts, bearer: s.SignIn(s.t, "admin").Bearer}
		made := s.Call(s.t, accounts, http.MethodPost, "/v1/clients", shoptest.Body{"name": "depot", "scopes": []string{"stock"}},
			r.headers()...)
		r.path = "/v1/clients/" + made.Body["id"].(string)
		return r
	}
	all["PUT /v1/users/{id}"] = func() revision {
		path := "/v1/users/" + s.SignIn(s.t, "customer").ID
		return revision{
			get: path + "@" + accounts, path: path, body: shoptest.Body{"role": "staff", "active": true},
			bearer: s.SignIn(s.t, "admin").Bearer,
		}
	}
}

func (s reviser) addBaskets(all map[string]func() revision) {
	for route, items := range map[string]string{
		"DELETE /v1/basket": "", "PUT /v1/basket/items/{id}": "/items/", "DELETE /v1/basket/items/{id}": "/items/",
	} {
		all[route] = func() revision {
			filled := s.Call(s.t, "serve-baskets", http.MethodPost, "/v1/basket/items",
				shoptest.Body{"sku": shoptest.Cap, "quantity": 1})
			r := revision{get: "/v1/basket@serve-baskets", path: "/v1/basket" + items, basket: filled.Body["basket_token"].(string)}
			if items != "" {
				r.path += filled.Body["lines"].([]any)[0].(map[string]any)["id"].(string)
				r.body = shoptest.Body{"quantity": 2}
			}
			return r
		}
	}
}

func (s reviser) addStock(all map[string]func() revision) {
	for _, method := range []string{"PUT", "DELETE"} {
		all[method+" /v1/warehouses/{id}"] = func() revision {
			path := "/v1/warehouses/" + s.made("serve-stock", "/v1/warehouses", shoptest.Body{"name": uuid.NewString(), "priority": 1})
			return revision{
				get: path + "@serve-stock", path: path, body: shoptest.Body{"name": uuid.NewString(), "priority": 2}, bearer: s.Staff(s.t),
			}
		}
	}
	all["PUT /v1/inventory/stock/{id}"] = func() revision {
		path := "/v1/inventory/stock/" + shoptest.Scalar[string](s.t, s.Shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1 LIMIT 1`, shoptest.Cap)
		return revision{
			get: path + "@serve-stock", path: path, body: shoptest.Body{"quantity": 70, "reason": "counted"}, bearer: s.Staff(s.t),
		}
	}
	all["DELETE /v1/inventory/reservations/{id}"] = func() revision {
		held := s.Call(s.t, "serve-stock", http.MethodPost, "/v1/inventory/reservations",
			shoptest.Body{"lines": []any{shoptest.Body{"sku": shoptest.Cap, "quantity": 1}}},
			"Authorization", s.Staff(s.t), "Idempotency-Key", uuid.NewString())
		path := "/v1/inventory/reservations/" + held.Body["reservation_id"].(string)
		return revision{get: path + "@serve-stock", path: path, bearer: s.Staff(s.t)}
	}
}
