package placeorder

import (
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/problem"
)

// checkMethod returns a problem for a payment method that does not take the total of the order.
func (o *priced) checkMethod() error {
	m, ok := payment.MethodOf(o.PaymentMethod)
	if !ok || o.TotalMinor == 0 || m.Takes(money.Amount{Minor: o.TotalMinor, Currency: o.Currency}) {
		return nil
	}
	message := "takes only " + m.Currency
	if o.Currency == m.Currency {
		message = "takes at most " + money.Amount{Minor: m.AtMost, Currency: m.Currency}.String()
	}
	return problem.Invalid(problem.FieldError{Field: "payment_method", Message: message})
}
