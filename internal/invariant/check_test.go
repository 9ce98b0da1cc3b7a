package invariant_test

import (
	_ "embed"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/invariant"
)

// sound is a shop in which no promise is broken.
//
//go:embed testdata/sound.sql
var sound string

// breaks are ways to break the promise of each check.
var breaks = map[string][]string{
	"checks/payments_authorised.sql": {
		`UPDATE payments.authorisations SET used_minor = 1`, `UPDATE payments.payments SET authorisation_id = NULL`, `UPDATE payments.payments SET currency = 'JPY'`,
	},
	"checks/books_trial.sql": {
		`ALTER TABLE books.entries DROP CONSTRAINT entries_move_something; UPDATE books.entries SET amount = -amount`,
		`DELETE FROM books.entries WHERE cause = 'captured'; INSERT INTO books.entries VALUES ('customers', 'provider:x', 'EUR', 1, gen_random_uuid(), 'refunded')`,
		`INSERT INTO books.entries VALUES ('suspense', 'customers', 'JPY', 1, gen_random_uuid(), 'x')`,
	},
	"checks/books_payments.sql": {
		`DELETE FROM books.entries WHERE cause = 'captured'`, `UPDATE books.entries SET amount = amount + 1 WHERE cause = 'captured'`,
		`DELETE FROM books.entries WHERE cause = 'late'`, `DELETE FROM books.entries WHERE cause = 'returned'`,
		`UPDATE books.entries SET unit = 'JPY' WHERE cause = 'captured'`,
	},
	"checks/books_points.sql": {
		`DELETE FROM books.entries WHERE cause = 'hold'`, `DELETE FROM books.entries WHERE cause = 'reclaim'`, `DELETE FROM books.entries WHERE unit = 'POINTS'`,
	},
	"rebuild/books_fold.sql": {
		`DELETE FROM books.entries WHERE cause = 'captured'`, `DELETE FROM books.entries WHERE cause = 'earn'`, `DELETE FROM books.entries WHERE cause = 'returned'`,
		`INSERT INTO books.entries SELECT * FROM books.entries WHERE cause = 'captured'`,
	},
	"checks/bus_caused.sql":       {`DELETE FROM bus.inbox`, `UPDATE bus.inbox SET consumer = 'send-email'`},
	"checks/bus_heard.sql":        {`INSERT INTO bus.inbox (event_id, consumer) VALUES (gen_random_uuid(), 'send-email')`},
	"checks/bus_dead_letters.sql": {`UPDATE bus.dead_letters SET resolved_at = NULL`},
	"checks/bus_undelivered.sql":  {`UPDATE bus.undelivered SET created_at = now() - interval '16 min'`},
	"checks/catalogue_counts.sql": {
		`INSERT INTO catalogue.products (product_id, store_id, sku, name, slug, price_minor, currency, tags) VALUES (gen_random_uuid(), gen_random_uuid(), 'X', 'X', 'x', 1, 'EUR', '{a}')`,
		`INSERT INTO catalogue.counts (store_id, category_id, tag, products) VALUES (gen_random_uuid(), gen_random_uuid(), '', 1)`,
	},
	"checks/delivery_behind.sql": {
		`UPDATE orders.orders SET status = 'in_transit', deadline = now() + interval '1 hour' WHERE status = 'completed'`,
		`UPDATE delivery.shipments SET status = 'shipped', updated_at = updated_at`,
	},
	"checks/delivery_cancelled.sql": {cancelled + `UPDATE delivery.shipments SET status = 'planned'`, cancelled + `UPDATE delivery.shipments SET status = 'ready_for_pickup'`},
	"checks/delivery_undone.sql":    {cancelled, cancelled + `UPDATE delivery.shipments SET status = 'preparing'`},
	"checks/mail_left.sql":          {`UPDATE mail.mails SET status = 'sending'`},
	"checks/mail_unknown.sql":       {`UPDATE mail.mails SET status = 'unknown'`, `UPDATE mail.mails SET status = 'waiting'`},
	"checks/mail_missing.sql": {`
		INSERT INTO bus.subscription (type, consumer, since) VALUES ('order.shipped', 'send-email', now() - interval '1 day');
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data, created_at)
		SELECT gen_random_uuid(), 'order.shipped', 'x', 'x', order_id, gen_random_uuid(), 0, '{}', now() - interval '16 min' FROM orders.orders LIMIT 1`},
	"checks/orders_lines.sql": {
		`INSERT INTO orders.lines SELECT order_id, 2, product_id, NULL, sku, store_id, '', '', 1, 1, 1 FROM orders.lines`,
		`DELETE FROM orders.lines`,
		`UPDATE orders.orders SET subtotal_minor = 1999, total_minor = 1999`,
	},
	"checks/orders_stock.sql": {
		`UPDATE stock.reservations SET status = 'released', updated_at = updated_at - interval '10 min'`,
		`UPDATE orders.orders SET stock = 'released', updated_at = updated_at WHERE status = 'pending'`,
		`UPDATE orders.orders SET stock = 'shipped', updated_at = updated_at WHERE status = 'pending'`,
		`DELETE FROM stock.reservations`,
	},
	"checks/orders_announced.sql": {
		`DELETE FROM bus.event WHERE event_id = '00000000-0000-8000-8000-000000000012'`,
		`UPDATE bus.event SET order_id = gen_random_uuid() WHERE event_id = '00000000-0000-8000-8000-000000000012'`,
		`DELETE FROM orders.orders WHERE status = 'pending'`,
	},
	"checks/orders_basket.sql": {
		`INSERT INTO orders.baskets (basket_id, owner_id, order_id, expires_at) SELECT gen_random_uuid(), gen_random_uuid(), order_id, now() FROM orders.orders WHERE status = 'completed';
		UPDATE orders.orders SET status = 'rejected' WHERE status = 'completed'`,
	},
	"checks/orders_deadline.sql": {
		`ALTER TABLE orders.orders DROP CONSTRAINT open_orders_have_a_deadline; UPDATE orders.orders SET deadline = NULL WHERE status = 'pending'`,
		`ALTER TABLE orders.orders DROP CONSTRAINT open_orders_have_a_deadline; UPDATE orders.orders SET deadline = now() WHERE status = 'completed'`,
	},
	"checks/orders_once.sql": {again("order.placed"), again("stock.reserved")},
	"checks/orders_one_end.sql": {
		`UPDATE bus.event SET type = 'order.cancelled' WHERE type = 'stock.reserved'`,
		`UPDATE bus.event SET type = 'order.rejected' WHERE type = 'stock.reserved'`,
		`UPDATE bus.event SET type = 'order.expired' WHERE type = 'stock.reserved'`,
		again("order.completed"),
	},
	"checks/orders_overdue.sql": {`UPDATE orders.orders SET deadline = now() - interval '3 min' WHERE status = 'pending'`},
	"checks/orders_versions.sql": {
		`DELETE FROM orders.history WHERE version = 3`,
		`DELETE FROM orders.history WHERE version = 1`,
		`DELETE FROM orders.history`,
		`UPDATE orders.orders SET version = version + 1`,
		`UPDATE orders.history SET version = 9 WHERE version = 7`,
	},
	"checks/payments_amount.sql": {
		`UPDATE payments.payments SET amount_minor = 2001`,
		`UPDATE payments.payments SET currency = 'USD'`,
	},
	"checks/payments_status.sql": {
		`UPDATE payments.payments SET status = 'refunded'`,
		`UPDATE payments.entries SET kind = 'failed' WHERE kind = 'captured'`,
		`DELETE FROM payments.entries`,
	},
	"checks/payments_after_stock.sql": {`DELETE FROM stock.reservations`},
	"checks/payments_one_outcome.sql": {
		`UPDATE payments.entries SET kind = 'failed' WHERE kind = 'created'`,
		`INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref) SELECT payment_id, 'captured', 0, 'EUR', 'x', 'x' FROM payments.payments`,
	},
	"checks/payments_settled.sql": {
		`UPDATE payments.payments SET captured_minor = 1999`,
		`UPDATE payments.payments SET refunded_minor = 1`,
		`DELETE FROM payments.payments`,
		`UPDATE orders.orders SET status = 'cancelled' WHERE status = 'completed'`,
		`UPDATE orders.orders SET status = 'rejected' WHERE status = 'completed'`,
		`UPDATE orders.orders SET status = 'expired' WHERE status = 'completed'`,
	},
	"checks/payments_sums.sql": {
		`UPDATE payments.payments SET captured_minor = 1999`,
		`UPDATE payments.payments SET refunded_minor = 1`,
		`DELETE FROM payments.entries`,
	},
	"checks/payments_suspense.sql": {`UPDATE payments.suspense SET returned_at = NULL`},
	"checks/points_balance.sql": {
		`UPDATE points.balances SET available = available + 1`, `UPDATE points.balances SET held = 1`, `UPDATE points.balances SET entries = 9`,
		`DELETE FROM points.entries`, `UPDATE points.entries SET debt = 1`,
	},
	"checks/points_orders.sql": {
		`UPDATE orders.orders SET points = 2 WHERE status = 'completed'`,
		`DELETE FROM points.entries WHERE kind = 'spend'`,
		`INSERT INTO points.entries (customer_id, n, kind, points, held, order_id, by) SELECT b.customer_id, 9, 'hold', 1, 1, o.order_id, 'x' FROM points.balances b, orders.orders o WHERE o.status = 'pending'`,
	},
	"checks/points_ended.sql":  {`UPDATE points.entries SET held = 0 WHERE kind = 'spend'`},
	"checks/points_lapsed.sql": {`UPDATE points.lots SET expires_at = now() - interval '3 min'`},
	"checks/stock_available.sql": {
		`INSERT INTO stock.available (product_id, level_id) SELECT gen_random_uuid(), level_id FROM stock.levels`,
		`INSERT INTO catalogue.skus (sku, product_id) SELECT sku, gen_random_uuid() FROM stock.levels`,
	},
	"checks/stock_ended.sql": {`UPDATE stock.reservations SET status = 'held'`},
	// STK-13.
	"checks/stock_figures.sql": {`UPDATE stock.levels SET on_hand = on_hand + 1`, `DELETE FROM stock.movements WHERE kind = 'outbound'`, `DELETE FROM stock.movements`},
	"checks/stock_holds.sql": {
		`INSERT INTO stock.holds (hold_id, by, expires_at) VALUES (gen_random_uuid(), 'test', now() - interval '3 min')`,
		`WITH over AS (INSERT INTO stock.holds (hold_id, status, by, expires_at) VALUES (gen_random_uuid(), 'released', 'test', now()) RETURNING hold_id)
		INSERT INTO stock.reservations (hold_id, line, level_id, quantity) SELECT hold_id, 1, level_id, 1 FROM over, stock.levels LIMIT 1`,
	},
	"checks/stock_moved.sql": {
		`DELETE FROM stock.movements WHERE kind = 'outbound'`,
		`UPDATE stock.reservations SET status = 'released' WHERE status = 'held'`,
		`UPDATE stock.movements SET quantity = 1 WHERE kind = 'reservation'`,
		`DELETE FROM stock.movements`,
	},
	"checks/stock_reserved.sql": {`UPDATE stock.levels SET reserved = 0`, `UPDATE stock.reservations SET status = 'released'`, `DELETE FROM stock.reservations`},
	"checks/stock_whole.sql": {
		`UPDATE stock.reservations SET quantity = 1 WHERE status = 'held'`,
		`INSERT INTO orders.lines SELECT order_id, 2, product_id, NULL, sku, store_id, '', '', 1, 1, 1 FROM orders.lines`,
	},
	"rebuild/delivery_fold.sql": {`UPDATE delivery.shipments SET status = 'shipped'`, `DELETE FROM delivery.tracking`},
	"rebuild/points_fold.sql": {
		`UPDATE points.entries SET available = 4 WHERE kind = 'earn'`, `UPDATE points.entries SET held = 0 WHERE kind = 'spend'`,
		`UPDATE points.entries SET debt = 1 WHERE kind = 'reclaim'`, `DELETE FROM points.entries WHERE n = 2`,
		`UPDATE points.entries SET points = 4 WHERE kind = 'hold'`, `UPDATE points.entries SET n = 17 WHERE n = 3`,
	},
	"rebuild/orders_fold.sql": {
		`UPDATE orders.orders SET payment = 'refunded' WHERE status = 'completed'`,
		`UPDATE orders.orders SET stock = 'released' WHERE status = 'pending'`,
		`UPDATE orders.orders SET reason = 'x'`,
		`UPDATE orders.orders SET deadline = deadline + interval '1 s'`,
		`UPDATE orders.orders SET status = 'returned' WHERE status = 'completed'`,
	},
	"rebuild/orders_moves.sql": {
		`UPDATE orders.history SET from_status = 'pending' WHERE version = 4`,
		`DELETE FROM orders.history WHERE version IN (3, 4); UPDATE orders.history SET from_status = 'confirmed' WHERE version = 5`,
		`UPDATE orders.history SET from_status = 'pending' WHERE version = 1`,
	},
}

// cancelled leaves a completed order cancelled, and its shipment delivered.
const cancelled = `UPDATE orders.orders SET status = 'cancelled' WHERE status = 'completed'; `

// again says a thing of an order a second time.
func again(eventType string) string {
	return `
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data)
		SELECT gen_random_uuid(), type, source, subject, order_id, gen_random_uuid(), 0, '{}' FROM bus.event WHERE type = '` + eventType + `'`
}

// ORD-41, PAY-09, PAY-38.
func TestEveryCheckFindsWhatBreaksItsPromise(t *testing.T) {
	t.Parallel()
	tx := dbtest.Tx(t)
	_, err := tx.Exec(t.Context(), sound)
	require.NoError(t, err)
	for _, file := range checkFiles(t) {
		require.NotEmpty(t, breaks[file], "%s: no break is known", file)
		require.Zero(t, found(t, tx, file, ""))
		for _, sql := range breaks[file] {
			require.NotZero(t, found(t, tx, file, sql), "%s: %s", file, sql)
		}
	}
}

// found is how many rows a check finds after a statement, which is undone.
func found(t testing.TB, tx pgx.Tx, file, sql string) (n int) {
	t.Helper()
	within, err := tx.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, within.Rollback(t.Context())) }()
	_, err = within.Exec(t.Context(), sql)
	require.NoError(t, err)
	check, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, within.QueryRow(t.Context(), `SELECT count(*) FROM (`+string(check)+`) AS found`).Scan(&n))
	return n
}

func TestWhatACheckFindsIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, sound+`UPDATE stock.levels SET on_hand = on_hand + 1; DELETE FROM orders.history`)
	results, err := invariant.Check(t.Context(), b.pool, false)
	require.NoError(t, err)
	counts := map[string]int{}
	for _, r := range results {
		counts[r.Promise] = r.Broken
	}
	require.Equal(t, 1, counts[promiseOf(t, "checks/stock_figures.sql")])
	require.Equal(t, 2, counts[promiseOf(t, "checks/orders_versions.sql")])
	require.Zero(t, counts[promiseOf(t, "checks/stock_reserved.sql")])
}

func TestNoCheckFindsAnythingInASoundShop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Empty(t, broken(t, b), "in an empty one neither")
	b.exec(t, sound)
	require.Empty(t, broken(t, b))
}

func TestEveryPromiseIsUniqueAndHasADomain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	results, err := invariant.Check(t.Context(), b.pool, true)
	require.NoError(t, err)
	require.Len(t, results, len(checkFiles(t)))
	var promises []string
	for _, r := range results {
		require.Contains(t, []string{"bus", "catalogue", "stock", "orders", "payments", "delivery", "mail", "points", "books"}, r.Domain)
		require.NotEmpty(t, r.Promise)
		promises = append(promises, r.Promise)
	}
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(promises))), len(promises))
}

func TestTheLogsAreFoldedOnRequestOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	results, err := invariant.Check(t.Context(), b.pool, false)
	require.NoError(t, err)
	folds, err := filepath.Glob("rebuild/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, folds)
	require.Len(t, results, len(checkFiles(t))-len(folds))
}

func checkFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("*/*_*.sql")
	require.NoError(t, err)
	require.Greater(t, len(files), 20)
	return files
}

// promiseOf is the first line of a check.
func promiseOf(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	require.Regexp(t, `^-- \S`, first)
	return strings.TrimPrefix(first, "-- ")
}

// bundle is a database of the test's own.
type bundle struct{ pool *pgxpool.Pool }

func setup(t testing.TB) bundle {
	t.Helper()
	return bundle{dbtest.DB(t)}
}

func (b bundle) exec(t testing.TB, sql string) {
	t.Helper()
	_, err := b.pool.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// broken are the promises that are broken.
func broken(t testing.TB, b bundle) (promises []string) {
	t.Helper()
	results, err := invariant.Check(t.Context(), b.pool, true)
	require.NoError(t, err)
	for _, r := range results {
		if r.Broken > 0 {
			promises = append(promises, r.Promise)
		}
	}
	return promises
}

// OPS-45: the last whole check is what metrics show.
func TestResultsReplaceThoseOfTheCheckBefore(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	stored := func() (found []invariant.Result) {
		rows, err := pool.Query(t.Context(), `SELECT domain, promise, failures FROM bus.checks ORDER BY promise`)
		require.NoError(t, err)
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[invariant.Result])
		require.NoError(t, err)
		return found
	}
	before := []invariant.Result{{Domain: "stock", Promise: "a", Broken: 2}, {Domain: "bus", Promise: "b"}}
	require.NoError(t, invariant.StoreResults(t.Context(), pool, before))
	require.Equal(t, before, stored())
	require.NoError(t, invariant.StoreResults(t.Context(), pool, before[:1]))
	require.Equal(t, before[:1], stored())
}
