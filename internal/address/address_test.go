package address_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
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
			require.Contains(t, a.Faults(), address.FieldError{Field: field, Message: "must not be empty"}, "%s %q", field, nothing)
			require.Subset(t, []string{field}, fields(a.Faults()), "no other field is blamed")
		}
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"name", "phone", "country", "postal_code", "city", "address_line1"}, fields(address.Address{}.Faults()))
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

// ACC-40.
func TestPrefecturesAreKnownByEachOfTheirNames(t *testing.T) {
	t.Parallel()
	for _, prefecture := range []string{
		"Tokyo", "tokyo", "TOKYO-TO", "Tōkyō", "Tōkyō-to", "Tokyo Metropolis", "東京都", "東京", "13", "JP-13", "jp13", " Tokyo ", "Ｔｏｋｙｏ",
	} {
		t.Run(prefecture, func(t *testing.T) {
			a := inTokyo()
			a.Prefecture = prefecture
			require.Empty(t, a.Faults())
			require.Equal(t, "Tokyo", a.Normalised().Prefecture)
			a.Prefecture, a.Region = "", prefecture
			require.Empty(t, a.Faults(), "as a region")
			require.Equal(t, "Tokyo", a.Normalised().Prefecture)
		})
	}
	for name, want := range map[string]string{
		"北海道": "Hokkaido", "Hokkaidō": "Hokkaido", "01": "Hokkaido", "京都府": "Kyoto", "京都": "Kyoto", "Kyoto Prefecture": "Kyoto", "Osaka-fu": "Osaka",
		"大阪": "Osaka", "神奈川": "Kanagawa", "kanagawa ken": "Kanagawa", "47": "Okinawa", "Ōita": "Oita", "Kōchi-ken": "Kochi",
	} {
		a := inTokyo()
		a.Prefecture = name
		require.Equal(t, want, a.Normalised().Prefecture)
	}
	for _, prefecture := range []string{"", "Bavaria", "48", "都", "US-13"} {
		a := inTokyo()
		a.Prefecture = prefecture
		require.Equal(t, []string{"prefecture"}, fields(a.Faults()), prefecture)
	}
}

// Each name in the table is found, and has one region.
func TestRegionsAreKnownByEachOfTheirNames(t *testing.T) {
	t.Parallel()
	for _, code := range address.Codes() {
		c, ok := address.Find(code)
		require.True(t, ok, code)
		for _, region := range c.Regions {
			for _, name := range append([]string{region.Name, strings.ToUpper(region.Name), strings.ToLower(region.Name)}, region.Other...) {
				found, ok := c.FindRegion(name, code)
				require.True(t, ok, "%s %s", code, name)
				require.Equal(t, region.Name, found.Name, "%s %s", code, name)
			}
		}
	}
	a := inBerlin()
	for text, want := range map[string]string{"ny": "NY", "New York": "NY", "US-NY": "NY", "N.Y.": "NY", "Westmoreland": "Westmoreland"} {
		a.Country, a.Region = "US", text
		require.Equal(t, want, a.Normalised().Region)
	}
	for text, want := range map[string]string{"九龍": "Kowloon", "KOWLOON": "Kowloon", "香港島": "Hong Kong Island"} {
		a.Country, a.Region = "HK", text
		require.Equal(t, want, a.Normalised().Region)
	}
}

// ACC-40: the published examples of all countries.
func TestPublishedPostalCodesAreAccepted(t *testing.T) {
	t.Parallel()
	tried, withoutCode := 0, 0
	for _, code := range address.Codes() {
		a := inTokyo()
		a.Country = code
		c, _ := address.Find(code)
		for _, a.PostalCode = range c.Examples {
			for _, a.PostalCode = range []string{a.PostalCode, strings.ToLower(a.PostalCode), " " + a.PostalCode + " ", code + "-" + a.PostalCode, strings.ReplaceAll(a.PostalCode, " ", "")} {
				require.Empty(t, a.Faults(), "%s %s", code, a.PostalCode)
				tried++
			}
		}
		a.PostalCode = ""
		if !strings.Contains(c.Require, "Z") {
			require.Empty(t, a.Faults(), code)
			withoutCode++
		} else {
			require.Equal(t, []string{"postal_code"}, fields(a.Faults()), code)
		}
	}
	require.Greater(t, tried, 238)
	require.Greater(t, withoutCode, 110)
}

func TestPostalCodesHaveTheFormOfTheirCountry(t *testing.T) {
	t.Parallel()
	for country, codes := range map[string]struct{ right, wrong []string }{
		"JP": {[]string{"100-0001", "1000001", "100 0001", "〒100-0001", "１００－０００１", "100ー0001"}, []string{"100-001", "1000-001"}},
		"DE": {[]string{"10115", "01067", "D-10115", "DE 10115"}, []string{"1011", "101155", "X10115"}},
		"FR": {[]string{"75001", "75 001", "F-75001"}, []string{"7500"}},
		"AT": {[]string{"1010", "A-1010"}, []string{"10100"}},
		"NL": {[]string{"1012 AB", "1012ab", "1012  AB", "NL-1012AB"}, []string{"1012", "1012 A"}},
		"US": {[]string{"10001", "10001-0001", "10001 0001"}, []string{"1000", "10001-1"}},
		"CA": {[]string{"K1A 0B1", "k1a0b1", "K1A-0B1"}, []string{"K1A", "11A 0B1"}},
		"GB": {[]string{"SW1A 1AA", "m1 1ae", "B338TH", "SW1A  1AA"}, []string{"SW1A", "1AA SW1"}},
		"PL": {[]string{"00-950", "00950"}, []string{"0095"}},
		"LV": {[]string{"LV-1073", "1073", "lv1073"}, []string{"107"}},
		"IE": {[]string{"A65 F4E2", "a65f4e2", ""}, []string{"A65"}},
		"HK": {[]string{"", "000000"}, nil},
	} {
		t.Run(country, func(t *testing.T) {
			a := inTokyo()
			a.Country = country
			for _, a.PostalCode = range codes.right {
				require.Empty(t, a.Faults(), a.PostalCode)
			}
			for _, a.PostalCode = range codes.wrong {
				require.Equal(t, []string{"postal_code"}, fields(a.Faults()), a.PostalCode)
			}
		})
	}
	a := inTokyo()
	a.PostalCode = "１０００００１"
	require.Equal(t, "100-0001", a.Normalised().PostalCode)
}

// ACC-40.
func TestCountriesAreThoseOfISO3166(t *testing.T) {
	t.Parallel()
	require.Len(t, address.Codes(), 249)
	for _, country := range []string{"de", " DE", "ＤＥ"} {
		a := inBerlin()
		a.Country = country
		require.Empty(t, a.Faults(), country)
		require.Equal(t, "DE", a.Normalised().Country)
	}
	for _, country := range []string{"D", "DEU", "Germany", "D1", "XX", "ZZ", "UK", "EU", "\n", "D\t"} {
		a := inBerlin()
		a.Country = country
		require.Contains(t, fields(a.Faults()), "country", country)
	}
}

func TestACityIsRequiredWhereAddressesHaveOne(t *testing.T) {
	t.Parallel()
	for country, required := range map[string]bool{"DE": true, "JP": true, "HK": false, "SG": false, "AE": false} {
		a := inTokyo()
		a.Country, a.PostalCode, a.City = country, "", ""
		require.Equal(t, required, slices.Contains(fields(a.Faults()), "city"), country)
	}
}

// ACC-40: the example numbers of all countries, in all their spellings.
func TestExampleNumbersOfAllCountriesAreAccepted(t *testing.T) {
	t.Parallel()
	countries := 0
	for country := range phonenumbers.GetSupportedRegions() {
		n := phonenumbers.GetExampleNumber(country)
		if n == nil {
			continue
		}
		countries++
		for _, format := range []phonenumbers.PhoneNumberFormat{
			phonenumbers.E164, phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL, phonenumbers.RFC3966,
		} {
			text := phonenumbers.Format(n, format)
			_, ok := address.Phone(text)
			require.True(t, ok, "%s %s", country, text)
		}
	}
	require.GreaterOrEqual(t, countries, 245)
}

func TestATelephoneNumberHasDigits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"+81 3-0000-0000": "+81 3-0000-0000", "0300000": "0300000", "(555) 123-4567": "(555) 123-4567", "030/000.000": "030/000.000",
		"+44 (0)20 7946 0958": "+44 (0)20 7946 0958", "(+56) 9 1234 5678": "(+56) 9 1234 5678", "０３－１２３４－５６７８": "03-1234-5678",
		"٠٣ ١٢٣٤ ٥٦٧٨": "03 1234 5678", "०३१ २३४५": "031 2345", "555\u00a0123\u202f4567": "555 123 4567", "03‐1234‐5678": "03-1234-5678",
		"555-0100 ext. 12": "555-0100 ext. 12", "555-0100 x12": "555-0100 x12", "03-1234-5678 内線 12": "03-1234-5678 内線 12",
		"tel:+1-201-555-0123": "tel:+1-201-555-0123", " 555 0100 ": "555 0100",
	} {
		t.Run(text, func(t *testing.T) {
			got, ok := address.Phone(text)
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
	for _, text := range []string{
		"", "123", "call me", "+", "++81 3 0000", "(555 1234567", "555) 1234567", "030 000000 ext", strings.Repeat("1", 41), "1+2345678", "555-0100; DROP TABLE", "٣",
	} {
		t.Run(text, func(t *testing.T) {
			_, ok := address.Phone(text)
			require.False(t, ok)
			a := inBerlin()
			a.Phone = text
			require.Equal(t, []string{"phone"}, fields(a.Faults()))
		})
	}
}
