package observability_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/seed"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// shop is a whole shop with its own Postgres and broker.
type shop struct {
	*local.Shop
	address string // host:port
	key     ed25519.PrivateKey
}

func openShop(t *testing.T) *shop {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	settings.UseKey(key)
	settings.SimulatedSuccess, settings.RateLimit = 1, 0
	s, err := local.Open(t.Context(), local.Options{
		Dir: t.TempDir(), Profile: jetstream.Spec, Connections: 16, Tick: 500 * time.Millisecond,
		Postgres: map[string]string{"fsync": "off"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, seed.Demo(t.Context(), s.Pool))
	settings.SMTP = s.SMTP
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	require.NoError(t, err)
	gateway := servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})
	door := local.Gateway{Name: "serve-gateway", Within: gateway}
	require.NoError(t, s.Start(context.WithoutCancel(t.Context()), functions.All(settings), triggers, door))
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &shop{s, strings.TrimPrefix(server.URL, "http://"), key}
}

// fetchToken has fetch-token.sh write a token of a new machine client that may read metrics.
func (s *shop) fetchToken(t *testing.T, file string) {
	t.Helper()
	claims := token.Claims{ID: uuid.NewString(), Role: token.Admin, Session: uuid.NewString(), Email: "admin@example.test"}
	require.NoError(t, shoptest.AddAccount(t.Context(), s.Pool, claims))
	admin, err := token.NewSigning(s.key).Sign(claims, time.Now())
	require.NoError(t, err)
	body := strings.NewReader(`{"name": "prometheus", "scopes": ["metrics"]}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+"/v1/clients", body)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+admin)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var made struct{ ID, Secret string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&made))
	require.Equal(t, http.StatusCreated, response.StatusCode)
	command := exec.Command("sh", "fetch-token.sh", file)
	command.Env = append(os.Environ(), "ONCE=1", "SHOP_URL=http://"+s.address, "CLIENT_ID="+made.ID,
		"CLIENT_SECRET="+made.Secret)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// load keeps customers busy until the test ends: they look at goods, place orders, and ask for what is not
// there.
func (s *shop) load(t *testing.T) {
	t.Helper()
	_, err := s.Pool.Exec(t.Context(), `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'adjustment', 100000, 'test' FROM stock.levels WHERE sku = $1`, shoptest.Cap)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var customers sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		customers.Wait()
	})
	order, err := json.Marshal(shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	require.NoError(t, err)
	for range 2 {
		customers.Go(func() {
			for ctx.Err() == nil {
				s.call(ctx, http.MethodGet, "/v1/products", nil)
				s.call(ctx, http.MethodGet, "/nothing", nil)
				s.call(ctx, http.MethodPost, "/v1/orders", order)
				_, _ = s.Pool.Exec(ctx, `SELECT 1 / 0`) // rolled back
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}

func (s *shop) call(ctx context.Context, method, path string, body []byte) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, strings.NewReader(string(body)))
	if err != nil {
		return
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", uuid.NewString())
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// prometheus is a Prometheus server that scrapes a shop.
type prometheus struct{ url string }

// openPrometheus starts Debian's Prometheus with the scrape configuration of this folder, changed only in where the
// shop is and in how often it is scraped.
func openPrometheus(t *testing.T, s *shop) prometheus {
	t.Helper()
	dir := t.TempDir()
	var settings map[string]any
	readYAML(t, "prometheus.yml", &settings)
	settings["global"] = map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
	var jobs []any
	for _, each := range settings["scrape_configs"].([]any) {
		job := each.(map[string]any)
		delete(job, "dns_sd_configs")
		switch job["job_name"] {
		case "popup":
			job["authorization"] = map[string]any{"credentials_file": filepath.Join(dir, "token")}
		case "popup-delivery":
			job["metrics_path"] = "/metrics/delivery" // beside the gateway, on one machine
		default:
			continue // Knative is not here
		}
		job["static_configs"] = []any{map[string]any{"targets": []string{s.address}}}
		jobs = append(jobs, job)
	}
	settings["scrape_configs"] = jobs
	rules, err := os.ReadFile("rules.yml")
	require.NoError(t, err)
	changed, err := yaml.Marshal(settings)
	require.NoError(t, err)
	s.fetchToken(t, filepath.Join(dir, "token"))
	for name, text := range map[string][]byte{"prometheus.yml": changed, "rules.yml": rules} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return startPrometheus(t, dir)
}

func startPrometheus(t *testing.T, dir string) prometheus {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	command := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var log strings.Builder
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start(), "make needs installs it")
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	p := prometheus{"http://" + address}
	require.Eventually(t, func() bool {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 30*time.Second, 100*time.Millisecond, "Prometheus does not start")
	return p
}

// sample is one series of a result: its value now.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// query returns the result of a query, or why Prometheus refuses it.
func (p prometheus) query(expr string) (samples []sample, err error) {
	response, err := http.Get(p.url + "/api/v1/query?" + url.Values{"query": {expr}}.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s", expr, answer.Error)
	}
	return answer.Data.Result, nil
}

// quiet are the panels that show 0 while nothing is wrong; all others must show more under load.
var quiet = []string{
	"popup: requests: Errors", "popup: requests: Error ratio", "popup: orders: Past the deadline", "popup: orders: Broken promises",
	"popup: orders: Last check", "popup: events: Age", "popup: events: Undelivered", "popup: events: Retries", "popup: events: Dead letters",
	"popup: broker: Lag", "popup: broker: Retries", "popup: broker: Stored", "popup: broker: Events", "popup: functions: Starts",
}

// largest returns the largest number of a result, if it has any.
func largest(samples []sample) (number float64, ok bool) {
	for _, s := range samples {
		value, err := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
		if err == nil && !math.IsNaN(value) {
			number, ok = max(number, value), true
		}
	}
	return number, ok
}

// panel is a panel of a dashboard.
type panel struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Targets     []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// readPanels returns the panels of all dashboards, by dashboard.
func readPanels(t *testing.T) map[string][]panel {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string][]panel{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Title  string  `json:"title"`
			Panels []panel `json:"panels"`
		}
		require.NoError(t, json.Unmarshal(text, &board), file)
		require.NotEmpty(t, board.Panels, file)
		all[board.Title] = board.Panels
	}
	return all
}

// OPS-44, OPS-46: under load, each query of each panel has data in a Prometheus that scrapes the shop as on a cluster,
// and every metric that an alert is made of is there.
func TestDashboardsAndAlertsHaveData(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := openPrometheus(t, s)
	s.load(t)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		up, err := p.query(`up == 1`)
		assert.NoError(c, err)
		assert.Len(c, up, 2, "targets")
	}, 20*time.Second, 200*time.Millisecond)
	for title, panels := range readPanels(t) {
		for _, each := range panels {
			require.NotEmpty(t, each.Description, "%s: %s", title, each.Title)
			require.NotEmpty(t, each.Targets, "%s: %s", title, each.Title)
			for _, target := range each.Targets {
				name := title + ": " + each.Title
				p.requireData(t, name, !slices.Contains(quiet, name), strings.ReplaceAll(target.Expr, "$__rate_interval", "10s"))
			}
		}
	}
	for _, r := range readRules(t) {
		for _, metric := range metricsOf(r.Expr) {
			p.requireData(t, r.Alert, false, metric)
		}
	}
}

// requireData requires that a query has a number soon, above 0 if moves is set. What functions handled is counted half
// a minute later.
func (p prometheus) requireData(t *testing.T, of string, moves bool, expr string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		samples, err := p.query(expr)
		assert.NoError(c, err, of)
		number, ok := largest(samples)
		assert.True(c, ok, "%s has no data: %s", of, expr)
		assert.True(c, !moves || number > 0, "%s does not move: %s", of, expr)
	}, time.Minute, 200*time.Millisecond)
}

var metricForm = regexp.MustCompile(`(popup_[a-z_]+|errors_total|\bup)(\{[^}]*\})?`)

// metricsOf returns the selectors of an expression.
func metricsOf(expr string) []string {
	return metricForm.FindAllString(expr, -1)
}
