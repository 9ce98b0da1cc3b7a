package address_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/address"
)

func inTokyo() address.Address {
	return address.Address{
		Name: "A. Customer", Phone: "+81 3-0000-0000", Country: "JP", PostalCode: "100-0001", Prefecture: "Tokyo",
		City: "Chiyoda", AddressLine1: "1-1",
	}
}

func inBerlin() address.Address {
	return address.Address{
		Name: "A. Customer", Phone: "030 000000", Country: "DE", PostalCode: "10115", City: "Berlin", AddressLine1: "Weg 1",
	}
}

func fields(faults []address.FieldError) (names []string) {
	for _, fault := range faults {
		names = append(names, fault.Field)
	}
	return names
}

func TestAWholeAddressHasNoFault(t *testing.T) {
	t.Parallel()
	require.Empty(t, inTokyo().Faults())
	require.Empty(t, inBerlin().Faults())
	elsewhere := inBerlin()
	elsewhere.Country, elsewhere.PostalCode = "IS", "IS-101"
	require.Empty(t, elsewhere.Faults(), "the form of postal codes is not known everywhere")
}

func TestEachFieldLeftEmptyIsNamed(t *testing.T) {
	t.Parallel()
	for field, empty := range map[string]func(*address.Address, string){
		"name":          func(a *address.Address, s string) { a.Name = s },
		"phone":         func(a *address.Address, s string) { a.Phone = s },
		"country":       func(a *address.Address, s string) { a.Country = s },
		"postal_code":   func(a *address.Address, s string) { a.PostalCode = s },
		"city":          func(a *address.Address, s string) { a.City = s },
		"address_line1": func(a *address.Address, s string) { a.AddressLine1 = s },
	} {
		for _, nothing := range []string{"", "  ", "\t\u3000"} {
			a := inBerlin()
			empty(&a, nothing)
			require.Contains(t, a.Faults(), address.FieldError{Field: field, Message: "must not be empty"}, "%s %q", field,
				nothing)
			require.Subset(t, []string{field}, fields(a.Faults()), "no other field is blamed")
		}
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"name", "phone", "country", "postal_code", "city", "address_line1"},
		fields(address.Address{}.Faults()))
}

func TestAFieldThatMayBeEmptyMay(t *testing.T) {
	t.Parallel()
	a := inBerlin()
	a.Region, a.AddressLine2, a.Prefecture = "", "", ""
	require.Empty(t, a.Faults())
}

func TestJapanHas47Prefectures(t *testing.T) {
	t.Parallel()
	prefectures := strings.Fields(`
		Aichi Akita Aomori Chiba Ehime Fukui Fukuoka Fukushima Gifu Gunma Hiroshima Hokkaido Hyogo Ibaraki Ishikawa Iwate Kagawa
		Kagoshima Kanagawa Kochi Kumamoto Kyoto Mie Miyagi Miyazaki Nagano Nagasaki Nara Niigata Oita Okayama Okinawa Osaka Saga
		Saitama Shiga Shimane Shizuoka Tochigi Tokushima Tokyo Tottori Toyama Wakayama Yamagata Yamaguchi Yamanashi`)
	require.Len(t, prefectures, 47)
	for _, prefecture := range prefectures {
		a := inTokyo()
		a.Prefecture = prefecture
		require.Empty(t, a.Faults(), prefecture)
	}
}

func TestAnAddressInJapanNeedsAPrefecture(t *testing.T) {
	t.Parallel()
	for _, prefecture := range []string{"", "Bavaria", "tokyo", "Tokyo "} {
		a := inTokyo()
		a.Prefecture = prefecture
		require.Equal(t, []string{"prefecture"}, fields(a.Faults()), prefecture)
	}
}

func TestPostalCodesHaveTheFormOfTheirCountry(t *testing.T) {
	t.Parallel()
	for country, codes := range map[string]struct{ right, wrong []string }{
		"JP": {[]string{"100-0001", "1000001"}, []string{"100-001", "100 0001", "1000-001", "〒100-0001"}},
		"DE": {[]string{"10115", "01067"}, []string{"1011", "101155", "D-10115"}},
		"FR": {[]string{"75001"}, []string{"7500", "75 001"}},
		"ES": {[]string{"28001"}, []string{"2800"}},
		"IT": {[]string{"00118"}, []string{"118"}},
		"AT": {[]string{"1010"}, []string{"10100", "A-1010"}},
		"CH": {[]string{"8001"}, []string{"80011"}},
		"BE": {[]string{"1000"}, []string{"100"}},
		"NL": {[]string{"1012 AB", "1012ab"}, []string{"1012", "1012 A", "1012  AB"}},
		"US": {[]string{"10001", "10001-0001"}, []string{"1000", "10001-1", "10001 0001"}},
		"CA": {[]string{"K1A 0B1", "k1a0b1"}, []string{"K1A", "11A 0B1"}},
		"GB": {[]string{"SW1A 1AA", "m1 1ae", "B338TH"}, []string{"SW1A", "1AA SW1", "SW1A  1AA"}},
	} {
		a := inTokyo()
		a.Country = country
		for _, a.PostalCode = range codes.right {
			require.Empty(t, a.Faults(), "%s %s", country, a.PostalCode)
		}
		for _, a.PostalCode = range codes.wrong {
			require.Equal(t, []address.FieldError{{Field: "postal_code", Message: "is not a postal code of " + country}},
				a.Faults(), "%s %s", country, a.PostalCode)
		}
	}
}

func TestACountryIsTwoCapitalLetters(t *testing.T) {
	t.Parallel()
	for _, country := range []string{"de", "D", "DEU", "Germany", "D1"} {
		a := inBerlin()
		a.Country = country
		require.Equal(t, []string{"country"}, fields(a.Faults()), country)
	}
}

func TestATelephoneNumberHasDigits(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"+81 3-0000-0000", "0300000", "+1 (555) 0100", "00000", "030/000.000"} {
		require.True(t, address.Phone(number), number)
	}
	for _, number := range []string{"", "1234", "call me", "+", "++81 3 0000", "030 000000 ext 1", strings.Repeat("1", 41)} {
		require.False(t, address.Phone(number), number)
		a := inBerlin()
		a.Phone = number
		require.Equal(t, []string{"phone"}, fields(a.Faults()), number)
	}
}
