package serveweb_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/shoptest"
)

func open(t *testing.T) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	shop := shoptest.Open(t, functions.All)
	settings := servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	return shop, shop.Visitor(t, servegateway.Within(settings))
}

// WEB-04, WEB-05.
func TestLanguageAndColoursAreKept_WEB_04(t *testing.T) {
	t.Parallel()
	_, visitor := open(t)
	require.Contains(t, visitor.Get(t, "/track").HTML, `<html lang="en" data-theme="">`)
	page := visitor.Post(t, "/language", "language", "ja", "next", "/track?number=")
	require.Equal(t, "/track?number=", page.Path)
	require.Contains(t, page.Text, "荷物の追跡")
	visitor.Post(t, "/theme", "theme", "dark", "next", "https://elsewhere.example/")
	page = visitor.Get(t, "/track")
	require.Contains(t, page.HTML, `<html lang="ja" data-theme="dark">`)

	_, visitor = open(t)
	visitor.Header.Set("Accept-Language", "ja-JP,en;q=0.5")
	require.Contains(t, visitor.Get(t, "/").HTML, `<html lang="ja"`)
}

// WEB-09.
func TestPagesRunOurScriptsOnly_WEB_09(t *testing.T) {
	t.Parallel()
	_, visitor := open(t)
	for _, path := range []string{"/", "/nothing", "/sign-in", "/problems/invalid"} {
		page := visitor.Get(t, path)
		policy := page.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:", path)
		require.Contains(t, policy, "form-action 'self'; base-uri 'none'; frame-ancestors 'none'", path)
		require.Len(t, page.Header.Values("Content-Security-Policy"), 1, path)
		require.Equal(t, "nosniff", page.Header.Get("X-Content-Type-Options"), path)
		require.NotContains(t, page.HTML, "style=", path)
		require.NotContains(t, page.HTML, "<style", path)
		require.Equal(t, strings.Count(page.HTML, "<script src="), strings.Count(page.HTML, "<script"), path)
	}
}

// WEB-10.
func TestAddressesDoNotLeaveTheStaticFiles_WEB_10(t *testing.T) {
	t.Parallel()
	_, visitor := open(t)
	for _, path := range []string{
		"..", "../go.mod", "%2e%2e/go.mod", "..%2fgo.mod", "%2e%2e%2fgo.mod", "....//go.mod", `..\go.mod`, "..%5cgo.mod",
		"./style.css", "style.css", "%252e%252e/go.mod", "files/style.css", "//etc/passwd", "..;/go.mod",
	} {
		page := visitor.Get(t, "/static/"+path)
		require.Equal(t, http.StatusNotFound, page.Status, "%s leads to %s", path, page.Path)
	}
}

// WEB-44.
func TestBrowsersGetAPageForEveryProblem_WEB_44(t *testing.T) {
	t.Parallel()
	shop, visitor := open(t)
	for path, want := range map[string]int{
		"/nothing":                                  http.StatusNotFound,
		"/v1/nothing":                               http.StatusNotFound,
		"/v1/orders":                                http.StatusUnauthorized,
		"/v1/products?limit=none":                   http.StatusBadRequest,
		"/v1/products/" + shoptest.TheStore:         http.StatusNotFound,
		"/problems/out-of-stock":                    http.StatusOK,
		"/problems/nothing":                         http.StatusNotFound,
		"/v1/orders/01900000-0000-7000-8000-000001": http.StatusUnauthorized,
	} {
		page := visitor.Get(t, path)
		require.Equal(t, want, page.Status, path)
		require.Contains(t, page.HTML, "<main", path)
		require.Contains(t, page.Header.Get("Content-Type"), "text/html", path)
		require.NotContains(t, page.Text, "SQL", path)
	}
	visitor.As(t, shop.SignIn(t, "customer"))
	require.Equal(t, http.StatusForbidden, visitor.Get(t, "/v1/users").Status)

	visitor.Header.Set("Accept", "application/json")
	for _, path := range []string{"/nothing", "/v1/nothing", "/problems/nothing"} {
		require.Equal(t, "application/problem+json", visitor.Get(t, path).Header.Get("Content-Type"), path)
	}
}

func TestAForeignPageCannotSubmitAForm(t *testing.T) {
	t.Parallel()
	_, visitor := open(t)
	visitor.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, visitor.Post(t, "/language", "language", "ja").Status)
}

// WEB-25.
func TestVisitorsComeBackAfterTheySignIn_WEB_25(t *testing.T) {
	t.Parallel()
	_, visitor := open(t)
	visitor.Post(t, "/sign-in", "email", "ada@example.test", "password", "wrong", "next", "/track")
	page := visitor.Post(t, "/sign-in", "email", "ada@example.test", "password", "wrong", "next", "/track")
	require.Equal(t, http.StatusUnprocessableEntity, page.Status)
	require.Contains(t, page.Text, "The e-mail address or the password is wrong.")
	require.Contains(t, page.HTML, `value="ada@example.test"`)
	require.Contains(t, page.HTML, `name="next" value="/track"`)
	require.NotContains(t, page.HTML, `value="wrong"`)
}
