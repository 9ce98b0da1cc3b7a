package servegateway_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// statuses returns how many of 60 requests had each status. If a minute ends meanwhile, the count begins again, so the
// limits of these tests are far below 60.
func statuses(t *testing.T, gateway string, headers func(i int) []string) map[int]int {
	t.Helper()
	seen := map[int]int{}
	for i := range 60 {
		response, _ := call(t, "GET", gateway+"/v1/products", "", headers(i)...)
		seen[response.StatusCode]++
	}
	return seen
}

// API-08: one subscriber has 2^64 addresses.
func TestIPv6NetworkIsOneCaller(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{RateLimit: 10, StaffRateLimit: 10, TrustedHops: 1}, echo("any"))
	seen := statuses(t, gateway, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("2001:db8:1:2::%x", i+1)} })
	require.Positive(t, seen[http.StatusTooManyRequests], seen)
	require.LessOrEqual(t, seen[http.StatusTeapot], 20, seen)
	seen = statuses(t, gateway, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("2001:db8:1:%x::1", i+3)} })
	require.Equal(t, map[int]int{http.StatusTeapot: 60}, seen, "other subscribers")
	seen = statuses(t, gateway, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i+1)} })
	require.Equal(t, map[int]int{http.StatusTeapot: 60}, seen, "other IPv4 addresses")
}

// API-08: a token that is not valid is no way around the limit, and a valid one is not limited by its address.
func TestRequestsWithInvalidTokensAreCounted(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{RateLimit: 10, StaffRateLimit: 10}, echo("any"))
	seen := statuses(t, gateway, func(i int) []string { return []string{"Authorization", fmt.Sprintf("Bearer %d", i)} })
	require.Positive(t, seen[http.StatusUnauthorized], seen)
	require.GreaterOrEqual(t, seen[http.StatusTooManyRequests], 60-2*10, seen)
	response, text := call(t, "GET", gateway+"/v1/products", "", "Authorization", bearer(t, token.Customer))
	require.Equal(t, http.StatusTeapot, response.StatusCode, text)
}

// API-94
func TestRateLimitIsReportedInBothForms(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{RateLimit: 10, StaffRateLimit: 10}, echo("any"))
	response, _ := call(t, "GET", gateway+"/v1/products", "")
	h := response.Header
	require.Equal(t, `"minute";q=10;w=60`, h.Get("RateLimit-Policy"))
	require.Equal(t, `"minute";r=`+h.Get("X-RateLimit-Remaining")+`;t=`+h.Get("X-RateLimit-Reset"), h.Get("RateLimit"))
	require.Equal(t, "9", h.Get("X-RateLimit-Remaining"))
}

// API-94
func TestUnauthorizedNamesItsScheme(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{nil, {"Authorization", "Bearer x"}, {"Authorization", "Basic eDp5"}} {
		response, text := call(t, "GET", within(t)+"/v1/users/me", "", headers...)
		requireProblem(t, response, text, http.StatusUnauthorized, "not-signed-in")
		require.Equal(t, `Bearer realm="popup"`, response.Header.Get("WWW-Authenticate"))
	}
}

// API-94: the type of a problem leads to a page, also where the function of the pages does not respond.
func TestProblemTypesArePages(t *testing.T) {
	t.Parallel()
	gateway := apart(t, config.Gateway{Upstream: "http://127.0.0.1:1/{function}"})
	response, text := call(t, "GET", gateway+"/problems/out-of-stock", "")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	require.Contains(t, text, "<h1>out of stock</h1>")
	require.Contains(t, text, "<p>409</p>")
	response, text = call(t, "GET", gateway+"/problems/out-of-stock", "", "Accept-Language", "ja")
	require.Equal(t, "ja", response.Header.Get("Content-Language"))
	require.Contains(t, text, "在庫不足")
	response, text = call(t, "GET", gateway+"/problems/%3Cscript%3E", "")
	requireProblem(t, response, text, http.StatusNotFound, "not-found")
}

// gzipped requests a path as a client does that accepts gzip and does not decompress.
func gzipped(t *testing.T, method, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// API-94
func TestLargeResponsesAreCompressed(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"tag"`)
		size := 500
		if r.URL.Path == "/v1/products" {
			size = 5000
		}
		_, _ = w.Write([]byte(`"` + strings.Repeat("x", size) + `"`))
	}))
	large := gzipped(t, "GET", gateway+"/v1/products")
	require.Equal(t, "gzip", large.Header.Get("Content-Encoding"))
	require.Contains(t, large.Header.Values("Vary"), "Accept-Encoding")
	require.Equal(t, `"tag"`, large.Header.Get("ETag"))
	require.Empty(t, gzipped(t, "GET", gateway+"/v1/categories").Header.Get("Content-Encoding"), "a small one")
	response, text := call(t, "GET", gateway+"/v1/products", "", "Accept-Encoding", "identity")
	require.Empty(t, response.Header.Get("Content-Encoding"))
	require.Len(t, text, 5002)
	require.Equal(t, "gzip", gzipped(t, "GET", within(t)+"/v1/openapi.json").Header.Get("Content-Encoding"))
}

// API-02: a picture that is too large is 413, in one program and over HTTP.
func TestPictureOverTheLimitIsTooLarge(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	staff := shop.SignIn(t, "staff").Bearer
	settings := servegateway.Settings{Gateway: config.Gateway{}, Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	serve := func(f function.Function) string {
		rt := &function.Runtime{Pool: shop.Pool, Log: slog.New(slog.DiscardHandler)}
		server := httptest.NewServer(rt.ServeMux(&f))
		t.Cleanup(server.Close)
		return server.URL
	}
	mux := shop.Runtime(t, "edit-catalogue").ServeMux(shop.Function(t, "edit-catalogue"))
	apart := httptest.NewServer(mux)
	t.Cleanup(apart.Close)
	settings.Upstream = apart.URL
	for how, gateway := range map[string]string{
		"one program": serve(servegateway.Within(settings)(func(string) http.Handler { return mux })),
		"over HTTP":   serve(servegateway.New(settings)),
	} {
		for _, size := range []int{picture.AtMost + 1, picture.AtMost + 4<<20} {
			response, text := call(t, "POST", gateway+"/v1/products/"+uuid.NewString()+"/images", strings.Repeat("x", size),
				"Authorization", staff, "Content-Type", "image/jpeg")
			require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, "%s, %d bytes: %s", how, size, text)
			requireProblem(t, response, text, http.StatusRequestEntityTooLarge, "too-large")
		}
	}
}
