package shop

import (
	"strconv"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
)

// readMethods reads how the basket can be paid. Visitors without an account cannot authorise amounts.
func (c *checkoutView) readMethods(r *page.Request) error {
	offered, err := r.API.GetPaymentMethods(r.Context(), client.GetPaymentMethodsQuery{Currency: c.basket.Subtotal.Currency})
	for _, m := range offered.Items {
		switch {
		case m.AtMost != nil && c.basket.Total.Minor > m.AtMost.Minor:
		case m.Code == payment.PreAuthorised && !r.View.SignedIn():
		default:
			c.methods = append(c.methods, m)
			c.authorises = c.authorises || m.Code == payment.PreAuthorised
		}
	}
	return err
}

// pointsUsed returns the points of the form, or -1, which the API refuses, for what is no number.
func (c *checkoutView) pointsUsed() int64 {
	typed := c.form.Value("points")
	if typed == "" {
		return 0
	}
	n, err := strconv.ParseInt(typed, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// pointsMost returns how many points the form offers.
func (c *checkoutView) pointsMost() int { return int(min(c.points, points.Most)) }

// authorisation returns the authorised amount that an order is taken from: one with enough left, or a new one of the form's amount. It is
// empty, with an error in the form, if that amount does not suffice.
func (c *checkoutView) authorisation(r *page.Request, total client.Amount) (id string, err error) {
	own, err := r.API.ListAuthorisations(r.Context(), client.Paging{Limit: 100})
	if err != nil {
		return "", err
	}
	for _, a := range own.Items {
		if a.Free.Currency == total.Currency && a.Free.Minor >= total.Minor {
			return a.ID, nil
		}
	}
	amount, err := money.Parse(c.form.Value("authorise"), total.Currency)
	if err != nil || amount.Minor < total.Minor {
		c.form.Add("authorise", r.View.T("checkout.authorise-more", r.View.Money(total)))
		return "", nil
	}
	made, err := r.API.Authorise(r.Context(), client.Amount(amount), client.Key("authorise "+c.form.Value("key")))
	return made.ID, err
}

// likelyAmount returns the amount that the form offers to authorise: 1,000, or what the order costs if that is more.
func (c *checkoutView) likelyAmount() string {
	thousand, err := money.Parse("1000", c.basket.Total.Currency)
	if err != nil || thousand.Minor < c.basket.Total.Minor {
		return money.Amount(c.basket.Total).Decimal()
	}
	return thousand.Decimal()
}

// payNow has the amount captured that is set aside for an order.
func payNow(r *page.Request) error {
	number := r.PathValue("number")
	api := r.ForOrder(number)
	p, err := api.GetOrderPayment(r.Context(), r.FormValue("id"))
	if err == nil {
		_, err = api.CapturePayment(r.Context(), p.ID)
	}
	if page.Is(err, "not-possible-now") {
		r.Notify("bad", "order.not-payable")
	} else if err != nil {
		return err
	}
	return r.SeeOther(orderPath(number))
}
