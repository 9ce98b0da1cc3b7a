package servegateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
)

const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestWhatIsNoRouteIsAPage(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	e := got(t, "GET", gateway+"/products/cap?colour=navy", "", "Popup-Pass", "forged", "Popup-Status", "500")
	require.Equal(t, "serve-web", e.Function)
	require.Equal(t, "/products/cap", e.Path)
	require.NotEqual(t, "forged", e.Header.Get("Popup-Pass"))
	require.NotEmpty(t, e.Header.Get("Popup-Pass"))
	require.Empty(t, e.Header.Get("Popup-Status"))
	e = got(t, "POST", gateway+"/basket", "a=b", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, "serve-web", e.Function)
	require.Equal(t, "a=b", e.Body)
}

// The calls that a page makes for a visitor do not count again.
func TestCallsOfAPageCountOnce(t *testing.T) {
	t.Parallel()
	settings := testSettings()
	settings.RateLimit = 3
	gateway := open(t, servegateway.Within(settings)(func(name string) http.Handler { return echo(name) }))
	pass := got(t, "GET", gateway+"/", "").Header.Get("Popup-Pass")
	for range 10 {
		e := got(t, "GET", gateway+"/v1/products", "", "Popup-Pass", pass, "X-Forwarded-For", "203.0.113.9")
		require.Equal(t, "127.0.0.1", e.Header.Get("X-Forwarded-For"))
		require.Empty(t, e.Header.Get("Popup-Pass"))
	}
	for range 10 {
		require.Equal(t, http.StatusTeapot, statusOf(t, gateway+"/static/style.css"))
	}
	require.Equal(t, http.StatusTeapot, statusOf(t, gateway+"/"))
	require.Equal(t, http.StatusTeapot, statusOf(t, gateway+"/"))
	forged := pass[:len(pass)-2] + "xx"
	response, text := call(t, "GET", gateway+"/v1/products", "", "Popup-Pass", forged)
	requireProblem(t, response, text, http.StatusTooManyRequests, "too-many")
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	response, _ := call(t, "GET", url, "")
	return response.StatusCode
}

// A session that has ended keeps no visitor from the pages.
func TestPagesAcceptATokenThatIsNotValid(t *testing.T) {
	t.Parallel()
	require.Equal(t, "serve-web", got(t, "GET", within(t)+"/account", "", "Cookie", "popup-access=x").Function)
}

// WEB-44: the gateway has a page of its own for when the pages do not respond.
func TestBrowsersGetAPageWhenThePagesDoNotRespond_WEB_44(t *testing.T) {
	t.Parallel()
	gateway := apart(t, config.Gateway{Upstream: "http://127.0.0.1:1/{function}", RateLimit: 4})
	for _, path := range []string{"/", "/products", "/v1/products"} {
		response, text := call(t, "GET", gateway+path, "", "Accept", browserAccept)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode, path)
		require.Contains(t, text, "<h1>dependency down</h1>")
		requireStyleAllowed(t, response, text)
	}
	for range 3 {
		call(t, "GET", gateway+"/", "")
	}
	response, text := call(t, "GET", gateway+"/", "", "Accept", browserAccept, "Accept-Language", "ja")
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	require.Contains(t, text, "回数超過")
	requireStyleAllowed(t, response, text)
}

// requireStyleAllowed requires that the policy of a page allows its style, and no other.
func requireStyleAllowed(t *testing.T, response *http.Response, text string) {
	t.Helper()
	require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	_, rest, _ := strings.Cut(text, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	require.Contains(t, response.Header.Get("Content-Security-Policy"),
		"style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; base-uri 'none'")
}

func TestAProblemOfAFunctionIsAPageInABrowser(t *testing.T) {
	t.Parallel()
	gateway := open(t, servegateway.Within(testSettings())(func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name == "serve-web" && r.URL.Path == "/problems/not-signed-in" {
				require.Equal(t, "401", r.Header.Get("Popup-Status"))
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte("a page"))
			}
		})
	}))
	response, text := call(t, "GET", gateway+"/v1/users/me", "", "Accept", browserAccept)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, "a page", text)
	response, text = call(t, "GET", gateway+"/v1/users/me", "", "Accept", "*/*")
	requireProblem(t, response, text, http.StatusUnauthorized, "not-signed-in")
}
