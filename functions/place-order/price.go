package placeorder

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/problem"
)

// product is what the catalogue says about something that is ordered: a product, or one of its variants.
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

// price makes lines of what is ordered. Prices come from the catalogue; tax is rounded down once per order.
func price(b Body, products map[string]product, taxJPY int64) (priced, error) {
	var o priced
	for i, line := range b.Lines {
		sold, found := products[line.name()]
		if !found {
			return o, problem.Invalid(problem.FieldError{Field: fmt.Sprintf("lines[%d]", i), Message: "is nothing that we sell"})
		}
		if !sold.OnSale {
			return o, problem.New(http.StatusConflict, "not-on-sale", sold.SKU+" is not sold any more, or not now").
				With("lines", []map[string]any{{"sku": sold.SKU, "store_id": sold.StoreID, "requested": line.Quantity, "available": 0}})
		}
		if o.Currency == "" {
			o.Currency = sold.Currency
		}
		if o.Currency != sold.Currency {
			return o, problem.Invalid(problem.FieldError{Field: fmt.Sprintf("lines[%d]", i), Message: "has another currency than the lines before it"})
		}
		o.Lines = append(o.Lines, events.PlacedLine{
			Line: i + 1, ProductID: sold.ID, VariantID: sold.VariantID, SKU: sold.SKU, StoreID: sold.StoreID, Name: sold.Name, Quantity: line.Quantity,
			UnitPriceMinor: sold.PriceMinor, TotalMinor: sold.PriceMinor * line.Quantity,
		})
		o.SubtotalMinor += sold.PriceMinor * line.Quantity
	}
	if o.Currency == "JPY" {
		o.TaxMinor = (o.SubtotalMinor + o.DeliveryFeeMinor) * taxJPY / 100
	}
	o.TotalMinor = o.SubtotalMinor + o.DeliveryFeeMinor + o.TaxMinor - o.DiscountMinor
	o.PaymentMethod, o.Locale = b.PaymentMethod, b.Locale
	if o.Locale == "" {
		o.Locale = "en"
	}
	total := money.Amount{Minor: o.TotalMinor, Currency: o.Currency}
	if b.ExpectedTotal != nil && *b.ExpectedTotal != total {
		return o, problem.New(http.StatusConflict, "total-changed", "the total is not the expected one").With("total", total)
	}
	return o, nil
}

// event is the order as it is announced, with its dates.
func (o priced) event(orderID string, now time.Time, d delays, hold time.Duration) events.OrderPlaced {
	placed := o.OrderPlaced
	placed.OrderID, placed.OrderNumber, placed.Version = orderID, number(now), 1
	placed.StockCheckAt, placed.PaymentCheckAt = now.Add(d.stock), now.Add(max(d.payment, d.stock))
	placed.Deadline = placed.PaymentCheckAt.Add(hold)
	first := placed.Deadline
	if d.stock > 0 {
		first = placed.StockCheckAt
	}
	placed.Delayed = first.Before(now.Add(time.Minute)) && (d.stock > 0 || d.payment > 0 || hold < time.Minute)
	return placed
}

// letters of order numbers: none that look like another.
const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// number is an order number: dated and random, so that nothing is counted up.
func number(now time.Time) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	for i := range random {
		random[i] = letters[int(random[i])%len(letters)]
	}
	return "ORD-" + now.Format("20060102") + "-" + string(random[:])
}
