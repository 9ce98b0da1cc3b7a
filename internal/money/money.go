// Package money is amounts: whole numbers of minor units with an ISO 4217 currency. It knows no prices and no
// providers.
package money

import (
	"cmp"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Amount is a sum of money as callers see it.
type Amount struct {
	Minor    int64  `json:"amount_minor" doc:"whole number of the currency's smallest coin" example:"1999"`
	Currency string `json:"currency" doc:"ISO 4217 code" pattern:"^[A-Z]{3}$" example:"EUR"`
}

// Exponent is the number of decimals of a currency: 0 for JPY, 2 for EUR, 3 for KWD. ok is false for a code that is
// none.
func Exponent(code string) (exponent int, ok bool) {
	digits, ok := currency.GetDigits(code)
	return int(digits), ok
}

// Decimal is the amount in units of its currency: "19.99", "1999" for yen.
func (a Amount) Decimal() string {
	exponent, _ := Exponent(a.Currency)
	sign, digits := "", strconv.FormatInt(a.Minor, 10)
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if exponent == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, exponent+1-len(digits))) + digits
	return sign + digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:]
}

// Parse reads an amount in units of its currency, such as 25 or 25.00. It has as many decimals as the currency at the most.
func Parse(text, code string) (Amount, error) {
	exponent, ok := Exponent(code)
	if !ok {
		return Amount{}, fmt.Errorf("%q is not a currency", code)
	}
	units, decimals, _ := strings.Cut(text, ".")
	if len(decimals) > exponent {
		return Amount{}, fmt.Errorf("%s has %d decimals", code, exponent)
	}
	minor, err := strconv.ParseInt(units+decimals+strings.Repeat("0", exponent-len(decimals)), 10, 64)
	if err != nil || units == "" || strings.ContainsAny(text, "+_") || strings.HasSuffix(text, ".") {
		return Amount{}, fmt.Errorf("%q is not an amount, such as %s", text, Amount{25 * power(exponent), code}.Decimal())
	}
	return Amount{minor, code}, nil
}

func power(exponent int) int64 {
	n := int64(1)
	for range exponent {
		n *= 10
	}
	return n
}

// Format writes the amount for people, as they write it in their locale.
func (a Amount) Format(locale string) string {
	amount, err := currency.NewAmount(a.Decimal(), a.Currency)
	if err != nil {
		return a.Decimal() + " " + a.Currency
	}
	return currency.NewFormatter(currency.NewLocale(cmp.Or(locale, "en"))).Format(amount)
}

// String is the amount as a log or an error shows it.
func (a Amount) String() string { return fmt.Sprintf("%s %s", a.Decimal(), a.Currency) }

// Share returns the part of an amount that falls to part of a whole, rounded down. It does not overflow.
func Share(amount, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(amount), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(quotient)
}
