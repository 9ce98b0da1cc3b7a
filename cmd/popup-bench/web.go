package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/seed"
)

type benchWeb struct {
	Products int    `default:"10000" help:"How many products the shop has."`
	Seconds  int    `default:"3" help:"How long each load lasts, in each of three rounds."`
	Parallel int    `default:"16" help:"How many callers at once."`
	Bin      string `default:"${bin}" help:"Folder of the functions' programs." type:"path"`
	Write    string `help:"Write the result to this file too." type:"path"`
}

// Run measures and prints.
func (c *benchWeb) Run(ctx context.Context) error {
	b, err := openBench(ctx, nil, keepsNone...)
	if err != nil {
		return err
	}
	defer b.close()
	if err := seed.Catalogue(ctx, b.pool, c.Products); err != nil {
		return err
	}
	pages, err := webPages(ctx, b.url)
	if err != nil {
		return err
	}
	var w strings.Builder
	fmt.Fprintf(&w, benchWebHead, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), c.Products, c.Parallel)
	if err := c.measure(ctx, b, &w, "fresh", pages); err != nil {
		return err
	}
	if err := b.restart(ctx, keepsAll...); err != nil {
		return err
	}
	if err := c.measure(ctx, b, &w, "cached", pages); err != nil {
		return err
	}
	healthy, shown, err := c.cold(ctx, b)
	if err != nil {
		return err
	}
	fmt.Fprintf(&w, "\nFrom its start, the program of serve-web takes %.0f ms to its first answer and %.0f ms to its first page.\n", ms(healthy), ms(shown))
	return report(w.String(), c.Write)
}

const benchWebHead = `## Pages

Measured by ` + "`popup-bench web`" + ` on %s: %d cores, %s/%s, %s. A shop with %d products, %d callers on the same machine. A page is
read whole, without its style and pictures; beside it, a caller makes the calls of the API that the page is made from, one after the other. Fresh means that the
gateway keeps no answers, cached that it does. The cost is the CPU time of the shop and of Postgres; the ratio is that of a page to its calls.

| | page | pages/s | p50 | p99 | CPU | its calls | sets/s | p99 | CPU | ratio | failed |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

// webPage is a page, and the calls that it is made from.
type webPage struct {
	name, path string
	calls      []string
}

// webPages returns the pages that are measured.
func webPages(ctx context.Context, base string) ([]webPage, error) {
	shop := client.New(base)
	newest, err := shop.ListProducts(ctx, client.ListProductsQuery{Paging: client.Paging{Limit: 1}})
	if err != nil {
		return nil, err
	}
	tree, err := shop.GetCategories(ctx)
	if err != nil {
		return nil, err
	}
	p, category := newest.Items[0], tree.Items[0]
	list := "/v1/products?limit=24&page=1&sort=newest"
	return []webPage{
		{"first page", "/", []string{"/v1/products?limit=12&sort=newest", "/v1/categories"}},
		{"list", "/products", []string{list, "/v1/categories", "/v1/facets"}},
		{"category", "/c/" + url.PathEscape(category.Slug), []string{
			"/v1/categories/" + url.PathEscape(category.Slug), "/v1/categories", list + "&category_id=" + category.ID, "/v1/categories", "/v1/facets?category_id=" + category.ID,
		}},
		{"product", "/products/" + url.PathEscape(p.Slug), []string{
			"/v1/products/" + url.PathEscape(p.Slug), "/v1/products/" + p.ID + "/variants", "/v1/categories",
			"/v1/products?limit=5&in_stock_only=true&category_id=" + p.CategoryID,
		}},
	}, nil
}

// costed is a loop and what it cost.
type costed struct {
	looped
	cpu time.Duration
}

func (l costed) each() time.Duration { return l.cpu / time.Duration(max(len(l.times), 1)) }

// webRounds is how often page and calls take turns, so that both see the same machine.
const webRounds = 3

func (c *benchWeb) measure(ctx context.Context, b *bench, w *strings.Builder, how string, pages []webPage) error {
	connected := connections(c.Parallel)
	for _, p := range pages {
		var shown, called costed
		turns := []struct {
			of    *costed
			paths []string
		}{{&shown, []string{p.path}}, {&called, p.calls}}
		for _, turn := range turns { // what is asked for the first time is not measured
			if _, err := c.turn(ctx, b, connected, time.Second, turn.paths); err != nil {
				return err
			}
		}
		for range webRounds {
			for _, turn := range turns {
				l, err := c.turn(ctx, b, connected, time.Duration(c.Seconds)*time.Second, turn.paths)
				if err != nil {
					return err
				}
				turn.of.add(l)
			}
		}
		fmt.Fprintf(w, "| %s | %s | %.0f | %.2f ms | %.2f ms | %.2f ms | %d | %.0f | %.2f ms | %.2f ms | %.2f | %d |\n", how, p.name,
			shown.rate(), ms(shown.at(50)), ms(shown.at(99)), ms(shown.each()), len(p.calls), called.rate(), ms(called.at(99)), ms(called.each()),
			shown.each().Seconds()/called.each().Seconds(), shown.failed+called.failed)
	}
	return nil
}

// add adds a round.
func (l *costed) add(other costed) {
	l.times = append(l.times, other.times...)
	slices.Sort(l.times)
	l.failed += other.failed
	l.took += other.took
	l.cpu += other.cpu
}

// turn has callers read all of the paths, one after the other, again and again.
func (c *benchWeb) turn(ctx context.Context, b *bench, connected *http.Client, lasts time.Duration, paths []string) (l costed, err error) {
	shop, database, err := b.cpu()
	if err != nil {
		return l, err
	}
	l.looped = loop(ctx, c.Parallel, lasts, func(int) error {
		for _, path := range paths {
			if err := get(ctx, connected, b.url+path); err != nil {
				return err
			}
		}
		return nil
	})
	if len(l.times) == 0 {
		return l, fmt.Errorf("read %s: %w", paths, l.err)
	}
	shopAfter, databaseAfter, err := b.cpu()
	l.cpu = shopAfter + databaseAfter - shop - database
	return l, err
}

// cold starts the program of serve-web from nothing, and returns how long it takes to its first answer and to its first page.
func (c *benchWeb) cold(ctx context.Context, b *bench) (healthy, shown time.Duration, err error) {
	started, err := startProgram(ctx, c.Bin, "serve-web", "API_URL="+b.url, "PUBLIC_URL="+b.url)
	if err != nil {
		return 0, 0, err
	}
	defer started.stop()
	healthy, err = started.await()
	if err != nil {
		return 0, 0, err
	}
	err = get(ctx, http.DefaultClient, "http://"+started.address+"/")
	return healthy, time.Since(started.began), err
}
