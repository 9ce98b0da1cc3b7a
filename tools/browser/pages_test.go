package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// visitors are those who look at a page.
const (
	visitor  = ""
	customer = "customer"
	staff    = "admin"
)

// pageToOpen is a page, and who opens it.
type pageToOpen struct {
	name string
	as   string
	path string
	make func(t testing.TB, w *tab) (path string)
}

// pages are all pages: a new one is one line. The path may be made by a function, where something has to be there first.
var pages = []pageToOpen{
	{name: "home", path: "/"},
	{name: "products", path: "/products"},
	{name: "products-filtered", path: "/products?tag=drop&stock=1&max=50"},
	{name: "products-none", path: "/products?min=100000"},
	{name: "category", path: "/c/for-the-home"},
	{name: "product", make: productWith("TEE-DROP-01")},
	{name: "product-variants", make: productWith("BAG-SAIL")},
	{name: "product-sold-out", make: productWith("SOAP-SALT")},
	{name: "search", path: "/search?q=cap"},
	{name: "search-none", path: "/search?q=qwertyuiop"},
	{name: "basket-empty", path: "/basket"},
	{name: "basket", make: basketOf(2)},
	{name: "basket-long", make: basketOf(30)},
	{name: "basket-add", path: "/basket/add?sku=TEE-DROP-01:2,CAP-NAVY"},
	{name: "checkout", make: atCheckout},
	{name: "checkout-account", as: customer, make: atCheckout},
	{name: "pay-taler", make: payable("taler")},
	{name: "pay-card", make: payable("card")},
	{name: "pay-slip", make: payable("konbini_lawson")},
	{name: "order", make: orderIn("confirmed")},
	{name: "order-sent", make: orderIn("in_transit")},
	{name: "order-cancelled", make: orderIn("cancelled")},
	{name: "order-closed", path: "/o/ORD-20260131-7K3QX9"},
	{name: "orders", as: customer, path: "/orders"},
	{name: "track", path: "/track"},
	{name: "track-unknown", path: "/track?number=nothing"},
	{name: "sign-in", path: "/sign-in"},
	{name: "sign-up", path: "/sign-up"},
	{name: "forgot", path: "/forgot"},
	{name: "reset", path: "/reset"},
	{name: "guest", path: "/guest"},
	{name: "account", as: customer, path: "/account"},
	{name: "addresses", as: customer, make: withAddress},
	{name: "address-new", as: customer, path: "/account/addresses/new"},
	{name: "points", as: customer, path: "/account/points"},
	{name: "keys", as: customer, path: "/account/keys"},
	{name: "legal", path: "/legal/returns"},
	{name: "about", path: "/about"},
	{name: "docs", path: "/docs"},
	{name: "docs-events", path: "/docs/events"},
	{name: "not-found", path: "/nothing/here"},
	{name: "forbidden", as: customer, path: "/v1/users"},
	{name: "problem", path: "/problems/out-of-stock"},
}

var (
	themes    = []string{"light", "dark"}
	languages = []string{"en", "ja"}
	widths    = []int64{1440, 390}
)

// maxShift is less than a picture that finds its size late. Text that gets another font as it loads may move a little.
const maxShift = 0.01

// WEB-43, WEB-03, WEB-05, WEB-09: every page in both themes, both languages and both widths.
func TestEveryPage_WEB_43(t *testing.T) {
	access := map[string]string{visitor: ""}
	for _, role := range []string{customer, staff} {
		_, access[role] = account(t, role)
	}
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			w := open(t, access[page.as])
			path := page.path
			if page.make != nil {
				path = page.make(t, w)
			}
			for _, theme := range themes {
				for _, language := range languages {
					for _, width := range widths {
						w.size(width)
						w.cookie("popup-theme", theme)
						w.cookie("popup-language", language)
						w.visit(path)
						name := fmt.Sprintf("%s-%s-%s-%d", page.name, theme, language, width)
						moved := w.shift()
						if moved >= maxShift { // on a busy machine a script may run after the first paint
							w.visit(path)
							moved = w.shift()
						}
						require.Less(t, moved, maxShift, "%s: the layout moves", name)
						w.shot(name)
						require.Empty(t, w.faults(), name)
						require.LessOrEqual(t, eval[int64](w, `document.documentElement.scrollWidth`), width, "%s is wider than the window", name)
						require.Equal(t, language, eval[string](w, `document.documentElement.lang`), name)
						w.requireNoErrors()
					}
				}
			}
		})
	}
}

const (
	maxPage    = 100 << 10 // bytes of the first page that a visitor opens, compressed, without pictures
	maxScripts = 25 << 10
)

// WEB-11.
func TestFirstPageIsSmall_WEB_11(t *testing.T) {
	w := open(t, "")
	w.visit("/")
	w.mu.Lock()
	defer w.mu.Unlock()
	var page, scripts, styles int64
	for url, bytes := range w.received {
		switch {
		case strings.HasSuffix(url, ".js"):
			scripts += bytes
		case strings.HasSuffix(url, ".css"):
			styles++
		}
		if !strings.Contains(url, "/pictures/") {
			page += bytes
		}
	}
	t.Logf("%d bytes, %d of them scripts", page, scripts)
	require.LessOrEqual(t, page, int64(maxPage))
	require.LessOrEqual(t, scripts, int64(maxScripts))
	require.EqualValues(t, 1, styles)
}
