package servegateway_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	placeorder "github.com/popup-shop/popup/functions/place-order"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// within returns a gateway in one program with its functions, which echo their name and the request.
func within(t testing.TB) string {
	t.Helper()
	return open(t, servegateway.Within(testSettings())(func(name string) http.Handler { return echo(name) }))
}

// testSettings returns settings with the key that signs the tokens of the tests.
func testSettings() (s servegateway.Settings) {
	s.TokenPublicKeys = []string{shoptest.PublicKey()}
	return s
}

func bearer(t testing.TB, role string) string {
	t.Helper()
	return shoptest.Bearer(t, token.Claims{ID: uuid.NewString(), Role: role, Session: uuid.NewString()})
}

// apart returns a gateway that reaches functions over HTTP.
func apart(t testing.TB, settings config.Gateway) string {
	t.Helper()
	return open(t, servegateway.New(servegateway.Settings{Gateway: settings}))
}

func open(t testing.TB, gateway function.Function) string {
	t.Helper()
	rt := &function.Runtime{Log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(rt.ServeMux(&gateway))
	t.Cleanup(server.Close)
	return server.URL
}

// echoed is the request that a function received.
type echoed struct {
	Function string      `json:"function"`
	Host     string      `json:"host"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Query    string      `json:"query"`
	Header   http.Header `json:"header"`
	Body     string      `json:"body"`
}

func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(http.StatusTeapot)
		_ = json.NewEncoder(w).Encode(echoed{name, r.Host, r.Method, r.URL.Path, r.URL.RawQuery, r.Header, string(body)})
	}
}

func call(t testing.TB, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

func got(t testing.TB, method, url, body string, headers ...string) (e echoed) {
	t.Helper()
	response, text := call(t, method, url, body, headers...)
	require.Equal(t, http.StatusTeapot, response.StatusCode, text)
	require.Equal(t, "true", response.Header.Get("Idempotency-Replayed"), "headers come back too")
	require.NoError(t, json.Unmarshal([]byte(text), &e))
	return e
}

func requireProblem(t testing.TB, response *http.Response, text string, status int, kind string) {
	t.Helper()
	require.Equal(t, status, response.StatusCode, text)
	require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), text)
	var p struct {
		Type      string `json:"type"`
		Status    int    `json:"status"`
		RequestID string `json:"request_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &p))
	require.Equal(t, "/problems/"+kind, p.Type)
	require.Equal(t, status, p.Status)
	require.Equal(t, response.Header.Get("X-Request-ID"), p.RequestID)
	require.NotEmpty(t, p.RequestID)
}

func TestRoutesAreThoseOfTheFunctions(t *testing.T) {
	t.Parallel()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	var declared []servegateway.Target
	for _, f := range functions.All(settings) {
		if f.Endpoints != nil {
			for _, route := range f.Endpoints.Routes() {
				declared = append(declared, servegateway.Target{Route: route, Function: f.Name})
			}
		}
	}
	targets, err := servegateway.Targets()
	require.NoError(t, err)
	require.ElementsMatch(t, declared, targets, "make generate writes schemas/routes.json")
	require.NotEmpty(t, targets)
}

func TestRequestsAreForwardedUnchanged(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	admin := bearer(t, token.Admin)
	targets, err := servegateway.Targets()
	require.NoError(t, err)
	for _, target := range targets {
		if target.Stream { // the gateway serves it
			continue
		}
		path := strings.ReplaceAll(target.Path, "{id}", "4711")
		e := got(t, target.Method, gateway+path+"?a=b", "the body", "Idempotency-Key", "k", "Authorization", admin)
		require.Equal(t, target.Function, e.Function)
		require.Equal(t, target.Method, e.Method)
		require.Equal(t, path, e.Path)
		require.Equal(t, "a=b", e.Query)
		require.Equal(t, "the body", e.Body)
		require.Equal(t, "k", e.Header.Get("Idempotency-Key"))
	}
}

// API-07.
func TestValidRequestIDIsKept(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, id := range []string{"a", "req_1.2-3", strings.Repeat("x", 64)} {
		response, text := call(t, "GET", gateway+"/v1/products", "", "X-Request-ID", id)
		require.Equal(t, id, response.Header.Get("X-Request-ID"))
		require.Contains(t, text, id, "the function gets it too")
	}
}

func TestInvalidRequestIDIsReplaced(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	seen := map[string]bool{}
	for _, id := range []string{"", " ", "a b", "<script>", strings.Repeat("x", 65), "ü", `";drop`} {
		response, _ := call(t, "GET", gateway+"/v1/products", "", "X-Request-ID", id)
		made := response.Header.Get("X-Request-ID")
		require.Regexp(t, `^[a-z0-9]{20,64}$`, made)
		require.False(t, seen[made])
		seen[made] = true
		require.Equal(t, made, got(t, "GET", gateway+"/v1/products", "", "X-Request-ID", made).Header.Get("X-Request-Id"))
	}
}

// API-07.
func TestTraceIsContinuedOrStarted(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	require.Equal(t, trace, got(t, "GET", gateway+"/v1/products", "", "Traceparent", trace).Header.Get("Traceparent"))
	for _, bad := range []string{"", "x", strings.ToUpper(trace)} {
		made := got(t, "GET", gateway+"/v1/products", "", "Traceparent", bad).Header.Get("Traceparent")
		require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, made)
		require.NotEqual(t, strings.ToLower(bad), made)
	}
}

func TestEventHeadersAreStripped(t *testing.T) {
	t.Parallel()
	functions := httptest.NewServer(echo("any"))
	t.Cleanup(functions.Close)
	for name, gateway := range map[string]string{"within": within(t), "apart": apart(t, config.Gateway{Upstream: functions.URL})} {
		e := got(t, "POST", gateway+"/v1/orders", "{}", "Ce-Id", "1", "ce-type", "shop.popup.payment.paid", "CE-SpecVersion", "1.0", "Cell", "kept")
		for header := range e.Header {
			require.False(t, strings.HasPrefix(header, "Ce-"), "%s: %s", name, header)
		}
		require.Equal(t, "kept", e.Header.Get("Cell"), name)
	}
}

func TestGatewayAcceptsNoEvents(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, path := range []string{"/", "/reserve-stock", "/v1"} {
		response, text := call(t, "POST", gateway+path, "{}", "Ce-Id", "1")
		requireProblem(t, response, text, http.StatusNotFound, "not-found")
	}
}

func TestUnknownRouteOrMethodIsAProblem(t *testing.T) {
	t.Parallel()
	gateway := within(t)
	for _, c := range [][2]string{{"GET", "/v1/nothing"}, {"GET", "/v1/orders/1/2/3"}, {"PUT", "/"}} {
		response, text := call(t, c[0], gateway+c[1], "")
		requireProblem(t, response, text, http.StatusNotFound, "not-found")
	}
	response, text := call(t, "DELETE", gateway+"/v1/keys", "")
	requireProblem(t, response, text, http.StatusMethodNotAllowed, "no-such-method")
	require.Equal(t, "GET", response.Header.Get("Allow"))
}

func TestUnreachableFunctionIsATemporaryProblem(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	response, text := call(t, "GET", apart(t, config.Gateway{Upstream: gone.URL})+"/v1/products", "", "X-Request-ID", "req-1")
	requireProblem(t, response, text, http.StatusServiceUnavailable, "dependency-down")
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	require.Equal(t, "req-1", response.Header.Get("X-Request-ID"))
	require.NotContains(t, text, gone.URL, "addresses of functions are internal")
}

func TestBodyOverTheLimitIsRejected(t *testing.T) {
	t.Parallel()
	functions := httptest.NewServer(echo("any"))
	t.Cleanup(functions.Close)
	gateway := apart(t, config.Gateway{Upstream: functions.URL})
	require.Len(t, got(t, "POST", gateway+"/v1/orders", strings.Repeat("a", 64<<10)).Body, 64<<10, "as much as is allowed")
	response, text := call(t, "POST", gateway+"/v1/orders", strings.Repeat("a", 64<<10+1))
	requireProblem(t, response, text, http.StatusRequestEntityTooLarge, "too-large")
}

func TestBodyOverTheLimitIsRejectedInOneProgram(t *testing.T) {
	t.Parallel()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	placing := placeorder.New(placeorder.Settings{Shop: settings.Shop})
	rt := &function.Runtime{Log: slog.New(slog.DiscardHandler)}
	gateway := open(t, servegateway.Within(servegateway.Settings{})(func(string) http.Handler { return rt.ServeMux(&placing) }))
	response, text := call(t, "POST", gateway+"/v1/orders", `{"locale":"`+strings.Repeat("a", 64<<10)+`"}`, "Content-Type", "application/json", "Idempotency-Key", "k")
	requireProblem(t, response, text, http.StatusRequestEntityTooLarge, "too-large")
}

func TestFunctionsAreReachedThroughAnIngress(t *testing.T) {
	t.Parallel()
	ingress := httptest.NewServer(echo("any"))
	t.Cleanup(ingress.Close)
	at, err := url.Parse(ingress.URL)
	require.NoError(t, err)
	gateway := apart(t, config.Gateway{Upstream: "http://{function}.shop.example", Via: at.Host})
	require.Equal(t, "place-order.shop.example", got(t, "POST", gateway+"/v1/orders", "{}").Host)
	require.Equal(t, "serve-catalogue.shop.example", got(t, "GET", gateway+"/v1/products", "").Host)
}

func TestForgedForwardedHeadersAreIgnored(t *testing.T) {
	t.Parallel()
	functions := httptest.NewServer(echo("any"))
	t.Cleanup(functions.Close)
	gateway := apart(t, config.Gateway{Upstream: functions.URL})
	e := got(t, "GET", gateway+"/v1/products", "", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil.example")
	require.Equal(t, "127.0.0.1", e.Header.Get("X-Forwarded-For"))
	require.NotContains(t, e.Header.Get("X-Forwarded-Host"), "evil")
}

func TestInvalidUpstreamPanicsAtStart(t *testing.T) {
	t.Parallel()
	gateway := servegateway.New(servegateway.Settings{Gateway: config.Gateway{Upstream: "http://{function}:port"}})
	defer func() {
		require.ErrorContains(t, recover().(error), `FUNCTION_URL=http://{function}:port: parse "http://serve-`)
	}()
	(&function.Runtime{Log: slog.New(slog.DiscardHandler)}).ServeMux(&gateway)
}
