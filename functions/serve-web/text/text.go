// Package text holds the words of the pages. Each file *.txt is a part of one table: a key on a line of its own, and
// below it, indented, its text in each language:
//
//	basket.items
//	  en: {0} item | {0} items
//	  ja: {0}点
//
// {0}, {1} … stand for the arguments. A text with a bar has two forms; the first is for a first argument of 1.
package text

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// The languages of the pages. English is the one of visitors whose browsers prefer neither.
const (
	English  = "en"
	Japanese = "ja"
)

// Languages lists the languages of the pages.
func Languages() []string { return []string{English, Japanese} }

//go:embed *.txt
var files embed.FS

// table has the texts by language and key.
var table = read(files)

// read parses all files of a folder. It panics on a line that is neither a key nor a text.
func read(folder fs.FS) map[string]map[string]string {
	all := map[string]map[string]string{English: {}, Japanese: {}}
	names, err := fs.Glob(folder, "*.txt")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			panic(err)
		}
		if err := parse(string(content), all); err != nil {
			panic(fmt.Errorf("text/%s: %w", name, err))
		}
	}
	return all
}

func parse(content string, into map[string]map[string]string) error {
	key := ""
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\r\n")
		text, indented := strings.CutPrefix(line, "  ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !indented:
			key = line
		default:
			language, words, ok := strings.Cut(text, ": ")
			if !ok || into[language] == nil || key == "" {
				return fmt.Errorf("line %q is not a text", line)
			}
			if _, ok := into[language][key]; ok {
				return fmt.Errorf("%s is there twice", key)
			}
			into[language][key] = words
		}
	}
	return nil
}

// Keys lists the keys of a language.
func Keys(language string) []string { return slices.Sorted(maps.Keys(table[language])) }

// Has reports whether there is a text with a key.
func Has(key string) bool { return table[English][key] != "" }

// Get returns a text with its arguments in place. A key without a text is returned itself.
func Get(language, key string, arguments ...any) string {
	words, ok := table[language][key]
	if !ok {
		words = key
	}
	if one, many, ok := strings.Cut(words, " | "); ok {
		words = many
		if len(arguments) > 0 && fmt.Sprint(arguments[0]) == "1" {
			words = one
		}
	}
	for i, argument := range arguments {
		words = strings.ReplaceAll(words, fmt.Sprintf("{%d}", i), fmt.Sprint(argument))
	}
	return words
}
