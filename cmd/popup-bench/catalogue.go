package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/seed"
)

type benchCatalogue struct {
	Products []int  `default:"1000,100000,1000000" help:"How many products, one shop each."`
	Seconds  int    `default:"5" help:"How long each load lasts."`
	Parallel int    `default:"4" help:"How many callers at once."`
	Write    string `help:"Write the result to this file too." type:"path"`
}

// Run measures and prints.
func (c *benchCatalogue) Run(ctx context.Context) error {
	var w strings.Builder
	fmt.Fprintf(&w, benchCatalogueHead, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), c.Parallel, asCold())
	for _, products := range c.Products {
		if err := c.measure(ctx, &w, products); err != nil {
			return err
		}
	}
	return report(w.String(), c.Write)
}

const benchCatalogueHead = `## The catalogue

Measured by ` + "`popup bench catalogue`" + ` on %s: %d cores, %s/%s, %s, through the gateway. Alone means one caller;
asked, %d callers on the same machine, who keep both cores busy; of both, the gateway keeps no answers, and what is measured begins once the same
load has been there for as long. Kept means that it does keep them, for a hundred different calls; cold, the first hundred calls of a shop and a
Postgres that have just started, asked of %s. Which page, product and word is asked for is random.

| products | what | alone: p50 | p99 | asked: req/s | p50 | p99 | kept: req/s | p50 | p99 | cold: req/s | p50 | p99 | failed |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

// Settings of a shop whose gateway keeps no answers, and of one whose does.
var (
	keepsNone = []string{"RATE_LIMIT=0", "CACHE_ENTRIES=0"}
	keepsAll  = []string{"RATE_LIMIT=0", "CACHE_ENTRIES=10000"}
)

// measure lets callers read a catalogue of so many products.
func (c *benchCatalogue) measure(ctx context.Context, w *strings.Builder, products int) error {
	b, err := openBench(ctx, nil, keepsNone...)
	if err != nil {
		return err
	}
	defer b.close()
	if err := seed.Catalogue(ctx, b.pool, products); err != nil {
		return err
	}
	// what the seed left to be written is not measured
	if _, err := b.pool.Exec(ctx, `SET LOCAL statement_timeout = 0; CHECKPOINT`,
		pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	reads, err := c.reads(ctx, b)
	if err != nil {
		return err
	}
	alone := c.each(ctx, b, reads, 1, math.MaxInt)
	asked := c.each(ctx, b, reads, c.Parallel, math.MaxInt)
	if err := b.restart(ctx, keepsAll...); err != nil {
		return err
	}
	kept := c.each(ctx, b, reads, c.Parallel, 100)
	for i, r := range reads {
		cold, err := c.cold(ctx, b, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %d | %s | %.2f ms | %.2f ms |", products, r.what, ms(alone[i].at(50)), ms(alone[i].at(99)))
		for _, l := range []looped{asked[i], kept[i], cold} {
			fmt.Fprintf(w, " %.0f | %.2f ms | %.2f ms |", l.rate(), ms(l.at(50)), ms(l.at(99)))
		}
		fmt.Fprintf(w, " %d |\n", alone[i].failed+asked[i].failed+kept[i].failed+cold.failed)
	}
	return nil
}

// each makes each kind of call for a while, so many different ones of it, and measures the second half.
func (c *benchCatalogue) each(ctx context.Context, b *bench, reads []reading, parallel, different int) (all []looped) {
	client := connections(parallel)
	for _, r := range reads {
		half := func(seed uint64) looped {
			return loop(ctx, parallel, time.Duration(c.Seconds)*time.Second, func(n int) error {
				return get(ctx, client, b.url+r.path(rand.New(rand.NewPCG(seed, uint64(n%different)))))
			})
		}
		half(2)
		all = append(all, half(3))
	}
	return all
}

// cold makes the first hundred calls of a shop that has just started.
func (c *benchCatalogue) cold(ctx context.Context, b *bench, r reading) (looped, error) {
	if err := b.restart(ctx, keepsNone...); err != nil {
		return looped{}, err
	}
	_ = dropPages() // the head reports whether it can be done
	client := connections(c.Parallel)
	return loopUpTo(ctx, 100, c.Parallel, time.Minute, func(n int) error {
		return get(ctx, client, b.url+r.path(rand.New(rand.NewPCG(5, uint64(n)))))
	}), nil
}

// dropPages makes Linux forget the files that it has in memory, so that what is read next comes from the disk. It takes
// root.
func dropPages() error {
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("1"), 0)
}

// asCold describes the state of a cold start.
func asCold() string {
	if dropPages() != nil {
		return "files that Linux may still have in memory (restarted only)"
	}
	return "files that are on the disk alone"
}

// reading is one kind of call.
type reading struct {
	what string
	path func(r *rand.Rand) string
}

// thing is what a call can be about, and how many products it leads to.
type thing struct {
	Name     string
	Products int64
}

// things are what people look for.
var things = map[string]string{
	"shop":    `SELECT '', sum(products)::bigint FROM catalogue.counts WHERE tag = '' AND category_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
	"product": `SELECT product_id::text, 1 FROM catalogue.products TABLESAMPLE SYSTEM (10) LIMIT 10000`,
	"category": `
		SELECT t.category_id::text, coalesce(sum(c.products), 0)::bigint
		FROM catalogue.categories t
		LEFT JOIN catalogue.counts c ON c.tag = '' AND c.category_id = ANY (catalogue.below(t.category_id))
		GROUP BY 1 ORDER BY 1`,
	"store": `
		SELECT store_id::text, sum(products)::bigint FROM catalogue.counts
		WHERE tag = '' AND category_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' GROUP BY 1 ORDER BY 1`,
	"tag": `
		SELECT tag, sum(products)::bigint FROM catalogue.counts
		WHERE tag <> '' AND category_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' GROUP BY 1 ORDER BY 1`,
	"word": `SELECT word, products FROM catalogue.dictionary WHERE products > 0 ORDER BY word`,
}

// reads are the calls of people who look around: the first ten pages of those that there are, any product, what is in
// the catalogue by its words.
func (c *benchCatalogue) reads(ctx context.Context, b *bench) ([]reading, error) {
	known := map[string][]thing{}
	for what, sql := range things {
		rows, err := b.pool.Query(ctx, sql)
		if err != nil {
			return nil, err
		}
		if known[what], err = pgx.CollectRows(rows, pgx.RowToStructByPos[thing]); err != nil {
			return nil, err
		}
	}
	one := func(r *rand.Rand, what string) thing { return known[what][r.IntN(len(known[what]))] }
	word := func(r *rand.Rand) string { return one(r, "word").Name }
	list := func(r *rand.Rand, what, filter string) string {
		t := one(r, what)
		page := 1 + r.Int64N(min(max((t.Products+19)/20, 1), 10))
		return fmt.Sprintf("/v1/products?page=%d&sort=%s%s%s", page,
			[]string{"newest", "name", "price_asc", "price_desc"}[r.IntN(4)], filter, url.QueryEscape(t.Name))
	}
	return []reading{
		{"list", func(r *rand.Rand) string { return list(r, "shop", "") }},
		{"list of a category", func(r *rand.Rand) string { return list(r, "category", "&category_id=") }},
		{"list of a store", func(r *rand.Rand) string { return list(r, "store", "&store_id=") }},
		{"list of a tag", func(r *rand.Rand) string { return list(r, "tag", "&tag=") }},
		{"list in stock, by price", func(r *rand.Rand) string { return list(r, "shop", "&in_stock_only=true&max_price=5000") }},
		{"detail", func(r *rand.Rand) string { return "/v1/products/" + one(r, "product").Name }},
		{"search, one word, with facets", func(r *rand.Rand) string { return "/v1/products/search?q=" + word(r) }},
		{"search, two words, with facets", func(r *rand.Rand) string { return "/v1/products/search?q=" + word(r) + "+" + word(r) }},
		{"search, with a slip", func(r *rand.Rand) string { return "/v1/products/search?q=" + slip(r, word(r)) }},
		{"suggestions", func(r *rand.Rand) string {
			word := word(r)
			return "/v1/products/suggestions?q=" + word[:1+r.IntN(len(word))]
		}},
	}, nil
}

// slip swaps two neighbours of a word.
func slip(r *rand.Rand, word string) string {
	i := r.IntN(len(word) - 1)
	return word[:i] + word[i+1:i+2] + word[i:i+1] + word[i+2:]
}
