package money_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/money"
)

// exponents are the decimals of some currencies, by ISO 4217.
var exponents = map[string]int{"JPY": 0, "KRW": 0, "EUR": 2, "USD": 2, "CHF": 2, "KWD": 3, "BHD": 3}

func TestEachCurrencyHasItsDecimals(t *testing.T) {
	t.Parallel()
	for code, decimals := range exponents {
		exponent, ok := money.Exponent(code)
		require.True(t, ok, code)
		require.Equal(t, decimals, exponent, code)
	}
}

func TestACodeThatIsNoneIsNoCurrency(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "eur", "EURO", "ZZZ", "€"} {
		_, ok := money.Exponent(code)
		require.False(t, ok, code)
	}
}

func TestAnAmountIsWrittenInUnitsOfItsCurrency(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		minor    int64
		currency string
		decimal  string
	}{
		{1999, "JPY", "1999"},
		{0, "JPY", "0"},
		{-1999, "JPY", "-1999"},
		{1999, "EUR", "19.99"},
		{1900, "EUR", "19.00"},
		{99, "EUR", "0.99"},
		{5, "USD", "0.05"},
		{0, "USD", "0.00"},
		{-5, "USD", "-0.05"},
		{-1999, "USD", "-19.99"},
		{1, "KWD", "0.001"},
		{1234, "KWD", "1.234"},
		{-1234, "KWD", "-1.234"},
		{math.MaxInt64, "EUR", "92233720368547758.07"},
		{math.MinInt64, "EUR", "-92233720368547758.08"},
	} {
		amount := money.Amount{Minor: of.minor, Currency: of.currency}
		require.Equal(t, of.decimal, amount.Decimal())
		require.Equal(t, of.decimal+" "+of.currency, amount.String())
	}
}

func TestADecimalIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"JPY", "EUR", "USD", "KWD"}).Draw(t, "currency")
		minor := rapid.Int64().Draw(t, "minor")
		units, ok := new(big.Rat).SetString(money.Amount{Minor: minor, Currency: code}.Decimal())
		require.True(t, ok)
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponents[code])), nil)
		require.Equal(t, new(big.Rat).SetInt64(minor).RatString(), units.Mul(units, new(big.Rat).SetInt(scale)).RatString())
	})
}

func TestPeopleReadAnAmountAsTheyWriteIt(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		minor                      int64
		currency, locale, readable string
	}{
		{199999, "EUR", "en", "€1,999.99"},
		{199999, "EUR", "de", "1.999,99\u00a0€"},
		{199999, "EUR", "", "€1,999.99"},
		{199999, "EUR", "no such locale", "€1,999.99"},
		{1999, "JPY", "ja", "￥1,999"},
		{1999, "JPY", "en", "¥1,999"},
		{-5, "USD", "en", "-$0.05"},
		{1234, "KWD", "en", "KWD\u00a01.234"},
		{5, "ZZZ", "en", "5 ZZZ"},
	} {
		require.Equal(t, of.readable, money.Amount{Minor: of.minor, Currency: of.currency}.Format(of.locale))
	}
}

// TRM-32: an amount is read with the decimals of its currency, exactly.
func TestAnAmountIsReadInUnitsOfItsCurrency_TRM_32(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]money.Amount{
		"25.00 EUR": {Minor: 2500, Currency: "EUR"}, "25 EUR": {Minor: 2500, Currency: "EUR"}, "0.5 EUR": {Minor: 50, Currency: "EUR"},
		"1999 JPY": {Minor: 1999, Currency: "JPY"}, "1.234 KWD": {Minor: 1234, Currency: "KWD"}, "-0.01 USD": {Minor: -1, Currency: "USD"},
	} {
		amount, code, _ := strings.Cut(text, " ")
		got, err := money.Parse(amount, code)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"19.99 JPY", "1.999 EUR", "1,99 EUR", " EUR", ".5 EUR", "5. EUR", "1e3 EUR", "+5 EUR", "1_0 EUR", "1.-5 EUR", "5 XXY",
		"99999999999999999999 EUR",
	} {
		amount, code, _ := strings.Cut(text, " ")
		_, err := money.Parse(amount, code)
		require.Error(t, err, text)
	}
}
