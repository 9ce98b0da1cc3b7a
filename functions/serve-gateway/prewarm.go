package servegateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	productPage = "/v1/products/{id}"

	prewarmLimit       = 100         // pages to load
	prewarmConcurrency = 10          // pages that are loaded concurrently
	prewarmTTL         = time.Hour   // how long they stay cached unless they change
	prewarmTimeout     = time.Minute // for all of them: functions may have to start first
	prewarmAttempts    = 10          // attempts to read the database, which may start after the gateway
	prewarmRetryDelay  = time.Second
)

// prewarm starts to load the pages of the most viewed products into the cache and returns at once. It bypasses the
// circuit breaker: a function that has not started yet has not failed.
func (c *cache) prewarm(n int, pages http.Handler) {
	if c == nil || n <= 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), prewarmTimeout)
		defer cancel()
		products := c.mostViewed(ctx, n)
		for some := range slices.Chunk(products, prewarmConcurrency) {
			var loading sync.WaitGroup
			for _, product := range some {
				loading.Go(func() { c.prewarmPage(ctx, product, pages) })
			}
			loading.Wait()
		}
	}()
}

func (c *cache) mostViewed(ctx context.Context, n int) []string {
	for try := 1; ; try++ {
		products, err := c.popularity.mostViewed(ctx, n)
		if err == nil {
			return products
		}
		if try == prewarmAttempts {
			c.log.Warn("cache warm-up failed", "function", name, "error", err)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(prewarmRetryDelay):
		}
	}
}

// prewarmPage loads a page as a visitor's request would; events invalidate it in the same way.
func (c *cache) prewarmPage(ctx context.Context, product string, pages http.Handler) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("panic", "function", name, "product", product, "panic", p)
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Replace(productPage, "{id}", product, 1), nil)
	if err != nil {
		return // does not happen: an id is a valid path segment
	}
	setRequestID(r)
	c.feed.refresh(ctx)
	c.load(ctx, r.Header, keyOf(r), prewarmTTL, pages) // if it fails, the first visitor's request loads the page
}
