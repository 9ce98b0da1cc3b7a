package placeorder

import (
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/problem"
)

// checkMethod returns a problem for a payment method that does not take the total of the order.
func (o *priced) checkMethod() error {
	if o.TotalMinor == 0 {
		return nil
	}
	if o.PaymentMethod == points.Method {
		return notTaken("can be points only if they pay the whole order")
	}
	m, ok := payment.MethodOf(o.PaymentMethod)
	total := money.Amount{Minor: o.TotalMinor, Currency: o.Currency}
	switch {
	case !ok || m.Takes(total):
		return nil
	case o.Currency == m.Currency:
		return notTaken("takes at most " + money.Amount{Minor: m.AtMost, Currency: m.Currency}.String())
	}
	return notTaken("takes only " + m.Currency)
}

func notTaken(message string) error {
	return problem.Invalid(problem.FieldError{Field: "payment_method", Message: message})
}
