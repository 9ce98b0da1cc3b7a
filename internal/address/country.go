package address

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The table of countries, one on each line: the code, a tab, and a JSON object. It was written by tools/countries from the data of
// Google's address service of October 2020 (https://chromium-i18n.appspot.com/ssl-address, CC BY 4.0).
//
//go:embed countries.txt
var table string

// Country is how the addresses of a country are written.
type Country struct {
	Name     string   `json:"name"`
	Fields   string   `json:"fields"`  // in the order of an address: N name, O organisation, A address lines, D suburb, C city, S region, Z postal code, X sorting code
	Require  string   `json:"require"` // those that must not be empty
	Examples []string `json:"zips"`    // of postal codes
	Regions  []Region `json:"regions"`
	Zip      string   `json:"zip"` // the form of postal codes

	postalCode *regexp.Regexp // nil if they have no form
}

// Region is a state, province or prefecture.
type Region struct {
	Name  string   `json:"name"` // as it is written on a parcel
	Code  string   `json:"code"` // the part of its code in ISO 3166-2 after the country's
	Other []string `json:"other"`
}

// countries are those that were looked up.
var countries sync.Map

// Find returns the country of a code of ISO 3166-1.
func Find(code string) (*Country, bool) {
	if found, ok := countries.Load(code); ok {
		return found.(*Country), true
	}
	_, rest, ok := strings.Cut("\n"+table, "\n"+code+"\t")
	if len(code) != 2 || !ok {
		return nil, false
	}
	line, _, _ := strings.Cut(rest, "\n")
	c := &Country{}
	if err := json.Unmarshal([]byte(line), c); err != nil {
		panic("address: country " + code + ": " + err.Error())
	}
	if c.Zip != "" {
		c.postalCode = regexp.MustCompile("^(?:" + lenient(c.Zip) + ")$")
	}
	countries.Store(code, c)
	return c, true
}

// Codes returns the codes of all countries.
func Codes() (codes []string) {
	for line := range strings.Lines(table) {
		code, _, _ := strings.Cut(line, "\t")
		codes = append(codes, code)
	}
	return codes
}

// lenient returns the form of a postal code with any blank or hyphen in it optional, and either for the other.
func lenient(form string) string {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(form); i++ {
		switch c := form[i]; {
		case c == '[' || c == ']':
			inClass = c == '['
			out.WriteByte(c)
		case c == '\\' && i+1 < len(form):
			i++
			out.WriteString(form[i-1 : i+1])
		case (c == ' ' || c == '-') && !inClass:
			out.WriteString("[ -]?")
			if i+1 < len(form) && form[i+1] == '?' {
				i++
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// FindRegion returns the region that a text names: by a name in its own letters or in Latin ones, with or without accents and words
// like "prefecture", or by its code, with or without the country's.
func (c *Country) FindRegion(text, country string) (Region, bool) {
	short := fold(text)
	plain := strings.TrimPrefix(short, fold(country))
	for _, r := range c.Regions {
		if r.Code != "" && (fold(r.Code) == short || fold(r.Code) == plain) {
			return r, true
		}
	}
	for _, matches := range []func(name string) bool{
		func(name string) bool { return fold(name) == short },
		func(name string) bool { return stem(name) == short },
		func(name string) bool { return stem(name) == stem(text) },
	} {
		for _, r := range c.Regions {
			if slices.ContainsFunc(append([]string{r.Name}, r.Other...), matches) {
				return r, true
			}
		}
	}
	return Region{}, false
}

// single are letters whose accents are no marks of their own.
var single = strings.NewReplacer("ı", "i", "ł", "l", "ø", "o", "đ", "d", "ð", "d", "ß", "ss", "æ", "ae", "œ", "oe", "þ", "th")

// fold returns the letters and digits of a text without accents, in lower case.
func fold(text string) string {
	letters := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	return single.Replace(letters)
}

// kinds are words for regions that a name may end with.
var kinds = strings.Fields(`prefecture metropolis province state county region emirate governorate oblast
	sheng shi ken fu to do si 都 府 県 省 市 縣 도 시`)

// stem returns fold of a name without the word for regions at its end.
func stem(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, kind := range kinds {
		rest, ok := strings.CutSuffix(name, kind)
		if kind[0] < unicode.MaxASCII {
			rest, ok = cutWord(name, kind)
		}
		if ok && fold(rest) != "" {
			return fold(rest)
		}
	}
	return fold(name)
}

// cutWord returns name without a word at its end that a blank or a hyphen is before.
func cutWord(name, word string) (string, bool) {
	rest, ok := strings.CutSuffix(name, word)
	trimmed := strings.TrimRight(rest, " -‐‑–")
	return trimmed, ok && trimmed != rest
}
