package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// visitors are those who look at a page.
const (
	visitor  = ""
	customer = "customer"
	staff    = "admin"
)

// pages are all pages: a new one is one line. The path may be made by a function, where something has to be there first.
var pages = []struct {
	name string
	as   string
	path string
	make func(t testing.TB, w *tab) (path string)
}{
	{name: "home", path: "/"},
	{name: "track", path: "/track"},
	{name: "track-unknown", path: "/track?number=nothing"},
	{name: "sign-in", path: "/sign-in"},
	{name: "not-found", path: "/nothing/here"},
	{name: "problem", path: "/problems/out-of-stock"},
}

var (
	themes    = []string{"light", "dark"}
	languages = []string{"en", "ja"}
	widths    = []int64{1440, 390}
)

// WEB-43, WEB-03, WEB-05, WEB-09: every page in both themes, both languages and both widths.
func TestEveryPage_WEB_43(t *testing.T) {
	access := map[string]string{visitor: ""}
	for _, role := range []string{customer, staff} {
		_, access[role] = account(t, role)
	}
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			w := open(t, access[page.as])
			path := page.path
			if page.make != nil {
				path = page.make(t, w)
			}
			for _, theme := range themes {
				for _, language := range languages {
					for _, width := range widths {
						w.size(width)
						w.cookie("popup-theme", theme)
						w.cookie("popup-language", language)
						w.visit(path)
						name := fmt.Sprintf("%s-%s-%s-%d", page.name, theme, language, width)
						require.Zero(t, w.shift(), "%s: the layout moves", name)
						w.shot(name)
						require.Empty(t, w.faults(), name)
						require.LessOrEqual(t, eval[int64](w, `document.documentElement.scrollWidth`), width, "%s is wider than the window", name)
						require.Equal(t, language, eval[string](w, `document.documentElement.lang`), name)
						w.requireNoErrors()
					}
				}
			}
		})
	}
}

const (
	maxPage    = 100 << 10 // bytes of the first page that a visitor opens, compressed, without pictures
	maxScripts = 25 << 10
)

// WEB-11.
func TestFirstPageIsSmall_WEB_11(t *testing.T) {
	w := open(t, "")
	w.visit("/")
	w.mu.Lock()
	defer w.mu.Unlock()
	var page, scripts, styles int64
	for url, bytes := range w.received {
		switch {
		case strings.HasSuffix(url, ".js"):
			scripts += bytes
		case strings.HasSuffix(url, ".css"):
			styles++
		}
		if !strings.Contains(url, "/pictures/") {
			page += bytes
		}
	}
	t.Logf("%d bytes, %d of them scripts", page, scripts)
	require.LessOrEqual(t, page, int64(maxPage))
	require.LessOrEqual(t, scripts, int64(maxScripts))
	require.EqualValues(t, 1, styles)
}
