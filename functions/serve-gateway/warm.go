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

	prewarmLimit = 100         // pages
	warmAtOnce   = 10          // of them
	warmFor      = time.Hour   // unless they change
	warmIn       = time.Minute // or not at all; functions have to wake first
	warmTries    = 10          // at the database, which may start later than we do
	warmAgain    = time.Second
)

// prewarm begins to load the pages of the products that were viewed most, so that whoever comes first finds them there. Nobody
// waits for it. It goes around the breaker: what does not answer yet is no fault of a function's.
func (c *cache) prewarm(n int, pages http.Handler) {
	if c == nil || n <= 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), warmIn)
		defer cancel()
		products := c.mostViewed(ctx, n)
		for some := range slices.Chunk(products, warmAtOnce) {
			var loading sync.WaitGroup
			for _, product := range some {
				loading.Go(func() { c.warmPage(ctx, product, pages) })
			}
			loading.Wait()
		}
	}()
}

func (c *cache) mostViewed(ctx context.Context, n int) []string {
	for try := 1; ; try++ {
		products, err := c.viewed.most(ctx, n)
		if err == nil {
			return products
		}
		if try == warmTries {
			c.log.Warn("nothing is loaded in advance", "function", name, "error", err)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(warmAgain):
		}
	}
}

// warmPage loads a page as a visitor's call would, and it is dropped like one.
func (c *cache) warmPage(ctx context.Context, product string, pages http.Handler) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("panic", "function", name, "product", product, "panic", p)
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Replace(productPage, "{id}", product, 1), nil)
	if err != nil {
		return // an id makes a path
	}
	setRequestID(r)
	c.feed.current(ctx)
	c.load(ctx, r.Header, keyOf(r), warmFor, pages) // what is not cached is asked for when a visitor comes
}
