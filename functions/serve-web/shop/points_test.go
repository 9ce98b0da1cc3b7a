package shop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// PTS-01: the sum and the button follow the points, and the order uses them.
func TestPointsAreUsedInTheCheckout_PTS_01(t *testing.T) {
	t.Parallel()
	shop, visitor := open(t)
	ada := shop.SignIn(t, token.Customer)
	v := visitor.As(t, ada)
	v.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "1")
	require.NotContains(t, v.Get(t, "/checkout").HTML, `name="points"`, "an account without points")
	shop.GivePoints(t, ada.ID, 50)
	page := v.Get(t, "/checkout")
	require.Contains(t, page.Text, "You can use 50 points.")
	require.Contains(t, page.Text, "Pay €24.00")
	fields := []string{
		"contact.email", "ada@example.test", "contact.name", "Ada Byron", "contact.phone", "+49 40 1234567", "to", "address",
		"address.country", "DE", "address.postal_code", "20457", "address.city", "Hamburg", "address.address_line1", "Am Kai 1",
		"payment_method", "simulated",
	}
	key := hidden(t, page, "key", "basket")
	page = v.Post(t, "/checkout", append(append(fields, key...), "points", "20", "action", "update")...)
	require.Contains(t, page.Text, "Pay €22.00")
	require.Contains(t, page.Text, "Discount −€2.00")
	for _, wrong := range []string{"51", "241", "many", "-1"} {
		page = v.Post(t, "/checkout", append(append(fields, key...), "points", wrong)...)
		require.Contains(t, []int{http.StatusUnprocessableEntity, http.StatusConflict}, page.Status, wrong)
		require.Contains(t, page.HTML, `value="`+wrong+`"`)
		key = hidden(t, page, "key", "basket")
	}
	page = v.Post(t, "/checkout", append(append(fields, key...), "points", "20", "total", "2200", "currency", "EUR")...)
	require.Regexp(t, `^/o/ORD-`, page.Path, page.Text)
	require.Contains(t, page.Text, "€22.00")
	require.EqualValues(t, 20, shop.PointsOf(t, ada).Held)
}

func TestTheCheckoutOffersGuestsNoPoints_PTS_16(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	v.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "1")
	page := v.Get(t, "/checkout")
	require.Contains(t, page.Text, "Pay €24.00")
	require.NotContains(t, page.HTML, `name="points"`)
}
