package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/local/postgres"
	"github.com/popup-shop/popup/internal/provision"
	"github.com/popup-shop/popup/internal/seed"
)

type benchHold struct {
	Seconds  int    `default:"10" help:"How long each load lasts."`
	Parallel int    `default:"32" help:"How many callers at once."`
	SKUs     []int  `name:"skus" default:"1,1000" help:"Over how many SKUs the orders are spread."`
	Write    string `help:"Write the result to this file too." type:"path"`
}

// held is one closed loop: each caller has reserve-stock hold one order after the other.
type held struct {
	skus int
	looped
	bare float64 // updates a second in pgbench
}

// Run measures and prints.
func (c *benchHold) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "popup-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres runs as another user when this program runs as root
		return err
	}
	shop, err := local.Open(ctx, local.Options{Dir: dir, Connections: 4, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer shop.Close()
	if err := seed.Demo(ctx, shop.Pool); err != nil {
		return err
	}
	if err := stockUp(ctx, shop.Pool, slices.Max(c.SKUs)); err != nil {
		return err
	}
	var loads []held
	for _, skus := range c.SKUs {
		l, err := c.hold(ctx, shop, skus)
		if err != nil {
			return err
		}
		if l.bare, err = c.bare(ctx, dir, skus); err != nil {
			return err
		}
		loads = append(loads, l)
	}
	return report(c.report(loads), c.Write)
}

// hold delivers placed orders to reserve-stock.
func (c *benchHold) hold(ctx context.Context, shop *local.Shop, skus int) (l held, err error) {
	rt, step, err := c.step(ctx, shop)
	if err != nil {
		return l, err
	}
	defer rt.Pool.Close()
	placed, err := placeMany(ctx, shop.Pool, c.Seconds*holdsPerSecond, skus)
	if err != nil {
		return l, err
	}
	l = held{skus: skus, looped: loop(ctx, c.Parallel, time.Duration(c.Seconds)*time.Second, func(n int) error {
		if n > len(placed) {
			return errors.New("there are no orders left")
		}
		return rt.Deliver(ctx, step, placed[n-1])
	})}
	var holds int
	err = shop.Pool.QueryRow(ctx, `
		SELECT count(*) FROM stock.reservations r JOIN bus.event e USING (order_id) WHERE e.type = 'stock.reserved' AND e.created_at >= @began`,
		pgx.NamedArgs{"began": time.Now().Add(-l.took - 5*time.Second)}).Scan(&holds)
	if err == nil && holds < len(l.times) {
		err = fmt.Errorf("%d orders were told and %d are held", len(l.times), holds)
	}
	return l, err
}

// holdsPerSecond are more than one machine can do.
const holdsPerSecond = 5000

// step is reserve-stock with its own role in the runtime. What it emits is stored and not published.
func (c *benchHold) step(ctx context.Context, shop *local.Shop) (*function.Runtime, *function.Function, error) {
	settings, err := config.Read[functions.Settings]()
	if err != nil {
		return nil, nil, err
	}
	all := functions.All(settings)
	if err := provision.Subscribe(ctx, shop.Pool, all); err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(all, func(f function.Function) bool { return f.Name == "reserve-stock" })
	if err := provision.GrantRoles(ctx, shop.Pool, all[i:i+1], ""); err != nil {
		return nil, nil, err
	}
	pool, err := config.Database{
		URL: shop.Postgres.URLFor("reserve-stock", postgres.Superuser), Pool: int32(c.Parallel),
	}.Open(ctx)
	return &function.Runtime{
		Pool: pool, Sink: nowhere{}, Log: slog.New(slog.DiscardHandler), Revision: "bench",
	}, &all[i], err
}

// nowhere is a broker that takes everything.
type nowhere struct{}

// Publish forgets the messages.
func (nowhere) Publish(_ context.Context, messages []cloudevent.Message) []error {
	return make([]error, len(messages))
}

// placeMany stores pending orders of one piece each, with their events.
func placeMany(ctx context.Context, pool *pgxpool.Pool, n, skus int) ([]cloudevent.Message, error) {
	placed := make([]cloudevent.Message, n)
	ids, orders, data := make([]string, n), make([]string, n), make([]string, n)
	now := time.Now()
	for i := range placed {
		ids[i], orders[i] = uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
		said, err := json.Marshal(events.OrderPlaced{
			OrderID: orders[i], Currency: "EUR", PaymentMethod: "simulated", Locale: "en", StockCheckAt: now, PaymentCheckAt: now, Deadline: now.Add(time.Hour),
			Lines: []events.PlacedLine{{
				Line: 1, ProductID: fmt.Sprintf("02000000-0000-7000-8000-%012d", i%skus+1), SKU: fmt.Sprintf("BENCH-%d", i%skus+1),
				StoreID: "01900000-0000-7000-8000-000000000011", Name: "Bench", Quantity: 1, UnitPriceMinor: 1000, TotalMinor: 1000,
			}},
		})
		if err != nil {
			return nil, err
		}
		data[i] = string(said)
		placed[i] = cloudevent.Message{
			ID: ids[i], Type: "order.placed", Source: "/functions/place-order", Subject: orders[i], OrderID: orders[i], CausationID: ids[i], Version: 1, Data: said,
		}
	}
	_, err := pool.Exec(ctx, `
		WITH many AS (
			SELECT event_id, order_id, data, 'ORD-20260131-' || upper(lpad(to_hex((SELECT count(*) FROM orders.orders) + row_number() OVER ()), 6, '0')) AS number
			FROM unnest(@ids::uuid[], @orders::uuid[], @data::text[]) AS m (event_id, order_id, data)
		), said AS (
			INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, version, data)
			SELECT event_id, 'order.placed', '/functions/place-order', order_id::text, order_id, event_id, 0, 1, data::json FROM many
		), logged AS (
			INSERT INTO orders.history (order_id, version, to_status, stock, payment, reason, deadline, by, cause)
			SELECT order_id, 1, 'pending', 'pending', 'pending', '', now() + interval '1 hour', 'bench', 'bench' FROM many
		)
		INSERT INTO orders.orders (order_id, order_number, status, stock, payment, version, currency, subtotal_minor, delivery_fee_minor, tax_minor,
			discount_minor, total_minor, payment_method, pickup, locale, stock_check_at, payment_check_at, deadline)
		SELECT order_id, number, 'pending', 'pending', 'pending', 1, 'EUR', 1000, 0, 0, 0, 1000, 'simulated', false, 'en', now(), now(), now() + interval '1 hour'
		FROM many`, pgx.NamedArgs{"ids": ids, "orders": orders, "data": data})
	if err != nil {
		return nil, fmt.Errorf("place orders: %w", err)
	}
	return placed, nil
}

// bare measures what this machine's Postgres does with nothing but the conditional update of a row, which need not wait
// for the disk, as holds need not.
func (c *benchHold) bare(ctx context.Context, dir string, skus int) (float64, error) {
	data, err := postgres.Find(filepath.Join(dir, "postgres"))
	if err != nil {
		return 0, err
	}
	conn, err := pgx.Connect(ctx, data.URL())
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `
		CREATE SCHEMA IF NOT EXISTS bench;
		DROP TABLE IF EXISTS bench.levels;
		CREATE TABLE bench.levels (n integer PRIMARY KEY, on_hand bigint NOT NULL, reserved bigint NOT NULL) WITH (fillfactor = 70);
		INSERT INTO bench.levels SELECT n, 1000000000, 0 FROM generate_series(1, `+strconv.Itoa(skus)+`) n`); err != nil {
		return 0, err
	}
	out, err := pgbench{
		dir: dir, clients: c.Parallel, lasts: time.Duration(c.Seconds) * time.Second, options: "-c synchronous_commit=off",
		script: fmt.Sprintf("\\set n random(1, %d)\nUPDATE bench.levels SET reserved = reserved + 1 WHERE n = :n AND reserved + 1 <= on_hand;\n", skus),
	}.run(ctx, data)
	if err != nil {
		return 0, err
	}
	return readNumber(tps, out)
}

func (c *benchHold) report(loads []held) string {
	var w strings.Builder
	fmt.Fprintf(&w, `## Holds

Measured by `+"`popup bench hold`"+` on %s: %d cores, %s/%s, %s. Postgres with fsync on, and %d callers, on the same machine. Each caller has
reserve-stock hold one placed order after the other, through the shell that runs it in earnest. The reference is pgbench with the bare
conditional update of one row and as many callers, in the same run; neither waits for the disk.

| SKUs | holds | failed | holds/s | p50 | p95 | p99 | bare updates/s | mean of one |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), c.Parallel)
	for _, l := range loads {
		fmt.Fprintf(&w, "| %d | %d | %d | %.0f | %.1f ms | %.1f ms | %.1f ms | %.0f | %.1f ms |\n", l.skus, len(l.times),
			l.failed, l.rate(),
			ms(l.at(50)), ms(l.at(95)), ms(l.at(99)), l.bare, 1000*float64(c.Parallel)/l.bare)
	}
	return w.String()
}
