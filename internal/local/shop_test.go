package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/invariant"

	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/seed"
)

// shop is a whole shop of a test's own, with its own Postgres, broker and mailbox.
type shop struct {
	*local.Shop
	t        testing.TB
	url      string
	settings functions.Settings
	steady   bool // customers cancel nothing
}

type change func(*local.Options, *functions.Settings)

func profile(p jetstream.DeliveryProfile) change {
	return func(o *local.Options, _ *functions.Settings) { o.Profile = p }
}

// durable has Postgres wait for the disk, for tests that crash it.
func durable(o *local.Options, _ *functions.Settings) { o.Postgres = nil }

// open opens a seeded shop in which every simulated payment succeeds, unless changed.
func open(t testing.TB, changes ...change) *shop {
	t.Helper()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	settings.SimulatedSuccess, settings.RateLimit, settings.Daily = 1, 0, 0
	options := local.Options{
		Dir: t.TempDir(), Profile: jetstream.Spec, Connections: 16, Tick: 500 * time.Millisecond,
		Postgres: map[string]string{"fsync": "off"}, Out: io.Discard,
		Log: slog.New(slog.NewTextHandler(logTo(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, change := range changes {
		change(&options, &settings)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := local.Open(ctx, options)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, seed.Demo(ctx, s.Pool))
	settings.SMTP, settings.Payments = s.SMTP, s.Simulator.Settings(settings.Payments)
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	require.NoError(t, err)
	require.NoError(t, s.Start(context.WithoutCancel(ctx), functions.All(settings), triggers, local.Gateway{Name: "serve-gateway", Within: servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})}))
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &shop{Shop: s, t: t, url: server.URL, settings: settings}
}

// logTo shows what the shop logs when asked to.
func logTo() io.Writer {
	if os.Getenv("POPUP_TEST_LOG") != "" {
		return os.Stderr
	}
	return io.Discard
}

// placed is the answer to an order.
type placed struct {
	client.PlaceOrderAnswer
	Code int
}

// orderOf is an order of some quantity of each SKU.
func orderOf(quantity int64, skus ...string) client.PlaceOrderRequest {
	order := client.PlaceOrderRequest{
		PaymentMethod: "simulated",
		Address:       &client.Address{Name: "Ada", Phone: "+49 40 123456", Country: "DE", PostalCode: "20457", City: "Hamburg", AddressLine1: "Kai 1"},
		Contact:       &client.Contact{Name: "Ada", Email: "ada@example.com", Phone: "+49 40 123456"},
	}
	for _, sku := range skus {
		order.Lines = append(order.Lines, client.Item{SKU: sku, Quantity: quantity})
	}
	return order
}

// client calls the shop once for each call.
func (s *shop) client() *client.Client { return client.New(s.url, client.Patience(0)) }

// post posts an order under a key and waits for its outcome at most so long. A refusal is an answer, and no error.
func (s *shop) post(key string, order client.PlaceOrderRequest, wait time.Duration) (placed, error) {
	var answered http.Response
	answer, err := s.client().PlaceOrder(context.Background(), order, client.Key(key), client.Wait(wait), client.Answered(&answered))
	if problem := (*client.Problem)(nil); errors.As(err, &problem) {
		err = nil
	}
	return placed{answer, answered.StatusCode}, err
}

// place posts an order that must be answered.
func (s *shop) place(order client.PlaceOrderRequest) placed {
	s.t.Helper()
	p, err := s.post(uuid.NewString(), order, 10*time.Second)
	require.NoError(s.t, err)
	return p
}

// count is the number that a query gives.
func (s *shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.Pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

// settle waits until every order has ended, every event is delivered, and dead letters of events that the event store learned of
// after all are resolved.
func (s *shop) settle(within time.Duration) {
	s.t.Helper()
	s.settleBut("", within)
}

// settleBut is settle for a shop in which orders stay in a status until a person acts.
func (s *shop) settleBut(status string, within time.Duration) {
	s.t.Helper()
	var open, undelivered int
	ended := func() bool {
		err := s.Pool.QueryRow(context.Background(), `
			SELECT (SELECT count(*) FROM orders.orders WHERE deadline IS NOT NULL AND status <> $1),
				(SELECT count(*) FROM bus.event e JOIN bus.subscription s USING (type)
				WHERE NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer))
				+ (SELECT count(*) FROM bus.dead_letters p JOIN bus.event e ON e.event_id = bus.id_of(p.event_id)
				WHERE p.resolved_at IS NULL AND p.kind = 'unknown')`, status).Scan(&open, &undelivered)
		return err == nil && open == 0 && undelivered == 0
	}
	for until := time.Now().Add(within); !ended(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			require.FailNow(s.t, "the shop did not come to rest", "%d orders open, %d events undelivered\n%s", open, undelivered, s.why())
		}
	}
}

// why describes the orders and events that do not move.
func (s *shop) why() string {
	rows, err := s.Pool.Query(context.Background(), `
		SELECT format('%s %s stock=%s payment=%s', order_id, status, stock, payment) FROM orders.orders WHERE deadline IS NOT NULL
		UNION ALL SELECT format('undelivered %s by %s', e.type, s.consumer) FROM bus.event e JOIN bus.subscription s USING (type)
			WHERE NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)
		UNION ALL SELECT format('parked %s %s: %s', consumer, type, reason) FROM bus.dead_letters WHERE resolved_at IS NULL
		LIMIT 20`)
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	var text, line string
	for rows.Next() && rows.Scan(&line) == nil {
		text += line + "\n"
	}
	return text
}

// check proves all promises, logs folded too.
func (s *shop) check() {
	s.t.Helper()
	results, err := invariant.Check(s.t.Context(), s.Pool, true)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, results)
	for _, r := range results {
		require.Zero(s.t, r.Broken, "%s: %s\n%s", r.Domain, r.Promise, s.why())
	}
}

// digest is all that a shop ended with, without what is random, without versions, which depend on the order in which facts
// came, and without orders of what customers order who then cancel: two shops that were asked the same have the same.
func (s *shop) digest() (lines []string) {
	s.t.Helper()
	rows, err := s.Pool.Query(s.t.Context(), `
		WITH kept AS (
			SELECT order_id FROM orders.orders o WHERE NOT EXISTS (SELECT FROM orders.lines l WHERE l.order_id = o.order_id AND sku = $1)
		)
		SELECT format('order %s %s %s %s: %s', status, stock, payment, reason, string_agg(sku || 'x' || quantity, ' ' ORDER BY line))
		FROM kept JOIN orders.orders USING (order_id) JOIN orders.lines USING (order_id) GROUP BY order_id, status, stock, payment, reason
		UNION ALL SELECT format('level %s %s %s', sku, on_hand, reserved) FROM stock.levels WHERE sku <> $1
		UNION ALL SELECT format('money %s %s %s', status, captured_minor, refunded_minor) FROM kept JOIN payments.payments USING (order_id)
		UNION ALL SELECT format('mail %s %s', kind, status) FROM kept JOIN mail.mails USING (order_id)
		UNION ALL SELECT format('event %s %s', type, count(*)) FROM kept JOIN bus.event USING (order_id) GROUP BY type
		UNION ALL SELECT format('movement %s %s', kind, sum(quantity)) FROM stock.movements JOIN stock.levels USING (level_id) WHERE sku <> $1 GROUP BY kind
		ORDER BY 1`, changeable)
	require.NoError(s.t, err)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(s.t, rows.Scan(&line))
		lines = append(lines, line)
	}
	return lines
}

// mails are the subjects in the mailbox.
func (s *shop) mails() (subjects []string) {
	s.t.Helper()
	answer, err := http.Get(s.url + "/mailbox.json")
	require.NoError(s.t, err)
	defer answer.Body.Close()
	var all []struct{ Subject string }
	require.NoError(s.t, json.NewDecoder(answer.Body).Decode(&all))
	for _, m := range all {
		subjects = append(subjects, m.Subject)
	}
	return subjects
}
