package servegateway_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// readStatus returns the failing dependencies and the status code of GET /v1/status.
func readStatus(t testing.TB, gateway string) (away []string, code int) {
	t.Helper()
	response, text := call(t, "GET", gateway+"/v1/status", "")
	var s struct {
		Version      string
		Dependencies []struct {
			Name string
			OK   bool
			MS   *int64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &s), text)
	require.NotEmpty(t, s.Version)
	require.Greater(t, len(s.Dependencies), 5)
	for _, d := range s.Dependencies {
		require.NotNil(t, d.MS, d.Name)
		if !d.OK {
			away = append(away, d.Name)
		}
	}
	return away, response.StatusCode
}

// OPS-42: stops each dependency in turn. Without the mail server the shop still takes orders.
func TestStatusNamesStoppedDependencies(t *testing.T) {
	t.Parallel()
	shop, address := openShop(t)
	gateway := "http://" + address
	away, code := readStatus(t, gateway)
	require.Equal(t, http.StatusOK, code)
	require.Empty(t, away)

	shop.Engine.StopBroker()
	away, code = readStatus(t, gateway)
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"broker"}, away)
	require.NoError(t, shop.Engine.StartBroker(t.Context()))
	_, code = readStatus(t, gateway)
	require.Equal(t, http.StatusOK, code)

	require.NoError(t, shop.Mailbox.Close())
	away, code = readStatus(t, gateway)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, []string{"mail"}, away)

	require.NoError(t, shop.Postgres.Kill())
	away, code = readStatus(t, gateway)
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, []string{"postgres", "events", "dead-letters", "mail"}, away)
}

// OPS-42: the status includes the dependencies of the settings.
func TestStatusShowsConfiguredDependencies(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	bucket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gateway := copyOf(t, shop.Pool, config.Gateway{StatusOf: []string{"s3=" + bucket.Addr().String()}}, echo("any"))
	away, _ := readStatus(t, gateway)
	require.Empty(t, away)
	require.NoError(t, bucket.Close())
	away, code := readStatus(t, gateway)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, []string{"s3"}, away)
}

// openMetrics serves the gateway of a shop under its own role, and returns a function that scrapes it.
func openMetrics(t testing.TB, shop *shoptest.Shop) (scrape func() string) {
	t.Helper()
	gateway := servegateway.Within(testSettings())(func(name string) http.Handler { return echo(name) })
	server := httptest.NewServer(shop.Runtime(t, "serve-gateway").ServeMux(&gateway))
	t.Cleanup(server.Close)
	scraper := shoptest.Bearer(t, token.Claims{ID: uuid.NewString(), Role: token.Client, Scopes: []string{"metrics"}})
	return func() string {
		response, text := call(t, "GET", server.URL+"/metrics", "", "Authorization", scraper)
		require.Equal(t, http.StatusOK, response.StatusCode, text)
		return text
	}
}

// requireMetrics waits until the metrics contain the lines.
func requireMetrics(t testing.TB, scrape func() string, lines ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		text := scrape()
		for _, line := range lines {
			assert.Contains(c, text, "\n"+line+"\n")
		}
	}, 20*time.Second, 100*time.Millisecond)
}

// OPS-43: counted from the event store, with the permissions of the gateway.
func TestMetricsCountEventsOfFunctions(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	scrape := openMetrics(t, shop)
	requireMetrics(t, scrape, `popup_events_total{function="place-order",type="order.placed"} 0`) // counted from here on
	orders := func(n int) {
		for range n {
			shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
		}
	}
	orders(2)
	requireMetrics(t, scrape, `popup_events_total{function="place-order",type="order.placed"} 2`)
	orders(1)
	requireMetrics(t, scrape, `popup_events_total{function="place-order",type="order.placed"} 3`, `popup_orders_open{status="pending"} 3`)
}

// OPS-43: a count that is zero is present.
func TestMetricsAreCompleteAtZero(t *testing.T) {
	t.Parallel()
	text := openMetrics(t, shoptest.Open(t, functions.All))()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	for _, f := range functions.All(settings) {
		for _, e := range f.Emits {
			require.Contains(t, text, fmt.Sprintf("\npopup_events_total{function=%q,type=%q} 0\n", f.Name, e.EventType()))
		}
		if len(f.On) == 0 {
			continue
		}
		for _, name := range []string{
			"popup_event_age_seconds", "popup_events_undelivered", "popup_event_retries", "popup_dead_letters",
			"popup_events_handled_total",
		} {
			require.Contains(t, text, fmt.Sprintf("\n%s{function=%q} 0\n", name, f.Name))
		}
	}
	for _, status := range order.Statuses() {
		series := fmt.Sprintf("\npopup_orders_open{status=%q} 0\n", status)
		require.Equal(t, !status.Ended(), strings.Contains(text, series), status)
	}
	targets, err := servegateway.Targets()
	require.NoError(t, err)
	for _, target := range targets {
		require.Contains(t, text, fmt.Sprintf("\nerrors_total{route=%q} 0\n", target.Path))
		require.Contains(t, text, fmt.Sprintf("\nhttp_request_duration_seconds_count{route=%q} 0\n", target.Path))
		require.Contains(t, text, fmt.Sprintf("\nhttp_requests_total{method=%q,route=%q,status=\"20", target.Method, target.Path))
	}
	for _, line := range []string{
		"popup_database_up 1", "popup_order_overdue_seconds 0", "popup_check_failures 0",
		"popup_check_timestamp_seconds 0",
		"popup_order_confirmation_seconds_count 0", "popup_database_round_trips_total", "popup_events_published_total 0",
		"popup_database_commits_total", "popup_database_rollbacks_total", "popup_database_size_bytes",
		"popup_database_connections",
		"popup_database_max_connections", "network_traffic_bytes_total 0",
	} {
		require.Contains(t, text, "\n"+line)
	}
}

// OPS-43: promtool checks the conventions of names, types and help texts.
func TestMetricsFollowTheConventions(t *testing.T) {
	t.Parallel()
	command := exec.Command("promtool", "check", "metrics")
	command.Stdin = strings.NewReader(openMetrics(t, shoptest.Open(t, functions.All))())
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// OPS-43: each function's backlog, dead letters and handled events, overdue orders, and the last popup check.
func TestMetricsShowBacklogs(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	scrape := openMetrics(t, shop)
	requireMetrics(t, scrape, `popup_events_handled_total{function="send-email"} 0`)
	shop.Exec(t, `
		INSERT INTO bus.undelivered (event_id, consumer, created_at, attempts)
		SELECT gen_random_uuid(), 'send-email', now() - interval '1 hour', 3 FROM generate_series(1, 2)`)
	shop.Exec(t, `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) VALUES ('x', 'y', 'z', 'track-order', 'poison', '', '')`)
	shop.Exec(t, `
		INSERT INTO bus.inbox (event_id, consumer, claimed_at) SELECT gen_random_uuid(), 'send-email', now() - interval '24.9 s' FROM generate_series(1, 7)`)
	shop.Exec(t, `
		INSERT INTO bus.checks (domain, promise, failures, checked_at) VALUES ('stock', 'a', 2, 'epoch'), ('bus', 'b', 1, 'epoch')`)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.ChangeOrder(t, placed.ID, "deadline = now() - interval '1 hour'")
	requireMetrics(t, scrape, `popup_events_undelivered{function="send-email"} 2`, `popup_event_retries{function="send-email"} 6`,
		`popup_dead_letters{function="track-order"} 1`, `popup_events_handled_total{function="send-email"} 7`, `popup_check_failures 3`)
	require.Regexp(t, `\npopup_event_age_seconds\{function="send-email"\} 36\d\d`, scrape())
	require.Regexp(t, `\npopup_order_overdue_seconds 36\d\d`, scrape())
}

// OPS-44: popup_database_up is 0 while the database does not respond.
func TestMetricsShowADatabaseFailure(t *testing.T) {
	t.Parallel()
	server := dbtest.Server(t)
	gateway := copyOf(t, shoptest.OpenPool(t, server.URL()), config.Gateway{}, echo("any"))
	scrape := func() string {
		_, text := call(t, "GET", gateway+"/metrics", "", "Authorization", bearer(t, token.Staff))
		return text
	}
	requireMetrics(t, scrape, "popup_database_up 1")
	require.NoError(t, server.Kill())
	requireMetrics(t, scrape, "popup_database_up 0")
	require.NotContains(t, scrape(), "popup_dead_letters{", "old figures would pass for current ones")
}
