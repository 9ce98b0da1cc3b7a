package shop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// WEB-45: what a guest typed is not asked for again, and the order is in the account that they make.
func TestAGuestsOrderBecomesAnAccounts_WEB_45(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	placed := shop.OrderIn(t, "confirmed")
	path := "/o/" + placed.OrderNumber
	owner := func() string {
		return shoptest.Scalar[string](t, shop, `SELECT coalesce(customer_id::text, '') FROM orders.orders WHERE order_id = $1`, placed.ID)
	}
	require.NotContains(t, v.Get(t, "/sign-up?next="+path).HTML, "ada@example.test", "only to whom the order is open")
	page := v.Post(t, path+"/open", "token", placed.Token)
	require.Contains(t, page.Text, "Keep this order")
	form := v.Get(t, "/sign-up?next="+path)
	require.Contains(t, form.HTML, `value="ada@example.test"`)
	done := v.Post(t, "/sign-up", "next", path, "email", "ada@example.test", "name", "Ada", "phone", "+4940123456", "password", "a good long one")
	require.Equal(t, path, done.Path)
	require.Contains(t, done.HTML, "The order is in your account.")
	require.NotContains(t, done.Text, "Keep this order")
	require.NotEmpty(t, owner())
	require.Contains(t, v.Get(t, "/orders").Text, placed.OrderNumber)
}

// WEB-45: with an account it is one button.
func TestAnOrderIsAddedToAnAccount_WEB_45(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	placed := shop.OrderIn(t, "confirmed")
	path := "/o/" + placed.OrderNumber
	v.As(t, shop.SignIn(t, token.Customer))
	require.Equal(t, http.StatusNotFound, v.Post(t, path+"/claim").Status, "without its token")
	require.Contains(t, v.Post(t, path+"/open", "token", placed.Token).Text, "Add to my account")
	require.Contains(t, v.Post(t, path+"/claim").HTML, "The order is in your account.")
	require.Contains(t, v.Get(t, "/orders").Text, placed.OrderNumber)
}

// WEB-15: the page begins with the price and the stock of what its form begins with.
func TestAPriceIsThatOfTheVariant_WEB_15(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	id := shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = 'BAG-SAIL'`)
	shop.Exec(t, `UPDATE catalogue.variants SET price_minor = 12300 WHERE product_id = $1`, id)
	page := v.Get(t, "/products/"+id)
	require.Contains(t, page.HTML, `id="price">€123.00<`)
	require.Contains(t, page.HTML, `data-price="€123.00"`)
	require.Contains(t, page.HTML, `data-note="`)
}

// WEB-12.
func TestTheShopIsShown_WEB_12(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	shop.Exec(t, `UPDATE catalogue.products SET images = ARRAY['/pictures/cap.jpg'] WHERE sku = $1`, shoptest.Cap)
	page := v.Get(t, "/about")
	require.Contains(t, page.Text, "How an order works 1 You order")
	require.Contains(t, page.HTML, `<ul class="gallery-grid">`)
	require.Contains(t, page.HTML, `href="/products/harbour-cap"`)
	require.NotContains(t, page.HTML, `href="/products/harbour-tee"`, "a product without a picture")
}

// WEB-14: choices state how many products they lead to, unless prices or stock are filtered too.
func TestChoicesHaveNumbers_WEB_14(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	page := v.Get(t, "/products")
	require.Contains(t, page.Text, "Categories For the home 5 To wear 3")
	require.Contains(t, v.Get(t, "/c/for-the-home").Text, "5 products")
	require.Contains(t, v.Get(t, "/products?tag=drop").HTML, `href="/c/to-wear?tag=drop"`, "the tag stays")
	require.NotContains(t, v.Get(t, "/products?stock=1").Text, "For the home 5")
}
