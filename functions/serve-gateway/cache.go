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

// cache keeps answers that are the same for everybody, until their time is over or the shop says something that makes them
// look different. It is bounded in number and bytes, and one call of many asks for what is not there.
type cache struct {
	kept   *otter.Cache[cacheKey, *answer]
	feed   *feed
	viewed viewed
	views  *views
	log    *slog.Logger
	hits   *prometheus.CounterVec
	misses *prometheus.CounterVec
}

// answer is what a function answered.
type answer struct {
	status int
	header http.Header
	body   []byte
	shows  []string
	made   time.Time
	ends   time.Time
}

func newCache(settings config.Gateway, pool *pgxpool.Pool, log *slog.Logger) *cache {
	if settings.CacheEntries <= 0 || pool == nil {
		return nil
	}
	atLeast := settings.CacheBytes / int64(settings.CacheEntries) // each weighs so much, so there are never more than may be
	c := &cache{viewed: viewed{pool}, log: log, kept: otter.Must(&otter.Options[cacheKey, *answer]{
		MaximumWeight: uint64(atLeast) * uint64(settings.CacheEntries),
		Weigher:       func(key cacheKey, a *answer) uint32 { return uint32(max(atLeast, int64(key.size()+a.size()))) },
		ExpiryCalculator: otter.ExpiryCreatingFunc(func(e otter.Entry[cacheKey, *answer]) time.Duration {
			return time.Until(e.Value.ends)
		}),
		Clock: clock{},
	})}
	c.feed = &feed{read: readSaid(pool), drop: c.drop}
	c.views = &views{add: c.viewed.add, log: log}
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

// clock is the system's clock, with ticks that leave an idle gateway alone: otter asks for one each second.
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
	registry.MustRegister(c.hits, c.misses, prometheus.NewGaugeFunc(size, func() float64 { return float64(c.kept.WeightedSize()) }),
		prometheus.NewGaugeFunc(entries, func() float64 {
			c.kept.CleanUp() // entries are evicted with a delay
			return float64(c.kept.EstimatedSize())
		}))
}

// size is about how many bytes an answer takes.
func (a *answer) size() int {
	n := len(a.body) + 512 // headers
	for _, name := range a.shows {
		n += len(name) + 16
	}
	return n
}

// drop forgets what shows any of these names.
func (c *cache) drop(names map[string]bool) {
	for key, a := range c.kept.All() {
		if a.showsAny(names) {
			c.kept.Invalidate(key)
		}
	}
}

func (a *answer) showsAny(names map[string]bool) bool {
	for _, name := range a.shows {
		if names[name] {
			return true
		}
	}
	return false
}

// withCache puts the cache before a function: answers of routes that declare it are kept.
func (c *cache) withCache(route function.Route, to http.Handler) http.Handler {
	if c == nil || route.CacheFor == 0 {
		return to
	}
	keep := time.Duration(route.CacheFor) * time.Second
	hits, misses := c.hits.WithLabelValues(route.Path), c.misses.WithLabelValues(route.Path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, hit := c.serve(w, r, keep, to)
		if hit {
			hits.Inc()
		} else {
			misses.Inc()
		}
		if route.Path == productPage && a != nil && len(a.shows) > 0 { // there is such a product
			c.views.note(r.PathValue("id"))
		}
	})
}

// withInvalidation makes the call after a change look at what it changed.
func (c *cache) withInvalidation(change http.Handler) http.Handler {
	if c == nil {
		return change
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer c.feed.again()
		change.ServeHTTP(w, r)
	})
}

// serve answers from the cache, or else with a response that the function gives now. It returns the response when it is one
// that may be cached, and reports whether it was in the cache.
func (c *cache) serve(w http.ResponseWriter, r *http.Request, keep time.Duration, to http.Handler) (a *answer, hit bool) {
	current, key := c.feed.current(r.Context()), keyOf(r)
	if a, ok := c.kept.GetIfPresent(key); ok {
		if current || time.Since(a.made) < staleFrom {
			a.write(w, r, "hit")
			return a, true
		}
		c.kept.Invalidate(key)
	}
	a = c.load(r.Context(), r.Header, key, keep, to)
	if a == nil || len(a.shows) == 0 && a.status < http.StatusInternalServerError && !anonymous(r) {
		to.ServeHTTP(w, r)
		return nil, false
	}
	a.write(w, r, "fwd=miss")
	return a, false
}

// errNotKept reports a response that may not be cached.
var errNotKept = errors.New("a response that is not cached")

// load calls the function with what the key holds, unless a call for the same key is under way: then it waits for the
// response of that one. It returns nil when that response may not be cached. The caller whose call went through gets any.
func (c *cache) load(ctx context.Context, header http.Header, key cacheKey, keep time.Duration, to http.Handler) *answer {
	var own *answer
	turn := c.feed.turns.Load()
	ctx = context.WithoutCancel(ctx)
	a, err := c.kept.Get(ctx, key, otter.LoaderFunc[cacheKey, *answer](func(ctx context.Context, _ cacheKey) (*answer, error) {
		own = fetch(key.request(ctx, header), keep, to)
		if len(own.shows) == 0 {
			return nil, errNotKept
		}
		return own, nil
	}))
	if own != nil {
		if turn == 0 || c.feed.turns.Load() != turn { // it may show what was before
			c.kept.Invalidate(key)
		}
		return own
	}
	if err != nil {
		return nil
	}
	return a
}

// fetch calls the function and returns its whole response, or a problem in the place of one that breaks off.
func fetch(r *http.Request, keep time.Duration, to http.Handler) *answer {
	a, whole := record(r, to)
	if !whole {
		a, _ = record(r, unreachableNow())
	}
	a.made = time.Now()
	a.ends = a.made.Add(keep)
	if a.status == http.StatusOK && a.header.Get("Set-Cookie") == "" {
		a.shows = strings.Fields(a.header.Get(web.SurrogateKeyHeader))
	}
	a.header.Del(web.SurrogateKeyHeader)
	return a
}

// record returns what a handler writes, and reports whether that is as long as declared and was not broken off.
func record(r *http.Request, to http.Handler) (a *answer, whole bool) {
	got := &responseRecorder{answer: answer{header: http.Header{}}}
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			a, whole = nil, false
		}
	}()
	to.ServeHTTP(got, r)
	a = &got.answer
	a.status, a.body = cmp.Or(a.status, http.StatusOK), got.buffer.Bytes()
	declared := a.header.Get("Content-Length")
	return a, declared == "" || declared == strconv.Itoa(len(a.body))
}

// write sends the response, or only that the caller has it already. RFC 9211 defines how it reports where it is from.
func (a *answer) write(w http.ResponseWriter, r *http.Request, how string) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if len(a.shows) > 0 {
		h.Set("Cache-Status", fmt.Sprintf("popup; %s; ttl=%d", how, int(time.Until(a.ends).Round(time.Second)/time.Second)))
		h.Set("Cache-Control", "public, no-cache") // others may keep it too, and ask us each time whether it is still so
		h.Set("Vary", "Accept")
	}
	if tag := h.Get("ETag"); tag != "" && a.status == http.StatusOK && web.ETagMatches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the caller may have left
	}
}

// responseRecorder takes in what a function writes.
type responseRecorder struct {
	answer
	buffer bytes.Buffer
}

func (t *responseRecorder) Header() http.Header { return t.header }

func (t *responseRecorder) Write(b []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	return t.buffer.Write(b)
}

func (t *responseRecorder) WriteHeader(status int) {
	if t.status == 0 && status >= http.StatusOK { // what comes before is no response yet
		t.status = status
	}
}
