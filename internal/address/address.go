// Package address is the rules of an address: which fields a country needs and what they look like. It does no input or
// output.
package address

import (
	"regexp"
	"slices"
	"strings"
)

// Address is where an order goes.
type Address struct {
	Name         string `json:"name" maxLength:"200"`
	Phone        string `json:"phone" maxLength:"40"`
	Country      string `json:"country" doc:"ISO 3166-1 alpha-2" maxLength:"2" example:"JP"`
	PostalCode   string `json:"postal_code" maxLength:"16"`
	Prefecture   string `json:"prefecture,omitempty" doc:"for Japan: its name in English" maxLength:"40"`
	Region       string `json:"region,omitempty" maxLength:"100"`
	City         string `json:"city" maxLength:"100"`
	AddressLine1 string `json:"address_line1" maxLength:"200"`
	AddressLine2 string `json:"address_line2,omitempty" maxLength:"200"`
}

// FieldError is a field that is wrong, and why.
type FieldError struct{ Field, Message string }

// postalCodes are the forms of postal codes by country; a country that is not listed needs one of any form.
var postalCodes = map[string]*regexp.Regexp{
	"JP": regexp.MustCompile(`^\d{3}-?\d{4}$`),
	"DE": regexp.MustCompile(`^\d{5}$`), "FR": regexp.MustCompile(`^\d{5}$`), "ES": regexp.MustCompile(`^\d{5}$`),
	"IT": regexp.MustCompile(`^\d{5}$`), "AT": regexp.MustCompile(`^\d{4}$`), "CH": regexp.MustCompile(`^\d{4}$`),
	"BE": regexp.MustCompile(`^\d{4}$`), "NL": regexp.MustCompile(`(?i)^\d{4} ?[a-z]{2}$`),
	"US": regexp.MustCompile(`^\d{5}(-\d{4})?$`), "CA": regexp.MustCompile(`(?i)^[a-z]\d[a-z] ?\d[a-z]\d$`),
	"GB": regexp.MustCompile(`(?i)^[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}$`),
}

// Prefectures of Japan, by the names of ISO 3166-2:JP without accents.
var prefectures = strings.Fields(`Hokkaido Aomori Iwate Miyagi Akita Yamagata Fukushima Ibaraki Tochigi Gunma Saitama Chiba
	Tokyo Kanagawa Niigata Toyama Ishikawa Fukui Yamanashi Nagano Gifu Shizuoka Aichi Mie Shiga Kyoto Osaka Hyogo Nara
	Wakayama Tottori Shimane Okayama Hiroshima Yamaguchi Tokushima Kagawa Ehime Kochi Fukuoka Saga Nagasaki Kumamoto Oita
	Miyazaki Kagoshima Okinawa`)

var (
	country = regexp.MustCompile(`^[A-Z]{2}$`)
	phone   = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{4,38}$`)
)

// Phone reports whether a text can be a telephone number.
func Phone(text string) bool { return phone.MatchString(text) }

// Faults lists what is wrong with an address, field by field.
func (a Address) Faults() (faults []FieldError) {
	for _, required := range []struct{ field, value string }{
		{"name", a.Name},
		{"phone", a.Phone},
		{"country", a.Country},
		{"postal_code", a.PostalCode},
		{"city", a.City},
		{"address_line1", a.AddressLine1},
	} {
		if strings.TrimSpace(required.value) == "" {
			faults = append(faults, FieldError{required.field, "must not be empty"})
		}
	}
	if a.Phone != "" && !Phone(a.Phone) {
		faults = append(faults, FieldError{"phone", "is not a telephone number"})
	}
	if a.Country != "" && !country.MatchString(a.Country) {
		faults = append(faults, FieldError{"country", "must be two capital letters"})
	}
	if form := postalCodes[a.Country]; form != nil && a.PostalCode != "" && !form.MatchString(a.PostalCode) {
		faults = append(faults, FieldError{"postal_code", "is not a postal code of " + a.Country})
	}
	if a.Country == "JP" && !slices.Contains(prefectures, a.Prefecture) {
		faults = append(faults, FieldError{"prefecture", "must be one of the 47 prefectures of Japan"})
	}
	return faults
}
