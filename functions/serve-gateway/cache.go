package servegateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

// cache holds responses that are the same for every caller, until they expire or an event invalidates them. The number
// of entries and their total size are limited. Concurrent requests for the same missing entry cause one request to the
// function.
//
// A function declares in the header Surrogate-Key what a response shows: GET /v1/products/P returns "product:P", for
// example. When the feed reads the event product.changed of P, all responses with that key are dropped. So a cached
// response is at most a second out of date, and the gateway that forwards a change sees it at the next request.
type cache struct {
	responses   *otter.Cache[cacheKey, *cachedResponse]
	feed        *feed
	popularity  popularity
	viewCounter *viewCounter
	log         *slog.Logger
	hits        *prometheus.CounterVec
	misses      *prometheus.CounterVec
}

// cachedResponse is a response of a function.
type cachedResponse struct {
	status        int
	header        http.Header
	body          []byte
	surrogateKeys []string
	createdAt     time.Time
	expiresAt     time.Time
}

func newCache(settings config.Gateway, pool *pgxpool.Pool, log *slog.Logger) *cache {
	if settings.CacheEntries <= 0 || pool == nil {
		return nil
	}
	atLeast := settings.CacheBytes / int64(settings.CacheEntries) // the least weight of an entry; it limits their number
	c := &cache{popularity: popularity{pool}, log: log, responses: otter.Must(&otter.Options[cacheKey, *cachedResponse]{
		MaximumWeight: uint64(atLeast) * uint64(settings.CacheEntries),
		Weigher:       func(key cacheKey, a *cachedResponse) uint32 { return uint32(max(atLeast, int64(key.size()+a.size()))) },
		ExpiryCalculator: otter.ExpiryCreatingFunc(func(e otter.Entry[cacheKey, *cachedResponse]) time.Duration {
			return time.Until(e.Value.expiresAt)
		}),
		Clock: clock{},
	})}
	c.feed = &feed{read: feedReader(pool), drop: c.drop}
	c.viewCounter = &viewCounter{add: c.popularity.add, log: log}
	c.hits = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popup_cache_hits_total", Help: "Requests that were answered from the cache.",
	}, []string{"route"})
	c.misses = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "popup_cache_misses_total", Help: "Requests for a cacheable response that was not in the cache.",
	}, []string{"route"})
	return c
}

// cleanUpEvery is how often the cache removes entries that have expired and that no request has removed.
const cleanUpEvery = 30 * time.Second

// clock is the system's clock with rarer ticks than the one per second that otter asks for, so that an idle gateway
// stays idle.
type clock struct{}

// NowNano implements [otter.Clock].
func (clock) NowNano() int64 { return time.Now().UnixNano() }

// Tick implements [otter.Clock].
func (clock) Tick(time.Duration) <-chan time.Time { return time.Tick(cleanUpEvery) }

// register adds the metrics of the cache to a registry.
func (c *cache) register(registry prometheus.Registerer) {
	if c == nil {
		return
	}
	entries := prometheus.GaugeOpts{Name: "popup_cache_entries", Help: "Responses in the cache."}
	size := prometheus.GaugeOpts{Name: "popup_cache_bytes", Help: "Approximate size of the responses in the cache."}
	registry.MustRegister(c.hits, c.misses,
		prometheus.NewGaugeFunc(size, func() float64 { return float64(c.responses.WeightedSize()) }),
		prometheus.NewGaugeFunc(entries, func() float64 {
			c.responses.CleanUp() // entries are evicted with a delay
			return float64(c.responses.EstimatedSize())
		}))
}

// size returns the approximate size of a response in memory, in bytes.
func (a *cachedResponse) size() int {
	n := len(a.body) + 512 // headers
	for _, name := range a.surrogateKeys {
		n += len(name) + 16
	}
	return n
}

// drop removes the responses that have one of the surrogate keys.
func (c *cache) drop(names map[string]bool) {
	for key, a := range c.responses.All() {
		if a.showsAny(names) {
			c.responses.Invalidate(key)
		}
	}
}

func (a *cachedResponse) showsAny(names map[string]bool) bool {
	for _, name := range a.surrogateKeys {
		if names[name] {
			return true
		}
	}
	return false
}

// withCache returns the handler of a route with the cache in front of it, if the route declares that its responses may
// be cached.
func (c *cache) withCache(route function.Route, to http.Handler) http.Handler {
	if c == nil || route.CacheFor == 0 {
		return to
	}
	ttl := time.Duration(route.CacheFor) * time.Second
	hits, misses := c.hits.WithLabelValues(route.Path), c.misses.WithLabelValues(route.Path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, hit := c.serve(w, r, ttl, to)
		if hit {
			hits.Inc()
		} else {
			misses.Inc()
		}
		if productID, ok := a.product(); ok && route.Path == productPage {
			c.viewCounter.count(productID)
		}
	})
}

// withInvalidation makes the next request read the feed, so that it sees what the change has invalidated.
func (c *cache) withInvalidation(change http.Handler) http.Handler {
	if c == nil {
		return change
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer c.feed.expire()
		change.ServeHTTP(w, r)
	})
}

// serve responds from the cache, or with a new response of the function. It returns the response if it may be cached,
// and reports whether it was in the cache.
func (c *cache) serve(w http.ResponseWriter, r *http.Request, ttl time.Duration, to http.Handler) (a *cachedResponse, hit bool) {
	current, key := c.feed.refresh(r.Context()), keyOf(r)
	if a, ok := c.responses.GetIfPresent(key); ok {
		if current || time.Since(a.createdAt) < staleAfter {
			a.write(w, r, "hit")
			return a, true
		}
		c.responses.Invalidate(key)
	}
	a = c.load(r.Context(), r.Header, key, ttl, to)
	if a == nil || len(a.surrogateKeys) == 0 && a.status < http.StatusInternalServerError && !anonymous(r) {
		to.ServeHTTP(w, r)
		return nil, false
	}
	a.write(w, r, "fwd=miss")
	return a, false
}

// errNotCacheable reports a response that may not be cached.
var errNotCacheable = errors.New("a response that is not cached")

// load calls the function with the request that the key describes, or waits for the response to a call for the same key
// that is in progress. It returns nil if that response may not be cached; the caller that made the call gets the
// response in any case.
func (c *cache) load(ctx context.Context, header http.Header, key cacheKey, ttl time.Duration, to http.Handler) *cachedResponse {
	var fetched *cachedResponse
	generation := c.feed.generation.Load()
	ctx = context.WithoutCancel(ctx)
	loader := func(ctx context.Context, _ cacheKey) (*cachedResponse, error) {
		fetched = fetch(key.request(ctx, header), ttl, to)
		if len(fetched.surrogateKeys) == 0 {
			return nil, errNotCacheable
		}
		return fetched, nil
	}
	a, err := c.responses.Get(ctx, key, otter.LoaderFunc[cacheKey, *cachedResponse](loader))
	if fetched != nil {
		if generation == 0 || c.feed.generation.Load() != generation { // it may show the state before the change
			c.responses.Invalidate(key)
		}
		return fetched
	}
	if err != nil {
		return nil
	}
	return a
}

// fetch calls the function and returns its response, or a problem if the response breaks off.
func fetch(r *http.Request, ttl time.Duration, to http.Handler) *cachedResponse {
	a, whole := record(r, to)
	if !whole {
		a, _ = record(r, respondUnreachable())
	}
	a.createdAt = time.Now()
	a.expiresAt = a.createdAt.Add(ttl)
	if a.status == http.StatusOK && a.header.Get("Set-Cookie") == "" {
		a.surrogateKeys = strings.Fields(a.header.Get(web.SurrogateKeyHeader))
	}
	a.header.Del(web.SurrogateKeyHeader)
	return a
}

// record returns the response of a handler, and reports whether it is complete: not aborted, and as long as its
// Content-Length.
func record(r *http.Request, to http.Handler) (a *cachedResponse, whole bool) {
	recorder := &responseRecorder{cachedResponse: cachedResponse{header: http.Header{}}}
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			a, whole = nil, false
		}
	}()
	to.ServeHTTP(recorder, r)
	a = &recorder.cachedResponse
	a.status, a.body = cmp.Or(a.status, http.StatusOK), recorder.buffer.Bytes()
	declared := a.header.Get("Content-Length")
	return a, declared == "" || declared == strconv.Itoa(len(a.body))
}

// write sends the response, or 304 if the caller has it already. status is the value of the Cache-Status header (RFC
// 9211).
func (a *cachedResponse) write(w http.ResponseWriter, r *http.Request, status string) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if len(a.surrogateKeys) > 0 {
		h.Set("Cache-Status", fmt.Sprintf("popup; %s; ttl=%d", status, int(time.Until(a.expiresAt).Round(time.Second)/time.Second)))
		h.Set("Cache-Control", "public, no-cache") // other caches may store it and must revalidate it
		h.Add("Vary", "Accept")
	}
	tag := h.Get("ETag")
	if tag != "" && a.status == http.StatusOK && web.ETagMatches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // fails if the caller has disconnected
	}
}

// responseRecorder is a ResponseWriter that holds the response in memory.
type responseRecorder struct {
	cachedResponse
	buffer bytes.Buffer
}

func (r *responseRecorder) Header() http.Header { return r.header }

func (r *responseRecorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.buffer.Write(b)
}

func (r *responseRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // 1xx is informational
		r.status = status
	}
}
