package placeorder

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/pricing"
	"github.com/popup-shop/popup/internal/problem"
)

// product is an ordered product or variant with the data of the catalogue.
type product struct {
	ID         string
	VariantID  string
	SKU        string
	Name       string
	StoreID    string
	StoreName  string
	PriceMinor int64
	Currency   string
	OnSale     bool
	CheckDelay time.Duration
}

// priced is an order with the catalogue's prices.
type priced struct {
	events.OrderPlaced
}

// price calculates the lines and the total of an order. Prices come from the catalogue; tax is rounded down once per
// order.
func price(b Body, products map[string]product, taxJPY int64) (priced, error) {
	var o priced
	for i, line := range b.Lines {
		if err := o.add(i, line, products); err != nil {
			return o, err
		}
	}
	if err := o.usePoints(b.Points, o.sum(taxJPY)); err != nil {
		return o, err
	}
	o.PaymentMethod, o.Locale = b.PaymentMethod, b.Locale
	if o.Locale == "" {
		o.Locale = "en"
	}
	total := money.Amount{Minor: o.TotalMinor, Currency: o.Currency}
	if b.ExpectedTotal != nil && *b.ExpectedTotal != total {
		return o, problem.New(http.StatusConflict, "total-changed",
			"The total of the order is not the expected one.").With("total", total)
	}
	return o, o.checkMethod()
}

// add adds line i of an order, or returns what is wrong with it.
func (o *priced) add(i int, line Item, products map[string]product) *problem.Problem {
	sold, ok := products[line.key()]
	if !ok {
		return problem.Invalid(problem.FieldError{Field: fmt.Sprintf("lines[%d]", i), Message: "is not in the catalogue"})
	}
	if !sold.OnSale {
		return problem.New(http.StatusConflict, "not-on-sale", sold.SKU+" is not on sale.").
			With("lines", []map[string]any{{"sku": sold.SKU, "store_id": sold.StoreID, "requested": line.Quantity, "available": 0}})
	}
	if o.Currency == "" {
		o.Currency = sold.Currency
	}
	if o.Currency != sold.Currency {
		return problem.Invalid(problem.FieldError{
			Field: fmt.Sprintf("lines[%d]", i), Message: "has another currency than the lines before it",
		})
	}
	o.Lines = append(o.Lines, events.PlacedLine{
		Line: i + 1, ProductID: sold.ID, VariantID: sold.VariantID, SKU: sold.SKU,
		StoreID: sold.StoreID, Name: sold.Name, Quantity: line.Quantity,
		UnitPriceMinor: sold.PriceMinor, TotalMinor: sold.PriceMinor * line.Quantity,
	})
	o.SubtotalMinor += sold.PriceMinor * line.Quantity
	return nil
}

// sum calculates the totals of the lines.
func (o *priced) sum(taxJPY int64) pricing.Totals {
	t := pricing.Total(money.Amount{Minor: o.SubtotalMinor, Currency: o.Currency}, taxJPY)
	o.setTotals(t)
	return t
}

func (o *priced) setTotals(t pricing.Totals) {
	o.DeliveryFeeMinor, o.TaxMinor, o.DiscountMinor, o.TotalMinor = t.DeliveryFeeMinor, t.TaxMinor, t.DiscountMinor, t.TotalMinor
}

// usePoints lowers the totals by points, or returns what is wrong with them.
func (o *priced) usePoints(n int64, t pricing.Totals) error {
	if wrong := points.Wrong(n, t.TotalMinor); wrong != "" {
		return problem.Invalid(problem.FieldError{Field: "points", Message: wrong})
	}
	o.Points = n
	o.setTotals(t.WithPoints(n))
	return nil
}

// event returns the event of the placed order, with the dates of its checks and its deadline.
func (o priced) event(orderID string, now time.Time, d delays, hold time.Duration) events.OrderPlaced {
	placed := o.OrderPlaced
	placed.OrderID, placed.OrderNumber, placed.Version = orderID, newOrderNumber(now), 1
	placed.StockCheckAt, placed.PaymentCheckAt = now.Add(d.stock), now.Add(max(d.payment, d.stock))
	placed.Deadline = placed.PaymentCheckAt.Add(hold)
	first := placed.Deadline
	switch {
	case d.stock > 0:
		first = placed.StockCheckAt
	case d.payment > 0:
		first = placed.PaymentCheckAt
	}
	placed.Delayed = first.Before(now.Add(time.Minute)) && (d.stock > 0 || d.payment > 0 || hold < time.Minute)
	return placed
}

// numberAlphabet are the characters of order numbers, without those that are easily confused.
const numberAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// newOrderNumber returns a new order number, with the date and random characters. It does not reveal how many orders
// there are.
func newOrderNumber(now time.Time) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	for i := range random {
		random[i] = numberAlphabet[int(random[i])%len(numberAlphabet)]
	}
	return "ORD-" + now.Format("20060102") + "-" + string(random[:])
}
