package servegateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

var caching = config.Gateway{CacheEntries: 1000, CacheBytes: 1 << 20}

// gatewayOf returns a gateway in front of a shop's functions. It counts the requests that reach them.
func gatewayOf(t testing.TB, shop *shoptest.Shop, settings config.Gateway) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = &atomic.Int64{}
	all := testSettings()
	all.Gateway = settings
	gateway := servegateway.Within(all)(func(name string) http.Handler {
		to := http.NotFoundHandler()
		if slices.Contains([]string{"serve-catalogue", "edit-catalogue", "serve-stock"}, name) {
			to = shop.Runtime(t, name).ServeMux(shop.Function(t, name))
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			to.ServeHTTP(w, r)
		})
	})
	server := httptest.NewServer(shop.Runtime(t, "serve-gateway").ServeMux(&gateway))
	t.Cleanup(server.Close)
	return server.URL, calls
}

// API-11, CAT-30, CAT-31.
func TestSecondEqualRequestIsACacheHit(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	gateway, calls := gatewayOf(t, shop, caching)
	first, text := call(t, "GET", gateway+"/v1/products?limit=2&page=1", "")
	require.Equal(t, http.StatusOK, first.StatusCode, text)
	require.Equal(t, "popup; fwd=miss; ttl=300", first.Header.Get("Cache-Status"))
	require.Empty(t, first.Header.Get("Surrogate-Key"), "the header is internal")

	again, same := call(t, "GET", gateway+"/v1/products?page=1&limit=2", "")
	require.Equal(t, "popup; hit; ttl=300", again.Header.Get("Cache-Status"))
	require.Equal(t, text, same)
	require.Equal(t, "application/json", again.Header.Get("Content-Type"))
	require.Equal(t, first.Header.Get("ETag"), again.Header.Get("ETag"))
	require.NotEqual(t, first.Header.Get("X-Request-ID"), again.Header.Get("X-Request-ID"), "the request id is not cached")
	require.EqualValues(t, 1, calls.Load())

	unchanged, empty := call(t, "GET", gateway+"/v1/products?limit=2&page=1", "", "If-None-Match", first.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, unchanged.StatusCode)
	require.Empty(t, empty)
	table, csv := call(t, "GET", gateway+"/v1/products.csv?limit=2&page=1", "")
	require.Contains(t, table.Header.Get("Content-Type"), "text/csv")
	require.NotEqual(t, text, csv, "another path is another response")

	detail, _ := call(t, "GET", gateway+"/v1/products/"+productOf(t, shop, shoptest.Tee), "")
	require.Equal(t, "popup; fwd=miss; ttl=1800", detail.Header.Get("Cache-Status"))
	missing, _ := call(t, "GET", gateway+"/v1/products/"+uuid.NewString(), "")
	require.Equal(t, http.StatusNotFound, missing.StatusCode)
	require.Empty(t, missing.Header.Get("Cache-Status"), "a 404 is not cached")
}

func productOf(t testing.TB, shop *shoptest.Shop, sku string) string {
	return shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`, sku)
}

// CAT-32, CAT-35: a change invalidates the responses that show it in all gateways within a second, and no others.
func TestChangeInvalidatesAllGateways(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	one, _ := gatewayOf(t, shop, caching)
	other, _ := gatewayOf(t, shop, caching)
	tee := "/v1/products/" + productOf(t, shop, shoptest.Tee)
	sticker := "/v1/products/" + productOf(t, shop, shoptest.Cap)
	for _, gateway := range []string{one, other} {
		_, text := call(t, "GET", gateway+tee, "")
		require.Contains(t, text, `"available":300`)
		call(t, "GET", gateway+sticker, "")
	}
	level := shoptest.Scalar[string](t, shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1 LIMIT 1`, shoptest.Tee)
	moved, text := call(t, "POST", one+"/v1/inventory/stock/"+level+"/movements", `{"kind":"inbound","quantity":7,"reason":"found"}`,
		"Idempotency-Key", uuid.NewString(), "Content-Type", "application/json", "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusCreated, moved.StatusCode, text)
	for _, gateway := range []string{one, other} {
		require.Eventually(t, func() bool {
			_, text := call(t, "GET", gateway+tee, "")
			return strings.Contains(text, `"available":307`)
		}, time.Second, 20*time.Millisecond)
		untouched, _ := call(t, "GET", gateway+sticker, "")
		require.Contains(t, untouched.Header.Get("Cache-Status"), "hit")
	}
}

// CAT-30, CAT-31, CAT-32: the gateway that forwarded a change shows it at once, the others within a second.
func TestNewPriceShowsAtOnceInTheGatewayOfTheChange(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	one, _ := gatewayOf(t, shop, caching)
	other, _ := gatewayOf(t, shop, caching)
	store := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.products WHERE sku = $1`, shoptest.Tee)
	paths := []string{"/v1/products/" + productOf(t, shop, shoptest.Tee), "/v1/products?limit=100"}
	for _, path := range paths {
		for _, gateway := range []string{one, other} {
			_, text := call(t, "GET", gateway+path, "")
			require.Contains(t, text, `"amount_minor":3900`)
		}
	}
	changed, text := call(t, "PUT", one+paths[0], `{"store_id":"`+store+`","name":"Tee","sku":"`+shoptest.Tee+`","price":{"amount_minor":4444,"currency":"EUR"}}`,
		"Content-Type", "application/json", "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, changed.StatusCode, text)
	for _, path := range paths {
		fresh, text := call(t, "GET", one+path, "")
		require.Contains(t, text, `"amount_minor":4444`)
		require.Contains(t, fresh.Header.Get("Cache-Status"), "fwd=miss")
		require.Eventually(t, func() bool {
			_, text := call(t, "GET", other+path, "")
			return strings.Contains(text, `"amount_minor":4444`)
		}, time.Second, 20*time.Millisecond)
	}
}

// CAT-35: the cache decides nothing: the last item is sold once, and shown as sold within a second.
func TestCacheDoesNotSellTheLastItemTwice(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	shop.SetStock(t, shoptest.Print, shoptest.Harbour, 1)
	gateway, _ := gatewayOf(t, shop, caching)
	page := gateway + "/v1/products/" + productOf(t, shop, shoptest.Print)
	_, text := call(t, "GET", page, "")
	require.Contains(t, text, `"available":1,`)

	last := shoptest.Order(shoptest.Of(shoptest.Print, 1))
	first, second := shop.Place(t, last), shop.Place(t, last)
	require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", first.OrderPlaced)[0])
	require.IsType(t, events.StockShort{}, shop.Send(t, "reserve-stock", second.OrderPlaced)[0], "although the cached page may still show one")
	require.Eventually(t, func() bool {
		_, text := call(t, "GET", page, "")
		return strings.Contains(text, `"available":0,`)
	}, time.Second, 20*time.Millisecond)
}

// A long transaction does not hide events of transactions that commit meanwhile.
func TestLongTransactionDoesNotDelayTheFeed(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	gateway, _ := gatewayOf(t, shop, caching)
	long, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = long.Rollback(t.Context()) }()
	_, err = long.Exec(t.Context(), `SELECT pg_current_xact_id()`)
	require.NoError(t, err)

	tee := "/v1/products/" + productOf(t, shop, shoptest.Tee)
	call(t, "GET", gateway+tee, "")
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 2)))
	shop.Send(t, "reserve-stock", placed.OrderPlaced)
	require.Eventually(t, func() bool {
		_, text := call(t, "GET", gateway+tee, "")
		return strings.Contains(text, `"available":298`)
	}, time.Second, 20*time.Millisecond)
	hit, _ := call(t, "GET", gateway+tee, "")
	require.Contains(t, hit.Header.Get("Cache-Status"), "hit", "an event invalidates only once")
}

// CAT-32: a gateway that cannot read events serves no response that is older than a second.
func TestNothingStaleIsServedWithoutTheFeed(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	gateway, _ := gatewayOf(t, shop, caching)
	tee := "/v1/products/" + productOf(t, shop, shoptest.Tee)
	call(t, "GET", gateway+tee, "")
	locked, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = locked.Rollback(t.Context()) }()
	_, err = locked.Exec(t.Context(), `LOCK TABLE bus.event IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	shop.Exec(t, `UPDATE catalogue.products SET name = 'Renamed' WHERE sku = $1`, shoptest.Tee)
	changed := time.Now()
	require.Eventually(t, func() bool {
		_, text := call(t, "GET", gateway+tee, "")
		return strings.Contains(text, "Renamed")
	}, 3*time.Second, 20*time.Millisecond)
	require.Less(t, time.Since(changed), 1600*time.Millisecond, "a second, and the read that timed out")
}

// shows returns a function that responds after wait with surrogate keys. It counts its requests in asked.
func shows(names string, asked *atomic.Int64, wait <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		<-wait
		if names != "" {
			w.Header().Set("Surrogate-Key", names)
		}
		fmt.Fprintf(w, `{"n":%d,"for":%q}`, n, r.Header.Get("Authorization"))
	}
}

// atOnce is the number of concurrent callers.
const atOnce = 50

// together sends concurrent equal requests, each with its own token, and returns the response bodies.
func together(t testing.TB, url string, asked *atomic.Int64, open chan struct{}, until int64) []string {
	texts := make([]string, atOnce)
	var callers sync.WaitGroup
	for i := range atOnce {
		shown := bearer(t, token.Staff)
		callers.Go(func() { _, texts[i] = call(t, "GET", url, "", "Authorization", shown) })
	}
	require.Eventually(t, func() bool { return asked.Load() >= until }, 5*time.Second, time.Millisecond)
	time.AfterFunc(50*time.Millisecond, func() { close(open) }) // meanwhile the others have arrived
	callers.Wait()
	return texts
}

func TestConcurrentEqualRequestsCallTheFunctionOnce(t *testing.T) {
	t.Parallel()
	asked, open := &atomic.Int64{}, make(chan struct{})
	gateway := copyOf(t, dbtest.DB(t), caching, shows("catalogue", asked, open))
	texts := together(t, gateway+"/v1/products", asked, open, 1)
	require.EqualValues(t, 1, asked.Load())
	for _, text := range texts {
		require.Equal(t, texts[0], text)
	}
}

func TestUncacheableResponsesAreNotShared(t *testing.T) {
	t.Parallel()
	asked, open := &atomic.Int64{}, make(chan struct{})
	gateway := copyOf(t, dbtest.DB(t), caching, shows("", asked, open))
	got := map[string]bool{}
	for _, text := range together(t, gateway+"/v1/products", asked, open, 1) {
		got[text] = true
	}
	require.Len(t, got, atOnce, "each caller has its own response")
}

// CAT-33.
func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	asked, open := &atomic.Int64{}, make(chan struct{})
	close(open)
	gateway := copyOf(t, dbtest.DB(t), config.Gateway{CacheEntries: 100, CacheBytes: 1 << 20}, shows("catalogue", asked, open))
	for i := range 10_000 {
		call(t, "GET", fmt.Sprintf("%s/v1/products?page=%d", gateway, i), "")
	}
	_, text := call(t, "GET", gateway+"/metrics", "", "Authorization", bearer(t, token.Staff))
	entries, bytes := metric(t, text, "popup_cache_entries"), metric(t, text, "popup_cache_bytes")
	require.LessOrEqual(t, entries, 100.0)
	require.Greater(t, entries, 50.0)
	require.LessOrEqual(t, bytes, float64(1<<20))
	require.Equal(t, 10_000.0, metric(t, text, `popup_cache_misses_total{route="/v1/products"}`))
}

func metric(t testing.TB, text, name string) (value float64) {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			_, err := fmt.Sscan(rest, &value)
			require.NoError(t, err)
			return value
		}
	}
	require.Fail(t, "no metric "+name)
	return 0
}

// A response that was read before a change, and arrives after the change, is not kept.
func TestResponseReadBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	const product = "019bb397-f900-7b6c-8586-3875e34487ca"
	asked, open := &atomic.Int64{}, make(chan struct{})
	slow := shows(events.ShownProduct(product), asked, open)
	gateway := copyOf(t, shop.Pool, caching, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, product) {
			slow(w, r)
		}
	}))
	url := gateway + "/v1/products/" + product
	var first sync.WaitGroup
	first.Go(func() { call(t, "GET", url, "") })
	require.Eventually(t, func() bool { return asked.Load() == 1 }, 5*time.Second, time.Millisecond)
	shop.Store(t, events.ProductChanged{ProductID: product})
	time.Sleep(300 * time.Millisecond) // the gateway reads new events four times a second
	call(t, "GET", gateway+"/v1/products", "")
	close(open)
	first.Wait()
	_, text := call(t, "GET", url, "")
	require.Contains(t, text, `"n":2`)
	_, text = call(t, "GET", url, "")
	require.Contains(t, text, `"n":2`, "this one is kept")
}

// CAT-31: staff sees an inactive product, nobody else does, and neither response takes the place of the other.
func TestInactiveProductIsShownToStaffAlone(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	gateway, _ := gatewayOf(t, shop, caching)
	path := gateway + "/v1/products/" + productOf(t, shop, shoptest.Tee)
	status := func(headers ...string) int {
		r, _ := call(t, "GET", path, "", headers...)
		return r.StatusCode
	}
	require.Equal(t, http.StatusOK, status(), "it is in the cache")
	_, text := call(t, "GET", path, "")
	body := strings.Replace(text, `"active":true`, `"active":false`, 1)
	var p map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &p))
	for _, field := range []string{"id", "store_name", "image_urls", "images", "stock", "created_at", "updated_at"} {
		delete(p, field)
	}
	changed, err := json.Marshal(p)
	require.NoError(t, err)
	staff := []string{"Authorization", shop.Staff(t)}
	r, text := call(t, "PUT", path, string(changed), append(staff, "Content-Type", "application/json")...)
	require.Equal(t, http.StatusOK, r.StatusCode, text)
	for range 2 {
		require.Equal(t, http.StatusNotFound, status())
		require.Equal(t, http.StatusOK, status(staff...))
		require.Equal(t, http.StatusNotFound, status("Authorization", shop.SignIn(t, "customer").Bearer))
	}
}
