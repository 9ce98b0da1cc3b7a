package servegateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	kept   *otter.Cache[string, *answer]
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
	c := &cache{viewed: viewed{pool}, log: log, kept: otter.Must(&otter.Options[string, *answer]{
		MaximumWeight: uint64(atLeast) * uint64(settings.CacheEntries),
		Weigher:       func(key string, a *answer) uint32 { return uint32(max(atLeast, int64(len(key)+a.size()))) },
		ExpiryCalculator: otter.ExpiryCreatingFunc(func(e otter.Entry[string, *answer]) time.Duration {
			return time.Until(e.Value.ends)
		}),
	})}
	c.feed = &feed{read: readSaid(pool), drop: c.drop}
	c.views = &views{add: c.viewed.add, log: log}
	c.hits = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "popup_cache_hits_total", Help: "Reads that were answered with what is kept."}, []string{"route"})
	c.misses = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "popup_cache_misses_total", Help: "Reads that were not, though they might have been."}, []string{"route"})
	return c
}

// meter lets the cache be counted.
func (c *cache) meter(registry prometheus.Registerer) {
	if c == nil {
		return
	}
	registry.MustRegister(c.hits, c.misses,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "popup_cache_entries", Help: "Answers that are kept."}, func() float64 {
			c.kept.CleanUp() // what goes out is on its way a little longer
			return float64(c.kept.EstimatedSize())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "popup_cache_bytes", Help: "About how much they take."}, func() float64 { return float64(c.kept.WeightedSize()) }))
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

// before puts the cache before a function: answers of routes that declare it are kept.
func (c *cache) before(route function.Route, to http.Handler) http.Handler {
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

// behind makes the call after a change look at what it changed.
func (c *cache) behind(change http.Handler) http.Handler {
	if c == nil {
		return change
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer c.feed.again()
		change.ServeHTTP(w, r)
	})
}

// serve answers, and says with what and whether that was kept. What is for one caller only is not told.
func (c *cache) serve(w http.ResponseWriter, r *http.Request, keep time.Duration, to http.Handler) (a *answer, hit bool) {
	current, key := c.feed.current(r.Context()), keyOf(r)
	if a, is := c.kept.GetIfPresent(key); is {
		if current || time.Since(a.made) < staleFrom {
			a.write(w, r, "hit")
			return a, true
		}
		c.kept.Invalidate(key)
	}
	a, err := c.load(r, key, keep, to)
	if err != nil { // another's call asked, and what it got is not for others
		to.ServeHTTP(w, r)
		return nil, false
	}
	a.write(w, r, "fwd=miss")
	return a, false
}

// errNotKept says that an answer is for one caller only.
var errNotKept = errors.New("an answer that is not kept")

// load asks the function, unless somebody does already: then it waits for that answer. The caller whose call went through
// gets whatever came of it.
func (c *cache) load(r *http.Request, key string, keep time.Duration, to http.Handler) (*answer, error) {
	var own *answer
	turn := c.feed.turns.Load()
	a, err := c.kept.Get(context.WithoutCancel(r.Context()), key, otter.LoaderFunc[string, *answer](func(ctx context.Context, _ string) (*answer, error) {
		own = ask(r.WithContext(ctx), keep, to)
		if len(own.shows) == 0 {
			return nil, errNotKept
		}
		return own, nil
	}))
	if own != nil {
		if turn == 0 || c.feed.turns.Load() != turn { // it may show what was before
			c.kept.Invalidate(key)
		}
		return own, nil
	}
	return a, err
}

// ask calls the function and takes its answer in.
func ask(r *http.Request, keep time.Duration, to http.Handler) *answer {
	got := &taken{answer: answer{header: http.Header{}}}
	asked := r.Clone(r.Context())
	asked.Header.Del("If-None-Match") // we want the content
	to.ServeHTTP(got, asked)
	a := &got.answer
	a.status, a.body, a.made = cmp.Or(a.status, http.StatusOK), got.buffer.Bytes(), time.Now()
	a.ends = a.made.Add(keep)
	if a.status == http.StatusOK && a.header.Get("Set-Cookie") == "" {
		a.shows = strings.Fields(a.header.Get(web.ShownHeader))
	}
	a.header.Del(web.ShownHeader)
	return a
}

// keyOf tells calls apart that may have different answers: by path, query and form.
func keyOf(r *http.Request) string {
	query, form := r.URL.RawQuery, ""
	if strings.Contains(query, "&") {
		query = r.URL.Query().Encode() // the order of parameters means nothing
	}
	if strings.Contains(r.Header.Get("Accept"), "csv") {
		form = "csv"
	}
	return r.URL.Path + "?" + query + "#" + form
}

// write sends an answer, or only that it is the one which the caller has. How it came about is told as in RFC 9211.
func (a *answer) write(w http.ResponseWriter, r *http.Request, how string) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if len(a.shows) > 0 {
		h.Set("Cache-Status", fmt.Sprintf("popup; %s; ttl=%d", how, int(time.Until(a.ends).Round(time.Second)/time.Second)))
		h.Set("Cache-Control", "public, no-cache") // others may keep it too, and ask us each time whether it is still so
	}
	if tag := h.Get("ETag"); tag != "" && a.status == http.StatusOK && web.Matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller may have left
}

// taken takes in what a function writes.
type taken struct {
	answer
	buffer bytes.Buffer
}

func (t *taken) Header() http.Header { return t.header }

func (t *taken) Write(b []byte) (int, error) { return t.buffer.Write(b) }

func (t *taken) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
}
