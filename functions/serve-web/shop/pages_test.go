package shop_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// WEB-14: what a store sells that does not take part is not there.
func TestProductsAreListedAndFiltered_WEB_14(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	require.Contains(t, v.Get(t, "/products").Text, "8 products")
	require.Contains(t, v.Get(t, "/products?tag=drop&sort=price_asc&max=50").Text, "1 product")
	require.Contains(t, v.Get(t, "/products?min=99999").Text, "Nothing fits")
	require.Contains(t, v.Get(t, "/products?page=x&sort=x&min=x&currency=x").Text, "8 products")
	require.Contains(t, v.Get(t, "/c/for-the-home").Text, "For the home")
	require.Equal(t, "/c/for-the-home/tableware/mugs", v.Get(t, "/c/mugs").Path)
	require.Equal(t, http.StatusNotFound, v.Get(t, "/c/nothing").Status)
	shop.Exec(t, `UPDATE catalogue.stores SET participating = false WHERE store_id <> $1`, shoptest.TheStore)
	_, v = shop, shop.Visitor(t, gateway())
	require.Contains(t, v.Get(t, "/products").Text, "5 products")
}

// WEB-15, WEB-48.
func TestAProductHasOneAddress_WEB_48(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	page := v.Get(t, "/products/01900000-0000-7000-8000-000000000102")
	require.Equal(t, "/products/harbour-cap", page.Path)
	require.Contains(t, page.HTML, `<link rel="canonical" href="http://localhost:8080/products/harbour-cap">`)
	require.Contains(t, page.HTML, `<meta property="og:title" content="Harbour cap`)
	_, rest, _ := strings.Cut(page.HTML, `type="application/ld+json">`)
	text, _, _ := strings.Cut(rest, "</script>")
	var data struct {
		Type   string `json:"@type"`
		Offers struct {
			Price, PriceCurrency, Availability string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &data), text)
	require.Equal(t, "Product", data.Type)
	require.Equal(t, "24.00", data.Offers.Price)
	require.Equal(t, "EUR", data.Offers.PriceCurrency)
	require.Equal(t, http.StatusNotFound, v.Get(t, "/products/nothing").Status)
}

// WEB-17.
func TestABasketIsChangedAndUndone_WEB_17(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	page := v.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "2")
	require.Equal(t, "/basket", page.Path)
	require.Contains(t, page.Text, "€48.00")
	require.Contains(t, page.HTML, `<span class="badge">2</span>`)
	line := regexp.MustCompile(`/basket/lines/[0-9a-f-]{36}`).FindString(page.HTML)
	require.Contains(t, v.Post(t, line, "quantity", "3").Text, "€72.00")
	short := v.Post(t, line, "quantity", "99999")
	require.Equal(t, http.StatusUnprocessableEntity, short.Status)
	removed := v.Post(t, line, "action", "remove", "quantity", "3")
	require.Contains(t, removed.Text, "Harbour cap is removed.")
	require.Contains(t, removed.Text, "Your basket is empty")
	require.Contains(t, v.Post(t, "/basket", "sku", shoptest.Cap, "quantity", "3").Text, "€72.00")
	tooMany := v.Post(t, "/products/linocut-ebb-numbered", "sku", "PRINT-50", "quantity", "60")
	require.Equal(t, http.StatusConflict, tooMany.Status)
	require.Contains(t, tooMany.Text, "There are only 50 left.")
}

// WEB-47: a link alone changes no basket.
func TestALinkFillsABasketOnceItIsConfirmed_WEB_47(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	page := v.Get(t, "/basket/add?sku="+shoptest.Cap+":2,MUG-ENAMEL")
	require.Contains(t, page.Text, "Add these to your basket?")
	require.Contains(t, page.Text, "€64.50")
	require.Contains(t, v.Get(t, "/basket").Text, "Your basket is empty")
	page = v.Post(t, "/basket/add", "sku", shoptest.Cap+":2,MUG-ENAMEL")
	require.Equal(t, "/basket", page.Path)
	require.Contains(t, page.Text, "€64.50")
	page = v.Post(t, "/basket/add", "sku", "NOTHING")
	require.Equal(t, http.StatusConflict, page.Status)
	require.Equal(t, http.StatusNotFound, v.Get(t, "/basket/add").Status)
}

// WEB-19: a total that has changed is shown and asked about, and all that was typed stays.
func TestAChangedTotalIsAskedAbout_WEB_19(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	v.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "1")
	page := v.Get(t, "/checkout")
	require.Contains(t, page.Text, "Pay €24.00")
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = 2500 WHERE sku = $1`, shoptest.Cap)
	fields := []string{
		"contact.email", "ada@example.test", "contact.name", "Ada Byron", "contact.phone", "+49 40 1234567", "to", "address",
		"address.country", "DE", "address.postal_code", "20457", "address.city", "Hamburg", "address.address_line1", "Am Kai 1",
		"payment_method", "simulated",
	}
	page = v.Post(t, "/checkout", append(fields, hidden(t, page, "key", "basket", "total", "currency")...)...)
	require.Equal(t, http.StatusUnprocessableEntity, page.Status, page.Text)
	require.Contains(t, page.Text, "The total is now €25.00.")
	require.Contains(t, page.HTML, `value="Am Kai 1"`)
	again := hidden(t, page, "key", "basket", "total", "currency")
	page = v.Post(t, "/checkout", append(fields, again...)...)
	require.Regexp(t, `^/o/ORD-`, page.Path, page.Text)
	twice := v.Post(t, "/checkout", append(fields, again...)...)
	require.Equal(t, page.Path, twice.Path, "the same form makes the same order")
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.orders`))
}

// hidden returns the values of hidden fields of a page, as pairs.
func hidden(t *testing.T, page shoptest.Page, names ...string) (pairs []string) {
	t.Helper()
	for _, name := range names {
		found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.HTML)
		require.Len(t, found, 2, name)
		pairs = append(pairs, name, found[1])
	}
	return pairs
}

// WEB-48, WEB-49.
func TestRobotsAndTextsAreThere_WEB_49(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	require.Contains(t, v.Get(t, "/robots.txt").HTML, "Sitemap: http://localhost:8080/sitemap.xml")
	require.Contains(t, v.Get(t, "/sitemap.xml").HTML, "<loc>http://localhost:8080/products/harbour-cap</loc>")
	require.Equal(t, "image/x-icon", v.Get(t, "/favicon.ico").Header.Get("Content-Type"))
	require.Contains(t, v.Get(t, "/legal/terms").Text, "has not written this text yet")
	shop.Exec(t, `INSERT INTO catalogue.texts (kind, language, description) VALUES ('terms', 'en', E'One.\n\nTwo & <b>three</b>.')`)
	v = shop.Visitor(t, gateway())
	require.Contains(t, v.Get(t, "/legal/terms").HTML, "Two &amp; &lt;b&gt;three&lt;/b&gt;.")
	require.Equal(t, http.StatusNotFound, v.Get(t, "/legal/nothing").Status)
}

// WEB-22: a guest's order is closed to others.
func TestAnOrderIsOpenToItsGuestOnly_WEB_22(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	order := shop.OrderIn(t, "confirmed")
	number := shoptest.Scalar[string](t, shop, `SELECT order_number FROM orders.orders WHERE order_id = $1`, order.ID)
	closed := v.Get(t, "/o/"+number)
	require.Equal(t, http.StatusNotFound, closed.Status)
	require.NotContains(t, closed.Text, "Harbour cap")
	require.Equal(t, http.StatusNotFound, v.Post(t, "/o/"+number+"/open", "token", "wrong").Status)
	page := v.Post(t, "/o/"+number+"/open", "token", order.Token)
	require.Equal(t, "/o/"+number, page.Path)
	require.Contains(t, page.Text, "Your order is confirmed")
	page = v.Post(t, "/o/"+number+"/cancel", append(hidden(t, page, "key", "id"), "reason", "too many")...)
	require.Contains(t, page.Text, "cancelled")
}

// WEB-50: the admin of an empty shop sees what to do first; visitors see that it opens soon.
func TestAnEmptyShopHasFirstSteps_WEB_50(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	shop.Exec(t, `UPDATE catalogue.products SET deleted_at = now()`)
	require.NotContains(t, v.Get(t, "/").Text, "First steps")
	admin := shop.Visitor(t, gateway()).As(t, shop.SignIn(t, token.Admin))
	require.Contains(t, admin.Get(t, "/").Text, "Add a store done Add a product with a picture Receive goods")
}
