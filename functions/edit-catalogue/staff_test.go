package editcatalogue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// desk is a shop with a member of staff who keeps its catalogue.
type desk struct {
	*shoptest.Shop
	t *testing.T
}

func sit(t *testing.T) desk {
	shop := shoptest.Open(t, functions.All)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(shop.Log())
		}
	})
	return desk{shop, t}
}

// call calls the catalogue as staff: the function that the gateway would call.
func (d desk) call(method, path string, body any) shoptest.Response {
	d.t.Helper()
	name := "edit-catalogue"
	if method == http.MethodGet && !strings.HasPrefix(path, "/v1/products/exports") {
		name = "serve-catalogue"
	}
	return d.Call(d.t, name, method, path, body, "Authorization", d.Staff(d.t))
}

// get calls the catalogue as a visitor.
func get(t *testing.T, shop *shoptest.Shop, path string) shoptest.Response {
	t.Helper()
	return shop.Call(t, "serve-catalogue", http.MethodGet, path, nil)
}

// skus returns those of a page.
func skus(a shoptest.Response) (all []string) {
	list, _ := a.Body["items"].([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any)["sku"].(string))
	}
	return all
}

// must is a call that goes well.
func (d desk) must(method, path string, body any) shoptest.Response {
	d.t.Helper()
	a := d.call(method, path, body)
	require.Less(d.t, a.Status, 300, a.Raw)
	return a
}

// product is a good one; a test changes what it is about.
func product(sku string) shoptest.Body {
	return shoptest.Body{"store_id": shoptest.TheStore, "name": "Knit hat", "sku": sku, "price": euros(2900)}
}

func euros(minor any) map[string]any { return map[string]any{"amount_minor": minor, "currency": "EUR"} }

// add adds a product and returns the path of its page.
func (d desk) add(body shoptest.Body) string {
	d.t.Helper()
	return "/v1/products/" + d.must(http.MethodPost, "/v1/products", body).Body["id"].(string)
}

// emitted returns the types and changes of the events since the shop opened.
func (d desk) emitted() (all []string) {
	for _, m := range d.Broker.Published() {
		all = append(all, m.Type+" "+between(string(m.Data), `"change":"`, `"`))
	}
	return all
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	found, _, _ := strings.Cut(rest, to)
	return found
}
