package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/config"
)

type benchOrder struct {
	Seconds    int    `default:"10" help:"How long each load lasts."`
	Rounds     int    `default:"4" help:"How often the load and the reference alternate."`
	Parallel   []int  `default:"1,16,64" help:"How many callers at once."`
	Shipping   string `default:"manual" enum:"manual,auto" help:"manual: orders stop at confirmed; auto: they go on to completed."`
	Orders     int    `help:"Measure again after so many orders were placed."`
	Idle       int    `help:"Measure a shop at rest for so many seconds, too."`
	Statements bool   `help:"List the statements of an order with what they cost. This takes CPU of Postgres."`
	Program    string `help:"The popup that runs the shop, to measure another version." type:"existingfile"`
	Write      string `help:"Write the result to this file too." type:"path"`
}

// load is what came of the rounds of one number of callers.
type load struct {
	existing  int // orders in the shop before
	parallel  int
	rounds    []round
	rollbacks int64
	listed    string // the statements
}

// round is one closed loop, in which each caller places an order and waits until it is confirmed before the next, and the
// reference that follows it.
type round struct {
	looped
	used      usage
	reference reference
}

// Validate rejects what measures nothing.
func (c *benchOrder) Validate() error {
	if c.Rounds < 1 || c.Seconds < 1 {
		return errors.New("--rounds and --seconds must be at least 1")
	}
	return nil
}

// Run measures and prints.
func (c *benchOrder) Run(ctx context.Context) error {
	loads, err := c.loads(ctx)
	if err != nil {
		return err
	}
	text := c.report(loads)
	if c.Idle > 0 {
		rest, err := c.rest(ctx)
		if err != nil {
			return err
		}
		text += rest
	}
	return report(text, c.Write)
}

// loads measures an empty shop and, if asked to, the same shop with many orders.
func (c *benchOrder) loads(ctx context.Context) ([]load, error) {
	b, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer b.close()
	loads, err := c.measureAll(ctx, b, 0)
	if err != nil || c.Orders == 0 {
		return loads, err
	}
	if err := b.grow(ctx, c.Orders); err != nil {
		return nil, err
	}
	grown, err := c.measureAll(ctx, b, c.Orders)
	return append(loads, grown...), err
}

// open starts a shop with products that cannot run out.
func (c *benchOrder) open(ctx context.Context) (*bench, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of tokens: %w", err)
	}
	secret, _ := config.KeySettings(key)
	var flags []string
	if c.Statements {
		flags = statementFlags
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b, err := openVersion(ctx, cmp.Or(c.Program, self), flags, "SIMULATED_SUCCESS=1", "RATE_LIMIT=0", "SHIPPING="+c.Shipping, "TOKEN_KEYS="+secret)
	if err != nil {
		return nil, err
	}
	b.key = key
	if err := stockUp(ctx, b.pool, benchSKUs); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (c *benchOrder) measureAll(ctx context.Context, b *bench, existing int) (loads []load, err error) {
	for _, parallel := range c.Parallel {
		l, err := c.measure(ctx, b, parallel)
		if err != nil {
			return nil, err
		}
		l.existing = existing
		loads = append(loads, l)
	}
	return loads, nil
}

// measure alternates the load and the reference.
func (c *benchOrder) measure(ctx context.Context, b *bench, parallel int) (l load, err error) {
	l.parallel = parallel
	lasts := time.Duration(c.Seconds) * time.Second
	before, err := b.rollbacks(ctx)
	if err != nil {
		return l, err
	}
	for range c.Rounds {
		if c.Statements {
			if err := b.resetStatements(ctx); err != nil {
				return l, err
			}
		}
		r, err := b.order(ctx, parallel, lasts)
		if err != nil {
			return l, err
		}
		if c.Statements {
			if l.listed, err = b.listStatements(ctx, len(r.times)); err != nil {
				return l, err
			}
		}
		if r.reference, err = b.reference(ctx, lasts); err != nil {
			return l, err
		}
		l.rounds = append(l.rounds, r)
	}
	after, err := b.rollbacks(ctx)
	l.rollbacks = after - before
	return l, err
}

// order runs the closed loop.
func (b *bench) order(ctx context.Context, parallel int, lasts time.Duration) (r round, err error) {
	shop := client.New(b.url, client.Patience(0), client.HTTP(connections(parallel)))
	before, err := b.usage(ctx)
	if err != nil {
		return r, err
	}
	r.looped = loop(ctx, parallel, lasts, func(n int) error { return buy(ctx, shop, n%benchSKUs+1) })
	if err := b.awaitQuiet(ctx); err != nil {
		return r, err
	}
	after, err := b.usage(ctx)
	r.used = after.minus(before)
	return r, err
}

// grow places so many orders.
func (b *bench) grow(ctx context.Context, orders int) error {
	const callers = 64
	shop := client.New(b.url, client.Patience(0), client.HTTP(connections(callers)))
	done := loopUpTo(ctx, orders, callers, math.MaxInt64, func(n int) error { return buy(ctx, shop, n%benchSKUs+1) })
	if done.failed > 0 {
		return fmt.Errorf("%d of %d orders failed", done.failed, orders)
	}
	return b.awaitQuiet(ctx)
}

// benchSKUs is over how many SKUs the orders are spread.
const benchSKUs = 100

// stockUp makes products that cannot run out.
func stockUp(ctx context.Context, pool *pgxpool.Pool, skus int) error {
	_, err := pool.Exec(ctx, `
		WITH numbers AS (
			SELECT n, ('02000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(1, $1) AS n
		), products AS (
			INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
			SELECT id, '01900000-0000-7000-8000-000000000011', 'BENCH-' || n, 'Bench ' || n, 1000, 'EUR' FROM numbers
		)
		INSERT INTO stock.levels (level_id, sku, warehouse_id)
		SELECT id, 'BENCH-' || n, '01900000-0000-7000-8000-000000000001' FROM numbers`, skus)
	if err != nil {
		return fmt.Errorf("stock up: %w", err)
	}
	_, err = pool.Exec(ctx, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', 1000000000, 'bench' FROM stock.levels WHERE sku LIKE 'BENCH-%'`)
	if err != nil {
		return fmt.Errorf("stock up: %w", err)
	}
	return nil
}

// buy places one order and waits until it is confirmed.
func buy(ctx context.Context, shop *client.Client, sku int) error {
	order, err := shop.PlaceOrder(ctx, client.PlaceOrderRequest{
		Lines: []client.Item{{SKU: fmt.Sprintf("BENCH-%d", sku), Quantity: 1}}, PaymentMethod: "simulated",
		Address: &client.Address{
			Name: "B", Phone: "+49 40 1234567", Country: "DE", PostalCode: "20457", City: "Hamburg", AddressLine1: "Kai 1",
		},
		Contact: &client.Contact{Name: "B", Email: "bench@example.com", Phone: "+49 40 1234567"},
	}, client.Wait(10*time.Second))
	if err == nil && order.Status != "confirmed" && order.Status != "completed" && order.Payment != "paid" {
		err = fmt.Errorf("order %s is %s", order.ID, order.Status)
	}
	return err
}

// orders returns how many orders were confirmed, and how many were not.
func (l load) orders() (confirmed, failed int) {
	for _, r := range l.rounds {
		confirmed += len(r.times)
		failed += r.failed
	}
	return confirmed, failed
}

// perOrder returns what an order used, in all rounds.
func (l load) perOrder() usage {
	var all usage
	for _, r := range l.rounds {
		all = all.plus(r.used)
	}
	confirmed, _ := l.orders()
	return all.per(max(confirmed, 1))
}

// all returns the calls of all rounds as of one loop.
func (l load) all() (all looped) {
	for _, r := range l.rounds {
		all.times = append(all.times, r.times...)
		all.took += r.took
	}
	slices.Sort(all.times)
	return all
}

// median returns the median of a figure of each round, and the smallest and the largest.
func (l load) median(of func(round) float64) (middle, least, most float64) {
	figures := make([]float64, len(l.rounds))
	for i, r := range l.rounds {
		figures[i] = of(r)
	}
	slices.Sort(figures)
	n := len(figures)
	return (figures[(n-1)/2] + figures[n/2]) / 2, figures[0], figures[n-1]
}

// costRatio returns the CPU of shop and Postgres for an order, as a multiple of Postgres' CPU for an order of the reference.
func (r round) costRatio() float64 {
	return (r.used.per(len(r.times))[shopCPU] + r.used.per(len(r.times)).database()) / r.reference.cpu
}

// rateRatio returns the orders confirmed in a second, as a fraction of those of the reference.
func (r round) rateRatio() float64 { return r.rate() / r.reference.rate }
