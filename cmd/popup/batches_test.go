package main_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/postgres"
)

// connect opens the private database of a shop.
func (p *program) connect() *pgx.Conn {
	p.t.Helper()
	data, err := postgres.Find(filepath.Join(p.dir, "postgres"))
	require.NoError(p.t, err)
	conn, err := pgx.Connect(p.t.Context(), data.URL())
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// count returns the number that a query gives.
func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// buy places n orders, so many at a time, and waits until all events are delivered.
func (p *program) buy(conn *pgx.Conn, n, atATime int) {
	p.t.Helper()
	slots := make(chan struct{}, atATime)
	var buyers sync.WaitGroup
	for range n {
		slots <- struct{}{}
		buyers.Go(func() {
			defer func() { <-slots }()
			if p.order(uuid.NewString(), 10*time.Second) == "" {
				p.t.Error("an order was refused")
			}
		})
	}
	buyers.Wait()
	require.Eventually(p.t, func() bool {
		return count(p.t, conn, `
			SELECT count(*) FROM bus.event e JOIN bus.subscription s USING (type)
			WHERE NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)`) == 0
	}, 2*time.Minute, 100*time.Millisecond)
}

func TestAsProcessesOrdersRollNoTransactionBack(t *testing.T) {
	p := newProgram(t, "--processes")
	p.flags = append(p.flags, "--bin", p.bin)
	p.env = append(p.env, "SHIPPING=manual")
	p.start()
	conn := p.connect()
	rollbacks := func() int {
		time.Sleep(1200 * time.Millisecond) // backends report at most once a second
		return count(t, conn, `SELECT xact_rollback::int FROM pg_stat_database WHERE datname = current_database()`)
	}
	p.buy(conn, 20, 8) // every program has started
	before := rollbacks()
	p.buy(conn, 200, 16)
	require.Zero(t, rollbacks()-before)
	out, err := p.popup("check", "--rebuild")
	require.NoError(t, err, out)
}

// portOf returns the address at which the program of a function in bin listens, from its environment.
func portOf(t *testing.T, bin, function string) string {
	t.Helper()
	programs, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	for _, exe := range programs {
		target, err := os.Readlink(exe)
		if err != nil || target != filepath.Join(bin, function) {
			continue
		}
		env, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "environ"))
		if err != nil {
			continue
		}
		for _, setting := range bytes.Split(env, []byte{0}) {
			if port, ok := bytes.CutPrefix(setting, []byte("PORT=")); ok {
				return "http://127.0.0.1:" + string(port) + "/"
			}
		}
	}
	require.Fail(t, "the program does not run", function)
	return ""
}

// An order of five for which a stranger announces one, under the id of the true event and at the function's own port,
// holds five.
func TestAsProcessesAFunctionHandlesTheStoredEventOnly(t *testing.T) {
	p := newProgram(t, "--processes", "--idle", "2m")
	p.flags = append(p.flags, "--bin", p.bin)
	p.env = append(p.env, "SHIPPING=manual", "STOCK_CHECK_DELAY=10m")
	p.start()
	conn := p.connect()
	five := cup()
	five.Lines[0].Quantity = 5
	placed, err := p.shop().PlaceOrder(t.Context(), five)
	require.NoError(t, err)
	const handled = `SELECT count(*) FROM bus.inbox JOIN bus.event USING (event_id) WHERE order_id = $1 AND consumer = 'reserve-stock'`
	require.Eventually(t, func() bool { return count(t, conn, handled, placed.ID) == 1 }, 30*time.Second,
		20*time.Millisecond, "it is put off")

	var id, data string
	require.NoError(t, conn.QueryRow(t.Context(), `
		SELECT event_id::text, data::text FROM bus.event WHERE order_id = $1 AND type = 'order.placed'`, placed.ID).Scan(&id, &data))
	for _, sql := range []string{ // as if the true event had not arrived yet, and the order were due
		`SET session_replication_role = replica`,
		`UPDATE orders.orders SET stock_check_at = created_at, payment_check_at = created_at`,
		`DELETE FROM bus.inbox WHERE consumer = 'reserve-stock'`,
		`RESET session_replication_role`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	forged := regexp.MustCompile(`"quantity":\s*5`).ReplaceAllString(data, `"quantity":1`)
	require.NotEqual(t, data, forged)
	require.Equal(t, http.StatusOK, post(t, portOf(t, p.bin, "reserve-stock"), forged, id, placed.ID))
	require.Eventually(t, func() bool {
		return count(t, conn, `SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'confirmed'`,
			placed.ID) == 1
	}, time.Minute, 50*time.Millisecond)
	require.Equal(t, 5, count(t, conn, `SELECT sum(quantity)::int FROM stock.reservations WHERE order_id = $1`, placed.ID))
	out, err := p.popup("check", "--rebuild")
	require.NoError(t, err, out)
}

// post sends an order.placed with this id and data to a function's own port.
func post(t *testing.T, url, data, id, orderID string) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(data))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": id, "Ce-Source": "/functions/place-order",
		"Ce-Type": "shop.popup.order.placed", "Ce-Subject": orderID,
	} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
