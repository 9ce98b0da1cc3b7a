// Package address is the rules of an address: which fields a country needs, what they look like, and the one form of what people
// write in many ways. It does no input or output.
package address

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/popup-shop/popup/internal/typed"
)

// Address is where an order goes.
type Address struct {
	Name         string `json:"name" maxLength:"200"`
	Phone        string `json:"phone" maxLength:"40"`
	Country      string `json:"country" doc:"ISO 3166-1 alpha-2" maxLength:"2" example:"JP"`
	PostalCode   string `json:"postal_code" required:"false" doc:"Required in countries where each address has one." maxLength:"16"`
	Prefecture   string `json:"prefecture,omitempty" doc:"For Japan: its name in English, in Japanese or its code. The response has it in English." maxLength:"40"`
	Region       string `json:"region,omitempty" doc:"A state or province, by any of its names or its code." maxLength:"100"`
	City         string `json:"city" required:"false" doc:"Required where addresses have one." maxLength:"100"`
	AddressLine1 string `json:"address_line1" maxLength:"200"`
	AddressLine2 string `json:"address_line2,omitempty" maxLength:"200"`
}

// StoredAddress is an Address in a response, which always has the fields that a request may leave out.
type StoredAddress struct {
	Name         string `json:"name"`
	Phone        string `json:"phone"`
	Country      string `json:"country" doc:"ISO 3166-1 alpha-2" example:"JP"`
	PostalCode   string `json:"postal_code"`
	Prefecture   string `json:"prefecture,omitempty" doc:"For Japan: its name in English."`
	Region       string `json:"region,omitempty"`
	City         string `json:"city"`
	AddressLine1 string `json:"address_line1"`
	AddressLine2 string `json:"address_line2,omitempty"`
}

// FieldError is a field that is wrong, and why.
type FieldError struct{ Field, Message string }

const japan = "JP"

// Normalised returns the address with its codes and the names of its region in one form. What it does not know it leaves as it is;
// Faults says what is wrong.
func (a Address) Normalised() Address {
	for _, line := range []*string{&a.Name, &a.Region, &a.Prefecture, &a.City, &a.AddressLine1, &a.AddressLine2} {
		*line = typed.Line(*line)
	}
	a.Phone, _ = Phone(a.Phone)
	a.Country = strings.ToUpper(typed.Code(a.Country))
	c, ok := Find(a.Country)
	if !ok {
		return a
	}
	a.PostalCode = c.normalisePostalCode(a.PostalCode, a.Country)
	if a.Country == japan {
		a.Prefecture, a.Region = cmp.Or(a.Prefecture, a.Region), ""
	}
	for _, field := range []*string{&a.Region, &a.Prefecture} {
		if r, ok := c.FindRegion(*field, a.Country); ok {
			*field = r.Name
		}
	}
	return a
}

var (
	dashes       = strings.NewReplacer("‐", "-", "‑", "-", "–", "-", "−", "-", "ー", "-", "〒", "")
	carrierSigns = regexp.MustCompile(`^[A-Z]{1,3}[ -]`) // as in D-10115
)

// normalisePostalCode returns a postal code in capitals, with the letters of the country before it only where they belong to it.
func (c *Country) normalisePostalCode(text, country string) string {
	code := strings.Join(strings.Fields(dashes.Replace(strings.ToUpper(typed.Code(text)))), " ")
	if c.postalCode == nil {
		return code
	}
	for _, candidate := range []string{
		code, carrierSigns.ReplaceAllString(code, ""), strings.TrimPrefix(code, country), country + "-" + code, country + code,
	} {
		if c.postalCode.MatchString(candidate) {
			return withHyphen(candidate, country)
		}
	}
	return code
}

// withHyphen returns a postal code of Japan in the form 100-0001, and any other as it is.
func withHyphen(code, country string) string {
	if country != japan || len(code) != 7 {
		return code
	}
	return code[:3] + "-" + code[3:]
}

// Faults lists what is wrong with an address, field by field.
func (a Address) Faults() (faults []FieldError) {
	a = a.Normalised()
	add := func(field, message string) { faults = append(faults, FieldError{field, message}) }
	c, known := Find(a.Country)
	required := map[string]bool{"name": true, "phone": true, "country": true, "postal_code": true, "city": true, "address_line1": true}
	if known {
		required["postal_code"] = strings.Contains(c.Require, "Z")
		required["city"] = strings.Contains(c.Require, "C") || a.Country == japan
	}
	for _, field := range []struct{ name, value string }{
		{"name", a.Name},
		{"phone", a.Phone},
		{"country", a.Country},
		{"postal_code", a.PostalCode},
		{"city", a.City},
		{"address_line1", a.AddressLine1},
	} {
		if required[field.name] && field.value == "" {
			add(field.name, "must not be empty")
		}
	}
	if _, ok := Phone(a.Phone); a.Phone != "" && !ok {
		add("phone", "is not a telephone number")
	}
	switch {
	case a.Country != "" && !known:
		add("country", "is not a code of ISO 3166-1, such as JP")
	case known && a.PostalCode != "" && c.postalCode != nil && !c.postalCode.MatchString(a.PostalCode):
		add("postal_code", "is not a postal code of "+a.Country+", such as "+strings.Join(c.Examples, " or "))
	}
	if _, ok := c.prefecture(a); !ok {
		add("prefecture", "must be one of the 47 prefectures of Japan")
	}
	return faults
}

// prefecture returns the prefecture of an address in Japan; ok is false only for one that has none.
func (c *Country) prefecture(a Address) (r Region, ok bool) {
	if a.Country != japan {
		return r, true
	}
	return c.FindRegion(a.Prefecture, japan)
}
