package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
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
	Against    string `help:"The popup of another version, to measure in turn with this one." type:"existingfile"`
	Write      string `help:"Write the result to this file too." type:"path"`
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

// loads measures empty shops and, if asked to, the same shops with many orders.
func (c *benchOrder) loads(ctx context.Context) ([]load, error) {
	shops, err := c.openAll(ctx)
	defer func() {
		for _, b := range shops {
			b.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	loads, err := c.measureAll(ctx, shops, 0)
	if err != nil || c.Orders == 0 {
		return loads, err
	}
	for _, b := range shops {
		if err := b.grow(ctx, c.Orders); err != nil {
			return nil, err
		}
	}
	grown, err := c.measureAll(ctx, shops, c.Orders)
	return append(loads, grown...), err
}

// openAll starts a shop of this version, and of another one if there is one to compare with.
func (c *benchOrder) openAll(ctx context.Context) (shops []*bench, err error) {
	program, err := popupProgram()
	if err != nil {
		return nil, err
	}
	programs := []string{program}
	if c.Against != "" {
		programs = append(programs, c.Against)
	}
	for _, program := range programs {
		b, err := c.open(ctx, program)
		if err != nil {
			return shops, err
		}
		shops = append(shops, b)
	}
	return shops, nil
}

// open starts a shop with products that cannot run out.
func (c *benchOrder) open(ctx context.Context, program string) (*bench, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of tokens: %w", err)
	}
	secret, _ := config.KeySettings(key)
	var flags []string
	if c.Statements {
		flags = statementFlags
	}
	b, err := openVersion(ctx, program, flags, "SIMULATED_SUCCESS=1", "RATE_LIMIT=0", "MAILS_PER_DAY=0", "SHIPPING="+c.Shipping,
		"TOKEN_KEYS="+secret)
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

func (c *benchOrder) measureAll(ctx context.Context, shops []*bench, existing int) (loads []load, err error) {
	for _, parallel := range c.Parallel {
		measured, err := c.measure(ctx, shops, parallel)
		if err != nil {
			return nil, err
		}
		for i := range measured {
			measured[i].existing = existing
		}
		loads = append(loads, measured...)
	}
	return loads, nil
}

// measure alternates the load of each shop and the reference.
func (c *benchOrder) measure(ctx context.Context, shops []*bench, parallel int) ([]load, error) {
	loads := make([]load, len(shops))
	for i, b := range shops {
		loads[i] = load{version: filepath.Base(b.program), parallel: parallel}
	}
	if err := countRollbacks(ctx, shops, loads, -1); err != nil {
		return nil, err
	}
	for n := range c.Rounds {
		for i := range shops {
			at := (n + i) % len(shops) // each is the first in turn
			if err := c.order(ctx, shops[at], &loads[at]); err != nil {
				return nil, err
			}
		}
		bare, err := shops[0].reference(ctx, c.lasts())
		if err != nil {
			return nil, err
		}
		for i := range loads {
			loads[i].rounds[n].reference = bare
		}
	}
	return loads, countRollbacks(ctx, shops, loads, +1)
}

func (c *benchOrder) lasts() time.Duration { return time.Duration(c.Seconds) * time.Second }

// countRollbacks adds how many transactions were rolled back so far, or takes them off.
func countRollbacks(ctx context.Context, shops []*bench, loads []load, sign int64) error {
	if err := pause(ctx, statisticsLate); err != nil {
		return err
	}
	for i, b := range shops {
		n, err := b.rollbacks(ctx)
		if err != nil {
			return err
		}
		loads[i].rollbacks += sign * n
	}
	return nil
}

// order adds a round to the load of a shop.
func (c *benchOrder) order(ctx context.Context, b *bench, l *load) error {
	if c.Statements {
		if err := b.resetStatements(ctx); err != nil {
			return err
		}
	}
	r, err := b.order(ctx, l.parallel, c.lasts())
	if err != nil {
		return err
	}
	l.rounds = append(l.rounds, r)
	if c.Statements {
		l.listed, err = b.listStatements(ctx, len(r.times))
	}
	return err
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

// grow places so many orders. A few may take longer than a caller waits.
func (b *bench) grow(ctx context.Context, orders int) error {
	const callers = 64
	shop := client.New(b.url, client.Patience(0), client.HTTP(connections(callers)))
	done := loopUpTo(ctx, orders, callers, math.MaxInt64, func(n int) error { return buy(ctx, shop, n%benchSKUs+1) })
	if done.failed > orders/100 {
		return fmt.Errorf("%d of %d orders failed: %w", done.failed, orders, done.err)
	}
	if done.failed > 0 {
		fmt.Fprintf(os.Stderr, "%d of %d orders failed: %v\n", done.failed, orders, done.err)
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
