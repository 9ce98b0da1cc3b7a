// Package pricing calculates what an order costs. A basket, a quote and the order itself use it alike, so they agree.
package pricing

import (
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/points"
)

// Totals is what an order costs, in minor units of one currency.
type Totals struct {
	SubtotalMinor    int64
	DeliveryFeeMinor int64
	TaxMinor         int64
	DiscountMinor    int64
	TotalMinor       int64
}

// Total returns what an order costs whose lines cost subtotal. taxJPY is the tax on orders in yen, in per cent; it is rounded down once
// for the order.
func Total(subtotal money.Amount, taxJPY int64) Totals {
	t := Totals{SubtotalMinor: subtotal.Minor}
	if subtotal.Currency == "JPY" {
		t.TaxMinor = (t.SubtotalMinor + t.DeliveryFeeMinor) * taxJPY / 100
	}
	t.TotalMinor = t.SubtotalMinor + t.DeliveryFeeMinor + t.TaxMinor - t.DiscountMinor
	return t
}

// WithPoints returns the totals of an order that uses points: they are a discount.
func (t Totals) WithPoints(n int64) Totals {
	t.DiscountMinor += n * points.Value
	t.TotalMinor -= n * points.Value
	return t
}

// Prices are Totals in a response.
type Prices struct {
	Subtotal    money.Amount `json:"subtotal" doc:"The sum of the lines that are on sale."`
	DeliveryFee money.Amount `json:"delivery_fee"`
	Tax         money.Amount `json:"tax"`
	Discount    money.Amount `json:"discount"`
	Total       money.Amount `json:"total"`
}

// In returns the totals in a currency.
func (t Totals) In(currency string) Prices {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	return Prices{in(t.SubtotalMinor), in(t.DeliveryFeeMinor), in(t.TaxMinor), in(t.DiscountMinor), in(t.TotalMinor)}
}
