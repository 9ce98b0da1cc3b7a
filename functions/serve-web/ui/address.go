package ui

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/internal/address"
)

// countries are the choices of a country, by language.
var countries = map[string]func() []Choice{}

func init() {
	for _, tag := range text.Languages() {
		countries[tag] = sync.OnceValue(func() []Choice { return namesOfCountries(language.Make(tag)) })
	}
}

// namesOfCountries lists all countries in the order of a language.
func namesOfCountries(tag language.Tag) (choices []Choice) {
	names := display.Regions(tag)
	for _, code := range address.Codes() {
		region, err := language.ParseRegion(code)
		if err != nil {
			continue
		}
		choices = append(choices, Choice{code, cmp.Or(names.Name(region), code)})
	}
	order := collate.New(tag)
	slices.SortFunc(choices, func(a, b Choice) int { return order.CompareString(a.Label, b.Label) })
	return choices
}

// CountryChoices lists the countries, after a choice of none.
func CountryChoices(v *View) []Choice {
	return append([]Choice{{"", v.T("form.choose")}}, countries[v.Language]()...)
}

// CountryName returns the name of a country in the visitor's language.
func CountryName(v *View, code string) string {
	for _, choice := range countries[v.Language]() {
		if choice.Value == code {
			return choice.Label
		}
	}
	return code
}

// addressShape is which fields the addresses of a country have.
type addressShape struct {
	country    string
	postalCode bool // and it is before the town
	optional   bool // the postal code may be empty
	city       bool
	regions    []Choice
	regionName string // of the field
	required   bool   // the region must be chosen
}

// shapeOf returns the fields for the country of a form. Before one is chosen it has those that most countries have.
func shapeOf(v *View, code string) addressShape {
	c, ok := address.Find(code)
	if !ok {
		return addressShape{country: code, postalCode: true, city: true}
	}
	shape := addressShape{
		country: code, postalCode: strings.Contains(c.Fields, "Z"), optional: !strings.Contains(c.Require, "Z"),
		city: strings.Contains(c.Fields, "C") || code == "JP", regionName: "region", required: strings.Contains(c.Require, "S"),
	}
	if code == "JP" {
		shape.regionName = "prefecture"
	}
	if strings.Contains(c.Fields, "S") {
		for _, r := range c.Regions {
			shape.regions = append(shape.regions, Choice{r.Name, regionLabel(v, r)})
		}
	}
	return shape
}

// regionLabel returns the name of a region in the visitor's language.
func regionLabel(v *View, r address.Region) string {
	if v.Language == text.Japanese && len(r.Other) > 0 {
		return r.Other[0]
	}
	return r.Name
}

// regionChoices lists the regions, after a choice of none.
func (s addressShape) regionChoices(v *View) []Choice {
	return append([]Choice{{"", v.T("form.choose")}}, s.regions...)
}

// Lines returns an address as it is written on a parcel, without the name.
func Lines(v *View, line1, line2, postalCode, city, region, country string) (lines []string) {
	town := strings.TrimSpace(postalCode + " " + city)
	switch {
	case country == "JP" && v.Language == text.Japanese: // from the large to the small
		line1, line2, town, region = "〒"+postalCode, regionIn(v, country, region)+city+line1, line2, ""
	case country == "JP":
		town, region = strings.TrimSpace(city+", "+region+" "+postalCode), ""
	}
	for _, line := range []string{line1, line2, town, region, CountryName(v, country)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func regionIn(v *View, country, name string) string {
	c, ok := address.Find(country)
	if !ok {
		return name
	}
	r, ok := c.FindRegion(name, country)
	if !ok {
		return name
	}
	return regionLabel(v, r)
}
