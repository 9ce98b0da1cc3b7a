package shop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// WEB-18, WEB-22, PAY-31: a customer authorises an amount in the checkout, orders from it twice, and pays once the order is confirmed.
func TestAnAmountIsAuthorisedInTheCheckout_WEB_18(t *testing.T) {
	t.Parallel()
	shop, visitor := openWith(t, func(s *functions.Settings) { s.PaymentMethods = []string{"simulated", payment.PreAuthorised} })
	visitor.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "1")
	require.NotContains(t, visitor.Get(t, "/checkout").Text, "Pre-authorised amount", "a visitor without an account")
	v := visitor.As(t, shop.SignIn(t, token.Customer))
	fields := []string{
		"contact.email", "ada@example.test", "contact.name", "Ada Byron", "contact.phone", "+49 40 1234567", "to", "address",
		"address.country", "DE", "address.postal_code", "20457", "address.city", "Hamburg", "address.address_line1", "Am Kai 1",
		"payment_method", payment.PreAuthorised,
	}
	order := func(amount string) shoptest.Page {
		page := v.Get(t, "/checkout")
		require.Contains(t, page.Text, "Pre-authorised amount")
		return v.Post(t, "/checkout", append(append(fields, hidden(t, page, "key", "basket", "total", "currency")...), "authorise", amount)...)
	}
	for _, wrong := range []string{"", "much", "0", "-5", "23.99"} {
		page := order(wrong)
		require.Equal(t, http.StatusUnprocessableEntity, page.Status, wrong)
		require.Contains(t, page.HTML, `value="`+wrong+`"`)
		require.Contains(t, page.Text, "Authorise at least €24.00.", wrong)
	}
	first := order("60.00")
	v.Post(t, "/products/harbour-cap", "sku", shoptest.Cap, "quantity", "1")
	second := order("60.00")
	require.Regexp(t, `^/o/ORD-`, first.Path, first.Text)
	require.Regexp(t, `^/o/ORD-`, second.Path, second.Text)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM payments.authorisations WHERE amount_minor = 6000`))
	id := shoptest.Scalar[string](t, shop, `SELECT order_id::text FROM orders.orders ORDER BY created_at LIMIT 1`)
	require.NotContains(t, v.Get(t, first.Path).Text, "Pay €", "it is not confirmed")
	reserved := shop.Deliver(t, "reserve-stock", shop.Emitted(t, id, "order.placed")[0])
	shop.Send(t, "track-order", reserved[0])
	shop.Send(t, "track-order", shop.Send(t, "create-payment", reserved[0])[0])
	require.Contains(t, v.Get(t, first.Path).HTML, `action="`+first.Path+`/pay"`)
	page := v.Post(t, first.Path+"/pay", "id", id)
	require.Equal(t, first.Path, page.Path)
	shop.Deliver(t, "track-order", shop.Emitted(t, id, "payment.paid")[0])
	require.Contains(t, v.Get(t, first.Path).Text, "Pre-authorised amount: paid")
	require.Equal(t, first.Path, v.Post(t, first.Path+"/pay", "id", id).Path, "once more changes nothing")
	waiting := shoptest.Scalar[string](t, shop, `SELECT order_id::text FROM orders.orders ORDER BY created_at DESC LIMIT 1`)
	require.Equal(t, http.StatusNotFound, v.Post(t, second.Path+"/pay", "id", waiting).Status, "it has no payment yet")
}
