package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/client"
)

type benchOrder struct {
	Seconds  int    `default:"10" help:"How long each load lasts."`
	Parallel []int  `default:"1,16,64" help:"How many callers at once."`
	Shipping string `default:"manual" enum:"manual,auto" help:"manual: orders stop at confirmed; auto: they go on to completed."`
	Write    string `help:"Write the result to this file too." type:"path"`
}

// load is one closed loop: each caller places an order and waits until it is confirmed before the next.
type load struct {
	Parallel  int
	Orders    int
	Failed    int
	Took      time.Duration
	P50, P99  time.Duration
	ShopCPU   time.Duration
	DataCPU   time.Duration
	Commits   int64
	Reference float64 // orders a second that pgbench makes with as many commits
}

func (l load) rate() float64 { return float64(l.Orders) / l.Took.Seconds() }

func (l load) cpuPerOrder() time.Duration {
	return (l.ShopCPU + l.DataCPU) / time.Duration(max(l.Orders, 1))
}

// Run measures and prints.
func (c *benchOrder) Run(ctx context.Context) error {
	b, err := openBench(ctx, nil, "SIMULATED_SUCCESS=1", "RATE_LIMIT=0", "SHIPPING="+c.Shipping)
	if err != nil {
		return err
	}
	defer b.close()
	if err := stockUp(ctx, b.pool, benchSKUs); err != nil {
		return err
	}
	var loads []load
	for _, parallel := range c.Parallel {
		l, err := b.order(ctx, parallel, time.Duration(c.Seconds)*time.Second)
		if err != nil {
			return err
		}
		l.Reference, err = b.reference(ctx, parallel, int(l.Commits)/max(l.Orders, 1), c.Seconds)
		if err != nil {
			return err
		}
		loads = append(loads, l)
	}
	return report(c.report(loads), c.Write)
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

// order runs the closed loop.
func (b *bench) order(ctx context.Context, parallel int, lasts time.Duration) (l load, err error) {
	shop := client.New(b.url, client.Patience(0), client.HTTP(connections(parallel)))
	shop0, data0, err := b.cpu()
	if err != nil {
		return l, err
	}
	commits0, err := b.commits(ctx)
	if err != nil {
		return l, err
	}
	done := loop(ctx, parallel, lasts, func(n int) error { return buy(ctx, shop, n%benchSKUs+1) })
	if err := b.rest(ctx); err != nil {
		return l, err
	}
	shop1, data1, err := b.cpu()
	if err != nil {
		return l, err
	}
	commits1, err := b.commits(ctx)
	return load{
		Parallel: parallel, Orders: len(done.times), Failed: done.failed, Took: done.took, P50: done.at(50), P99: done.at(99),
		ShopCPU: shop1 - shop0, DataCPU: data1 - data0, Commits: commits1 - commits0,
	}, err
}

// buy places one order and waits until it is confirmed.
func buy(ctx context.Context, shop *client.Client, sku int) error {
	order, err := shop.PlaceOrder(ctx, client.PlaceOrderRequest{
		Lines: []client.Item{{SKU: fmt.Sprintf("BENCH-%d", sku), Quantity: 1}}, PaymentMethod: "simulated",
		Address: &client.Address{Name: "B", Phone: "+49 40 1234567", Country: "DE", PostalCode: "20457", City: "Hamburg", AddressLine1: "Kai 1"},
		Contact: &client.Contact{Name: "B", Email: "bench@example.com", Phone: "+49 40 1234567"},
	}, client.Wait(10*time.Second))
	if err == nil && order.Status != "confirmed" && order.Status != "completed" && order.Payment != "paid" {
		err = fmt.Errorf("order %s is %s", order.ID, order.Status)
	}
	return err
}

// rest waits until nothing more is said, so that all the work of the orders is counted.
func (b *bench) rest(ctx context.Context) error {
	for before := int64(-1); ; {
		var n int64
		if err := b.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM bus.inbox) + (SELECT count(*) FROM bus.event)`).Scan(&n); err != nil {
			return err
		}
		if n == before {
			return nil
		}
		before = n
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// commits counts the transactions that wrote something: each has a number of its own.
func (b *bench) commits(ctx context.Context) (n int64, err error) {
	err = b.pool.QueryRow(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&n)
	return n, err
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// reference measures what this machine's Postgres does with nothing but as many commits an order: the first waits for the
// disk, the others need not.
func (b *bench) reference(ctx context.Context, parallel, commits, seconds int) (float64, error) {
	conn, err := pgx.Connect(ctx, b.data.URL())
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `
		CREATE SCHEMA IF NOT EXISTS bench;
		CREATE TABLE IF NOT EXISTS bench.steps (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text, at timestamptz DEFAULT now())`); err != nil {
		return 0, err
	}
	insert := "INSERT INTO bench.steps (said) VALUES (repeat('x', 300));\n"
	script := insert + strings.Repeat("BEGIN;\nSET LOCAL synchronous_commit = off;\n"+insert+"COMMIT;\n", max(commits-1, 0))
	file := filepath.Join(b.dir, "reference.sql")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		return 0, err
	}
	program, err := pgbench()
	if err != nil {
		return 0, err
	}
	socket, port := b.data.Socket()
	out, err := exec.CommandContext(ctx, program, "-n", "-h", socket, "-p", port, "-U", "popup", "-M", "prepared",
		"-c", strconv.Itoa(parallel), "-j", "2", "-T", strconv.Itoa(seconds), "-f", file, "popup").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	found := tps.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench said no tps: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// pgbench finds the program, which comes with Postgres.
func pgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("pgbench is not installed (Debian: postgresql-contrib)")
	}
	return found[len(found)-1], nil
}

func (c *benchOrder) report(loads []load) string {
	var w strings.Builder
	fmt.Fprintf(&w, `# Performance

Measured by `+"`popup bench order --shipping %s`"+` on %s: %d cores, %s/%s, %s.
Postgres with fsync on, and the callers, on the same machine. Each caller posts an order of one line and waits until it is confirmed; %d SKUs.
CPU is counted until the last event of the last order is handled, mails included. The reference is pgbench with as many commits an order
and callers, in the same run: one row each, the first commit waits for the disk.

| parallel | orders | failed | confirmed/s | p50 | p99 | CPU/order | of it shop | of it Postgres | commits/order | reference/s | of it |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`, c.Shipping, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), benchSKUs)
	for _, l := range loads {
		n := time.Duration(max(l.Orders, 1))
		fmt.Fprintf(&w, "| %d | %d | %d | %.0f | %.1f ms | %.1f ms | %.2f ms | %.2f ms | %.2f ms | %.1f | %.0f | %.0f %% |\n",
			l.Parallel, l.Orders, l.Failed, l.rate(), ms(l.P50), ms(l.P99), ms(l.cpuPerOrder()), ms(l.ShopCPU/n), ms(l.DataCPU/n),
			float64(l.Commits)/float64(n), l.Reference, 100*l.rate()/l.Reference)
	}
	return w.String()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
