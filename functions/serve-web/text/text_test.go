package text_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/popup-shop/popup/functions/serve-web/text"
)

var argument = regexp.MustCompile(`\{\d\}`)

// WEB-04.
func TestEveryTextIsInBothLanguages_WEB_04(t *testing.T) {
	t.Parallel()
	require.Equal(t, text.Keys(text.English), text.Keys(text.Japanese))
	for _, key := range text.Keys(text.English) {
		var arguments [][]string
		for _, language := range text.Languages() {
			found := argument.FindAllString(text.Get(language, key), -1)
			slices.Sort(found)
			arguments = append(arguments, slices.Compact(found))
		}
		require.Equal(t, arguments[0], arguments[1], key)
	}
}

var (
	used   = regexp.MustCompile(`(?:\bT|\bNotify|text\.Has)\((?:"(?:good|bad)", )?"([a-z0-9._-]+)"`)
	quoted = regexp.MustCompile(`"([a-z][a-z0-9-]*\.[a-z0-9._-]*)"`)
)

func TestEveryTextThatAPageUsesExists(t *testing.T) {
	t.Parallel()
	var mentioned []string
	for name, source := range sources(t, ".templ", ".go") {
		for _, found := range used.FindAllStringSubmatch(source, -1) {
			if !strings.HasSuffix(found[1], ".") { // the rest follows
				require.True(t, text.Has(found[1]), "%s uses %s", name, found[1])
			}
		}
		for _, found := range quoted.FindAllStringSubmatch(source, -1) {
			mentioned = append(mentioned, found[1])
		}
	}
	unused := slices.DeleteFunc(text.Keys(text.English), func(key string) bool {
		return strings.HasPrefix(key, "problem-page.") || slices.ContainsFunc(mentioned, func(m string) bool {
			return m == key || strings.HasSuffix(m, ".") && strings.HasPrefix(key, m)
		})
	})
	require.Empty(t, unused)
}

// sources returns the files of the pages that people write.
func sources(t *testing.T, extensions ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains(extensions, filepath.Ext(name)) ||
			strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		content, err := os.ReadFile(name)
		found[name] = string(content)
		return err
	}))
	require.Greater(t, len(found), 5)
	return found
}

var (
	written = regexp.MustCompile(`WriteString\(\w+, \d+, ("(?:[^"\\]|\\.)*")\)|(_Buffer\.WriteString\()|(\nfunc )`)
	letters = regexp.MustCompile(`\p{L}{2}`)
	known   = []string{"HTTP", "OpenAPI", "AsyncAPI", "Ctrl", "order.placed"}
)

// WEB-04: what a visitor reads is in the table, not in a template.
func TestTemplatesHaveNoWords_WEB_04(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*_templ.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, words := range wordsOf(string(content)) {
			require.Contains(t, known, words, name)
		}
	}
}

// wordsOf returns the words that a template itself has in elements, and in attributes that are read out.
func wordsOf(template string) (words []string) {
	var page strings.Builder
	for _, part := range written.FindAllStringSubmatch(template, -1) {
		switch {
		case part[1] != "":
			text := strings.NewReplacer(`\"`, `"`, `\n`, "\n", `\\`, `\`).Replace(part[1])
			page.WriteString(text[1 : len(text)-1])
		case part[2] != "": // the value of an expression
			page.WriteString("0")
		}
	}
	tokens := html.NewTokenizer(strings.NewReader(page.String()))
	for tokens.Next() != html.ErrorToken {
		token := tokens.Token()
		if token.Type == html.TextToken && letters.MatchString(token.Data) {
			words = append(words, strings.Fields(letters.ReplaceAllString(token.Data, "$0"))...)
		}
		for _, a := range token.Attr {
			if slices.Contains([]string{"alt", "title", "placeholder", "aria-label"}, a.Key) && letters.MatchString(a.Val) {
				words = append(words, a.Val)
			}
		}
	}
	return slices.DeleteFunc(words, func(w string) bool { return !letters.MatchString(w) || strings.HasPrefix(w, "/") })
}

func TestWordsInATemplateAreFound(t *testing.T) {
	t.Parallel()
	template := "\nfunc a() {\n" + `templruntime.WriteString(b, 1, "<p class=\"")` + "\n" + `templ_Buffer.WriteString(templ_7)` + "\n" +
		`templruntime.WriteString(b, 2, "\">Buy now</p><img alt=\"A cap\">")`
	require.Equal(t, []string{"Buy", "now", "A cap"}, wordsOf(template))
}
