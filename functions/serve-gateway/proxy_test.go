package servegateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// processes serves a shop's catalogue on its own port, as its program does, and returns the address of an ingress that
// routes to it by host name.
func processes(t testing.TB, shop *shoptest.Shop) (ingress string) {
	t.Helper()
	catalogue := httptest.NewServer(shop.Runtime(t, "serve-catalogue").ServeMux(shop.Function(t, "serve-catalogue")))
	t.Cleanup(catalogue.Close)
	return strings.TrimPrefix(catalogue.URL, "http://")
}

// gateways returns a gateway with a cache and one without, for each way to reach functions.
func gateways(t testing.TB, shop *shoptest.Shop) map[string][2]string {
	t.Helper()
	ingress := processes(t, shop)
	within := shop.Runtime(t, "serve-catalogue").ServeMux(shop.Function(t, "serve-catalogue"))
	both := map[string][2]string{}
	for i, entries := range []int{1000, 0} {
		settings := testSettings()
		settings.Gateway = config.Gateway{CacheEntries: entries, CacheBytes: 8 << 20, Upstream: "http://{function}.shop", Via: ingress}
		for how, gateway := range map[string]function.Function{
			"processes":   servegateway.New(settings),
			"one process": servegateway.Within(settings)(func(string) http.Handler { return within }),
		} {
			server := httptest.NewServer(shop.Runtime(t, "serve-gateway").ServeMux(&gateway))
			t.Cleanup(server.Close)
			pair := both[how]
			pair[i] = server.URL
			both[how] = pair
		}
	}
	return both
}

// headers lists, for each request header that could change a response, values that a caller may send.
var headers = map[string][]string{
	"Accept": {
		"application/json", "text/csv", "text/csv;q=0.1, application/json", "application/json;q=0.1,text/csv", "*/*",
		"text/htm, text/csvx", "text/csv;q=0", "text/csv;,x", ";", "application/problem+json",
	},
	"Accept-Language":     {"ja", "de, en;q=0.5", "*"},
	"Accept-Encoding":     {"identity", "gzip", "gzip;q=0, br"},
	"Range":               {"bytes=0-9", "bytes=5-", "bytes=-1"},
	"If-Range":            {`"x"`},
	"If-Modified-Since":   {"Fri, 01 Jan 2100 00:00:00 GMT"},
	"If-Unmodified-Since": {"Sat, 01 Jan 2000 00:00:00 GMT"},
	"If-Match":            {`"x"`, "*"},
	"X-Forwarded-Host":    {"evil.example"},
	"X-Forwarded-Proto":   {"https"},
	"X-Forwarded-For":     {"6.6.6.6"},
	"Forwarded":           {"for=6.6.6.6;host=evil.example"},
	"Cookie":              {"popup-basket=x", "other=y"},
	"Prefer":              {"wait=1"},
	"Content-Type":        {"text/plain"},
}

// queries are valid and invalid query strings of a list.
var queries = []string{
	"", "", "limit=2", "limit=3&page=1", "page=1&limit=3", "limit=6", "page=2&limit=2", "limit=2&limit=5",
	"limit=5&limit=2",
	"limit=%32", "limit=x", "unknown=1", "limit=2&a=%zz", "a=%zz", "limit=2;page=2", "limit=2&&", "&limit=2",
	"limit=1000",
}

// asked is a request of the property test.
type asked struct {
	method, path string
	header       http.Header
}

func (a asked) String() string { return fmt.Sprint(a.method, " ", a.path, " ", a.header) }

// answered holds the parts of a response that must be equal.
type answered struct {
	status int
	header map[string]string
	body   string
}

// unzipped returns the text of a response: how it is cut into blocks of gzip depends on how it arrived.
func unzipped(t testing.TB, response *http.Response, body []byte) string {
	t.Helper()
	if response.Header.Get("Content-Encoding") != "gzip" || len(body) == 0 {
		return string(body)
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// send sends a request unchanged: the transport adds no headers.
func (a asked) send(t testing.TB, gateway string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), a.method, gateway+a.path, nil)
	require.NoError(t, err, a)
	request.Header = a.header.Clone()
	if host := a.header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err, a)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err, "%s: %q", a, body)
	got := answered{response.StatusCode, map[string]string{}, unzipped(t, response, body)}
	for _, name := range []string{"Content-Type", "Content-Language", "Etag", "Content-Range", "Content-Encoding", "Location", "Set-Cookie", "Allow"} {
		got.header[name] = strings.Join(response.Header.Values(name), "|")
	}
	if response.StatusCode >= 400 {
		got.body = problemSummary(t, got.body)
	}
	if length := response.Header.Get("Content-Length"); length != "" && a.method == http.MethodGet && response.StatusCode != http.StatusNotModified {
		require.Equal(t, strconv.Itoa(len(body)), length, a)
	}
	return got
}

// problemSummary returns the kind and the texts of a problem, and its field errors sorted.
func problemSummary(t testing.TB, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	var p struct {
		Type, Title, Detail string
		Errors              []struct{ Field, Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &p), text)
	var wrong []string
	for _, each := range p.Errors {
		wrong = append(wrong, each.Field+": "+each.Message)
	}
	slices.Sort(wrong)
	return strings.Join(append(wrong, p.Type, p.Title, p.Detail), "; ")
}

// A gateway with a cache gives the same responses as one without, whatever requests came before.
func TestCacheDoesNotChangeResponses(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	for how, pair := range gateways(t, shop) {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cached, uncached := pair[0], pair[1]
			next := requests(t, shop)
			for range 1500 {
				a := next(uncached)
				want, got := a.send(t, uncached), a.send(t, cached)
				require.Equal(t, want, got, "%s", a)
			}
		})
	}
}

// requests returns a source of random requests for the routes whose responses are cached.
func requests(t testing.TB, shop *shoptest.Shop) func(gateway string) asked {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	ids := map[string][]string{
		"products":   {productOf(t, shop, shoptest.Tee), productOf(t, shop, shoptest.Cap)},
		"stores":     {shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.stores ORDER BY 1 LIMIT 1`)},
		"categories": {shoptest.Scalar[string](t, shop, `SELECT coalesce((SELECT category_id::text FROM catalogue.categories ORDER BY 1 LIMIT 1), gen_random_uuid()::text)`)},
	}
	var paths []string
	targets, err := servegateway.Targets()
	require.NoError(t, err)
	for _, target := range targets {
		if target.CacheFor == 0 {
			continue
		}
		paths = append(paths, target.Path)
	}
	require.Greater(t, len(paths), 5)
	names := slices.Sorted(maps.Keys(headers))
	staff := shop.Staff(t)
	return func(gateway string) asked {
		path := paths[random.IntN(len(paths))]
		if kind := strings.Split(path, "/")[2]; strings.Contains(path, "{id}") {
			of := append(slices.Clone(ids[kind]), "7", strings.ToUpper(ids[kind][0]), ids[kind][0]+"%3Flimit=2")
			path = strings.Replace(path, "{id}", of[random.IntN(len(of))], 1)
		}
		a := asked{[]string{"GET", "GET", "HEAD"}[random.IntN(3)], path, http.Header{"User-Agent": {"test"}}}
		if query := queries[random.IntN(len(queries))]; query != "" {
			a.path += "?" + query
		}
		for range random.IntN(3) {
			name := names[random.IntN(len(names))]
			a.header.Set(name, headers[name][random.IntN(len(headers[name]))])
		}
		switch random.IntN(8) {
		case 0:
			a.header.Set("Authorization", staff)
		case 1:
			a.header.Set("Host", "other.example")
		case 2, 3:
			tag := asked{"GET", a.path, a.header}.send(t, gateway).header["Etag"]
			a.header.Set("If-None-Match", []string{tag, "W/" + tag, `"x", ` + tag, `"x"`, "*"}[random.IntN(5)])
		}
		return a
	}
}

// A HEAD caches the response to a GET, body included, for each way to reach functions.
func TestHeadDoesNotCacheAnEmptyBody(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	for how, pair := range gateways(t, shop) {
		for _, path := range []string{"/v1/products/" + productOf(t, shop, shoptest.Tee), "/v1/products?limit=6"} {
			head, nothing := call(t, "HEAD", pair[0]+path, "")
			require.Equal(t, http.StatusOK, head.StatusCode, how)
			require.Empty(t, nothing)
			got, text := call(t, "GET", pair[0]+path, "")
			require.Equal(t, http.StatusOK, got.StatusCode, how)
			require.NotEmpty(t, text, how)
			require.Contains(t, got.Header.Get("Cache-Status"), "hit", how)
			require.Equal(t, head.Header.Get("ETag"), got.Header.Get("ETag"), how)
			require.Equal(t, strconv.Itoa(len(text)), head.Header.Get("Content-Length"), how)
		}
	}
}

// broken are functions whose first response breaks off in the middle.
var broken = map[string]http.HandlerFunc{
	"short of its length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	},
	"in the middle of a chunk": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"before its body": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
}

// A response that breaks off is neither cached nor forwarded as a complete one.
func TestBrokenResponseIsNotCached(t *testing.T) {
	t.Parallel()
	for why, breaks := range broken {
		for _, way := range []string{"processes", "one process"} {
			for _, path := range []string{"/v1/products", "/v1/products/suggestions"} { // cached, and not
				t.Run(why+", "+way+path, func(t *testing.T) {
					t.Parallel()
					gateway := gatewayTo(t, way, firstBroken(breaks))
					status, text, err := try(t, gateway+path)
					if err == nil {
						require.Equal(t, http.StatusServiceUnavailable, status, text)
						require.Contains(t, text, "dependency-down")
					}
					status, text, err = try(t, gateway+path)
					require.NoError(t, err)
					require.Equal(t, http.StatusOK, status)
					require.Equal(t, "whole", text)
				})
			}
		}
	}
}

// firstBroken returns a function whose first response breaks off.
func firstBroken(breaks http.HandlerFunc) http.HandlerFunc {
	var calls atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Surrogate-Key", "catalogue")
		if calls.Add(1) == 1 {
			breaks(w, r)
		}
		_, _ = io.WriteString(w, "whole")
	}
}

// gatewayTo returns a gateway with a cache in front of one function for all routes.
func gatewayTo(t testing.TB, way string, to http.Handler) string {
	t.Helper()
	if way == "one process" {
		return copyOf(t, dbtest.DB(t), caching, to)
	}
	return overHTTP(t, caching, to)
}

// overHTTP returns a gateway that forwards all routes to one function over HTTP.
func overHTTP(t testing.TB, settings config.Gateway, to http.Handler) string {
	t.Helper()
	server := httptest.NewServer(to)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	all := testSettings()
	all.Gateway = settings
	all.Upstream, all.Via = "http://{function}.shop", at.Host
	gateway := servegateway.New(all)
	rt := &function.Runtime{Pool: dbtest.DB(t), Log: slog.New(slog.DiscardHandler)}
	front := httptest.NewServer(rt.ServeMux(&gateway))
	t.Cleanup(front.Close)
	return front.URL
}

// try sends a request and reads the response to its end. It returns an error for a response that breaks off.
func try(t testing.TB, url string) (status int, text string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}
