package servegateway_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// copyOf returns one instance of a gateway on a database, in front of one function.
func copyOf(t testing.TB, pool *pgxpool.Pool, settings config.Gateway, to http.Handler) string {
	t.Helper()
	all := testSettings()
	all.Gateway = settings
	gateway := servegateway.Within(all)(func(string) http.Handler { return to })
	rt := &function.Runtime{Pool: pool, Log: slog.New(slog.DiscardHandler), Revision: "r1"}
	server := httptest.NewServer(rt.ServeMux(&gateway))
	t.Cleanup(server.Close)
	return server.URL
}

// API-08: the 101st request of a minute is rejected. If a minute ends during the test, the count begins again.
func TestRequestOverTheRateLimitIsRejected(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, dbtest.DB(t), config.Gateway{RateLimit: 100, StaffRateLimit: 300}, echo("any"))
	caller, before := bearer(t, token.Customer), 101
	for {
		response, text := call(t, "GET", gateway+"/v1/products", "", "Authorization", caller)
		left, err := strconv.Atoi(response.Header.Get("X-RateLimit-Remaining"))
		require.NoError(t, err)
		require.Equal(t, "100", response.Header.Get("X-RateLimit-Limit"))
		if response.StatusCode == http.StatusTooManyRequests {
			requireProblem(t, response, text, http.StatusTooManyRequests, "too-many")
			require.Equal(t, 1, before, "after the last one")
			require.Zero(t, left)
			wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
			require.NoError(t, err)
			require.True(t, 1 <= wait && wait <= 60, wait)
			break
		}
		if left != 99 { // a new minute
			require.Equal(t, before-1, left+1)
		}
		before = left + 1
	}
	require.Equal(t, http.StatusTeapot, status(t, gateway, bearer(t, token.Customer)), "another customer")
	require.Equal(t, http.StatusTeapot, status(t, gateway, ""), "a visitor")
	response, _ := call(t, "GET", gateway+"/v1/products", "", "Authorization", bearer(t, token.Staff))
	require.Equal(t, "300", response.Header.Get("X-RateLimit-Limit"), "staff have their own")
}

func status(t testing.TB, gateway, authorization string) int {
	t.Helper()
	response, _ := call(t, "GET", gateway+"/v1/products", "", "Authorization", authorization)
	return response.StatusCode
}

// API-08: the limit holds over all instances. Two may together admit a few concurrent requests too many.
func TestRateLimitHoldsOverAllInstances(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	copies := []string{}
	for range 3 {
		copies = append(copies, copyOf(t, pool, config.Gateway{RateLimit: 60}, echo("any")))
	}
	caller := bearer(t, token.Customer)
	var let atomic.Int64
	var all sync.WaitGroup
	for i := range 240 { // of which at most two minutes' worth may pass, if one ends in between
		all.Go(func() {
			if status(t, copies[i%3], caller) == http.StatusTeapot {
				let.Add(1)
			}
		})
	}
	all.Wait()
	minutes := shoptest.CountOf(t, pool, `SELECT count(DISTINCT minute) FROM bus.rates`)
	require.GreaterOrEqual(t, let.Load(), int64(60))
	require.LessOrEqual(t, let.Load(), minutes*(60+3*5))
}

// ACC-09, API-01: the gateway rejects a request with an invalid token.
func TestInvalidTokenIsRejected(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, bad := range []string{"Bearer x", "Bearer ", "Basic YTpi", bearer(t, token.Customer) + "x", "Bearer eyJhbGciOiJub25lIn0.e30."} {
		response, text := call(t, "GET", gateway+"/v1/products", "", "Authorization", bad)
		requireProblem(t, response, text, http.StatusUnauthorized, "not-signed-in")
	}
	response, text := call(t, "POST", gateway+"/v1/inventory/stock", "{}", "Authorization", bearer(t, token.Customer))
	requireProblem(t, response, text, http.StatusForbidden, "not-allowed")
}

// API-09: pages of other origins may call the API with a token, and not with the shop's cookies.
func TestCORSAllowsTokensOnly(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, path := range []string{"/v1/orders", "/v1/products", "/nothing"} {
		response, text := call(t, "OPTIONS", gateway+path, "", "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST")
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		require.Empty(t, text)
		require.Equal(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, response.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
		require.Empty(t, response.Header.Get("Access-Control-Allow-Credentials"), "never with our cookies")
	}
	response, text := call(t, "POST", gateway+"/v1/orders", "{}", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Cookie", "popup-access=x")
	requireProblem(t, response, text, http.StatusForbidden, "foreign-page")
}

func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, path := range []string{"/v1/products", "/nothing", "/v1/openapi.json"} {
		response, _ := call(t, "GET", gateway+path, "")
		for header, value := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			require.Equal(t, value, response.Header.Get(header), path)
		}
		require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Empty(t, response.Header.Get("Strict-Transport-Security"), "not without TLS")
	}
}

func TestTrustedProxiesDetermineTheClientAddress(t *testing.T) {
	t.Parallel()
	for hops, want := range map[int]string{0: "127.0.0.1", 1: "9.9.9.9", 2: "8.8.8.8", 3: "6.6.6.6", 4: "127.0.0.1"} {
		gateway := copyOf(t, nil, config.Gateway{TrustedHops: hops}, echo("any"))
		e := got(t, "GET", gateway+"/v1/products", "", "X-Forwarded-For", "6.6.6.6, 8.8.8.8,9.9.9.9")
		require.Equal(t, want, e.Header.Get("X-Forwarded-For"), hops)
	}
	gateway := copyOf(t, nil, config.Gateway{TrustedHops: 1}, echo("any"))
	require.Equal(t, "127.0.0.1", got(t, "GET", gateway+"/v1/products", "", "X-Forwarded-For", "<script>").Header.Get("X-Forwarded-For"))
}

func TestPanicIsAProblem(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }))
	response, text := call(t, "GET", gateway+"/v1/products", "")
	requireProblem(t, response, text, http.StatusInternalServerError, "internal")
	require.NotContains(t, text, "panic")
}

// OPS-42: each dependency by name; 503 when one fails.
func TestStatusNamesFailingDependencies(t *testing.T) {
	t.Parallel()
	server := dbtest.Server(t)
	pool := shoptest.OpenPool(t, server.URL())
	gateway := copyOf(t, pool, config.Gateway{}, echo("any"))
	names, code := readStatus(t, gateway)
	require.Equal(t, http.StatusOK, code)
	require.Empty(t, names)
	require.NoError(t, server.Kill())
	names, code = readStatus(t, gateway)
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"postgres", "events", "dead-letters"}, names)
}

// OPS-43, API-92: Prometheus text, for authorised clients; the number of series does not depend on the requested paths.
func TestMetricsNeedPermission(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, dbtest.DB(t), config.Gateway{}, echo("any"))
	response, text := call(t, "GET", gateway+"/metrics", "")
	requireProblem(t, response, text, http.StatusUnauthorized, "not-signed-in")
	scraper := shoptest.Bearer(t, token.Claims{ID: uuid.NewString(), Role: token.Client, Scopes: []string{"metrics"}})
	ask := func(n int) (metrics string, series int) {
		for range n {
			call(t, "GET", gateway+"/v1/products/"+uuid.NewString(), "")
			call(t, "BREW"+strings.ToUpper(uuid.NewString()[:4]), gateway+"/"+uuid.NewString(), "")
		}
		response, text := call(t, "GET", gateway+"/metrics", "", "Authorization", scraper)
		require.Equal(t, http.StatusOK, response.StatusCode)
		return text, len(regexp.MustCompile(`(?m)^(http|errors|network|popup)_`).FindAllString(text, -1))
	}
	_, before := ask(1)
	text, after := ask(999)
	require.Contains(t, text, `http_requests_total{method="GET",route="/v1/products/{id}",status="418"} 1000`)
	require.Contains(t, text, `http_requests_total{method="other",route="/",status="404"} 1000`)
	require.Equal(t, before, after, "series")
}

// API-86: the contracts and their documentation page.
func TestContractsAreServed(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for path, kind := range map[string]string{
		"/v1/openapi.json": "application/json", "/v1/asyncapi.json": "application/json",
		"/schemas/events/order.placed.json": "application/schema+json",
	} {
		response, text := call(t, "GET", gateway+path, "")
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		require.Equal(t, kind, response.Header.Get("Content-Type"), path)
		if strings.HasSuffix(kind, "json") {
			require.True(t, json.Valid([]byte(text)), path)
		}
	}
	response, text := call(t, "GET", gateway+"/schemas/events/..%2Froutes.json", "")
	requireProblem(t, response, text, http.StatusNotFound, "not-found")
}
