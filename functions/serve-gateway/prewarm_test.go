package servegateway_test

import (
	"fmt"
	"math"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// requireCached waits until the cache of a gateway has n entries.
func requireCached(t testing.TB, gateway string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, text := call(t, "GET", gateway+"/metrics", "", "Authorization", bearer(t, token.Staff))
		return metric(t, text, "popup_cache_entries") == float64(n)
	}, 10*time.Second, 20*time.Millisecond)
}

// requireViewed waits until views of n products are stored.
func requireViewed(t testing.TB, shop *shoptest.Shop, n int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM catalogue.viewed`) == n
	}, 10*time.Second, 20*time.Millisecond)
}

// CAT-34: views are counted for cache hits and misses, and the next start caches the page for an hour.
func TestMostViewedPagesAreCachedAtStart(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	tee, beanie := productOf(t, shop, shoptest.Tee), productOf(t, shop, shoptest.Cap)
	before, _ := gatewayOf(t, shop, caching)
	for range 5 {
		call(t, "GET", before+"/v1/products/"+tee, "")
	}
	call(t, "GET", before+"/v1/products/"+strings.ToUpper(beanie), "")
	call(t, "GET", before+"/v1/products/"+uuid.NewString(), "")
	requireViewed(t, shop, 2)
	require.Equal(t, tee, shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.viewed ORDER BY heat DESC LIMIT 1`))
	require.InDelta(t, math.Log2(5), shoptest.Scalar[float64](t, shop, `SELECT max(heat) - min(heat) FROM catalogue.viewed`), 0.001)

	restarted, calls := gatewayOf(t, shop, caching)
	requireCached(t, restarted, 2)
	require.EqualValues(t, 2, calls.Load())
	first, text := call(t, "GET", restarted+"/v1/products/"+tee, "")
	require.Contains(t, first.Header.Get("Cache-Status"), "popup; hit; ttl=3")
	require.Contains(t, text, shoptest.Tee)
	var ttl int
	_, err := fmt.Sscanf(first.Header.Get("Cache-Status"), "popup; hit; ttl=%d", &ttl)
	require.NoError(t, err)
	require.InDelta(t, 3600, ttl, 60)
	require.EqualValues(t, 2, calls.Load(), "the function was not called")
}

// CAT-34, CAT-31, CAT-32: a change invalidates a page that was loaded at the start.
func TestPrewarmedPageIsInvalidated(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	tee := productOf(t, shop, shoptest.Tee)
	shop.Exec(t, `INSERT INTO catalogue.viewed VALUES ($1, 1)`, tee)
	warm, _ := gatewayOf(t, shop, caching)
	other, _ := gatewayOf(t, shop, config.Gateway{})
	requireCached(t, warm, 1)
	store := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.products WHERE product_id = $1`, tee)
	changed, text := call(t, "PUT", other+"/v1/products/"+tee, `{"store_id":"`+store+`","name":"Tee","sku":"`+shoptest.Tee+`","price":{"amount_minor":4444,"currency":"EUR"}}`,
		"Content-Type", "application/json", "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, changed.StatusCode, text)
	require.Eventually(t, func() bool {
		_, text := call(t, "GET", warm+"/v1/products/"+tee, "")
		return strings.Contains(text, `"amount_minor":4444`)
	}, time.Second, 20*time.Millisecond)
}

// viewedBefore stores views of n products.
func viewedBefore(t testing.TB, pool *pgxpool.Pool, n int) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `INSERT INTO catalogue.viewed SELECT gen_random_uuid(), n FROM generate_series(1, $1) n`, n)
	require.NoError(t, err)
}

// CAT-34: ten pages at a time; neither readiness nor the first request waits for them.
func TestPrewarmLoadsTenPagesAtATime(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	viewedBefore(t, pool, 150)
	asked, open := &atomic.Int64{}, make(chan struct{})
	slow := shows("catalogue", asked, open)
	gateway := copyOf(t, pool, caching, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/tags" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		slow(w, r)
	}))
	require.Eventually(t, func() bool { return asked.Load() == 10 }, 10*time.Second, time.Millisecond)
	health, _ := call(t, "GET", gateway+"/health", "")
	require.Equal(t, http.StatusOK, health.StatusCode)
	first, _ := call(t, "GET", gateway+"/v1/tags", "")
	require.Equal(t, http.StatusTeapot, first.StatusCode)
	require.EqualValues(t, 10, asked.Load(), "ten wait, and no more")
	close(open)
	requireCached(t, gateway, 100)
	require.EqualValues(t, 100, asked.Load(), "the hundred that are viewed most")
}

// A failure to load pages at the start does not open the circuit breaker: the function may still be starting.
func TestPrewarmDoesNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	viewedBefore(t, pool, 20)
	asked := &atomic.Int64{}
	gateway := copyOf(t, pool, caching, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= 20 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	require.Eventually(t, func() bool { return asked.Load() == 20 }, 10*time.Second, time.Millisecond)
	first, _ := call(t, "GET", gateway+"/v1/products", "")
	require.Equal(t, http.StatusTeapot, first.StatusCode)
}

// showsProduct responds with the product that a path ends with.
func showsProduct(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Surrogate-Key", "catalogue product:"+path.Base(r.URL.Path))
}

// Views are written in batches of at most a thousand products.
func TestViewsAreWrittenInBatches(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	_, err := pool.Exec(t.Context(), `
		CREATE SEQUENCE public.writes;
		CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('public.writes'); RETURN NULL; END $$;
		CREATE TRIGGER note AFTER INSERT ON catalogue.viewed FOR EACH STATEMENT EXECUTE FUNCTION public.note()`)
	require.NoError(t, err)
	gateway := copyOf(t, pool, caching, http.HandlerFunc(showsProduct))
	began := time.Now()
	for range 1100 {
		call(t, "GET", gateway+"/v1/products/"+uuid.NewString(), "")
	}
	took := time.Since(began)
	var writes, products int64
	require.Eventually(t, func() bool {
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*), (SELECT last_value FROM public.writes) FROM catalogue.viewed`).Scan(&products, &writes))
		return products >= 1000
	}, 10*time.Second, 20*time.Millisecond)
	require.LessOrEqual(t, writes, int64(took/(2*time.Second))+1)
	if took < 2*time.Second { // all came before the first was written
		require.EqualValues(t, 1000, products)
	}
}

// A view counts twice as much as one of the day before.
func TestViewsLoseHalfTheirWeightPerDay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before float64 // days ago
		views  int     // then
		hotter bool    // than three views now
	}{
		"four of yesterday are two":              {1, 4, false},
		"eight of yesterday are four":            {1, 8, true},
		"a thousand of a fortnight ago are none": {14, 1000, false},
		"many of long ago do not overflow":       {10_000, 1_000_000, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := shoptest.Open(t, functions.All)
			tee, beanie := productOf(t, shop, shoptest.Tee), productOf(t, shop, shoptest.Cap)
			shop.Exec(t, `INSERT INTO catalogue.viewed SELECT $1, extract(epoch FROM now()) / 86400 - $2::float8 + log(2, $3::numeric)`, tee, c.before, c.views)
			gateway, _ := gatewayOf(t, shop, caching)
			for range 3 {
				call(t, "GET", gateway+"/v1/products/"+beanie, "")
			}
			requireViewed(t, shop, 2)
			hottest := shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.viewed ORDER BY heat DESC LIMIT 1`)
			require.Equal(t, c.hotter, hottest == tee)

			call(t, "GET", gateway+"/v1/products/"+tee, "") // one more adds one more, whatever there was
			require.Eventually(t, func() bool {
				views := shoptest.Scalar[float64](t, shop, `SELECT power(2, greatest(heat - extract(epoch FROM now())::float8 / 86400, -60)) FROM catalogue.viewed WHERE product_id = $1`, tee)
				return math.Abs(views-1-float64(c.views)*math.Pow(2, -c.before)) < 0.01
			}, 10*time.Second, 20*time.Millisecond)
		})
	}
}
