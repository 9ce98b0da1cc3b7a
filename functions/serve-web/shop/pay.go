package shop

import (
	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// readMethods reads how the basket can be paid.
func (c *checkoutView) readMethods(r *page.Request) error {
	offered, err := r.API.GetPaymentMethods(r.Context(), client.GetPaymentMethodsQuery{Currency: c.basket.Subtotal.Currency})
	for _, m := range offered.Items {
		if m.AtMost == nil || c.basket.Total.Minor <= m.AtMost.Minor {
			c.methods = append(c.methods, m)
		}
	}
	return err
}
