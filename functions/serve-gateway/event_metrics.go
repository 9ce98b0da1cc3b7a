package servegateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/popup-shop/popup/internal/order"
)

const (
	readTimeout = 4 * time.Second // for all queries of one scrape
	freshFor    = 5 * time.Second // between two reads of the database, however often the metrics are scraped
)

// flows lists which functions emit and consume events.
type flows struct {
	emitted   []eventKey
	consumers []string // may repeat
}

// eventKey is a type of event and the function that emits it.
type eventKey struct{ Type, Function string }

// eventMetrics collects the metrics of events, orders and the database from the database. Functions are scaled to zero
// and can't be scraped; the event store records what they emitted and handled.
type eventMetrics struct {
	pool      *pgxpool.Pool
	functions []string // those that emit or consume events
	confirmed prometheus.Histogram

	mu      sync.Mutex
	readAt  time.Time
	emitted eventCounts
	handled handledCounts
	current []prometheus.Metric
}

func newEventMetrics(pool *pgxpool.Pool, declared flows) *eventMetrics {
	m := &eventMetrics{
		pool: pool, emitted: eventCounts{counts: map[eventKey]int64{}},
		handled: handledCounts{counts: map[string]int64{}},
		confirmed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "popup_order_confirmation_seconds", Help: "Time from the placing of an order to its confirmation.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 16),
		}),
	}
	for _, consumer := range declared.consumers {
		m.handled.counts[consumer] = 0
		m.functions = append(m.functions, consumer)
	}
	for _, key := range declared.emitted {
		m.emitted.counts[key] = 0
		m.functions = append(m.functions, key.Function)
	}
	slices.Sort(m.functions)
	m.functions = slices.Compact(m.functions)
	return m
}

var (
	databaseUp = prometheus.NewDesc("popup_database_up",
		"Whether the last reading of the metrics that come from the database succeeded.", nil, nil)
	eventAge = prometheus.NewDesc("popup_event_age_seconds",
		"Age of the oldest event that a function has not handled, 0 if there is none.", []string{"function"}, nil)
	eventsUndelivered = prometheus.NewDesc("popup_events_undelivered",
		"Events that a function has not handled within a few seconds.", []string{"function"}, nil)
	eventAttempts = prometheus.NewDesc("popup_event_retries",
		"Times that undelivered events were published again for a function.", []string{"function"}, nil)
	deadLetters = prometheus.NewDesc("popup_dead_letters",
		"Events that a function could not handle and that wait for a person.", []string{"function"}, nil)
	eventsEmitted = prometheus.NewDesc("popup_events_total",
		"Events by type and by the function that emitted them, since this program was first scraped.", []string{"type", "function"}, nil)
	eventsHandled = prometheus.NewDesc("popup_events_handled_total",
		"Events that a function handled, since this program was first scraped and up to half a minute ago.", []string{"function"}, nil)
	ordersOpen = prometheus.NewDesc("popup_orders_open",
		"Orders that have not reached their final status, by status.", []string{"status"}, nil)
	orderOverdue = prometheus.NewDesc("popup_order_overdue_seconds",
		"How long the open order that is longest past its deadline is past it, 0 if there is none.", nil, nil)
	checkFailures = prometheus.NewDesc("popup_check_failures",
		"Broken promises in the last whole run of popup check.", nil, nil)
	checkTime = prometheus.NewDesc("popup_check_timestamp_seconds",
		"Unix time of the last whole run of popup check, 0 if there was none.", nil, nil)
	databaseCommits = prometheus.NewDesc("popup_database_commits_total",
		"Transactions that were committed in the shop's database.", nil, nil)
	databaseRollbacks = prometheus.NewDesc("popup_database_rollbacks_total",
		"Transactions that were rolled back in the shop's database.", nil, nil)
	databaseSize = prometheus.NewDesc("popup_database_size_bytes",
		"Size of the shop's database on disk.", nil, nil)
	databaseConnections = prometheus.NewDesc("popup_database_connections",
		"Connections to the shop's database.", nil, nil)
	databaseMaxConnections = prometheus.NewDesc("popup_database_max_connections",
		"Connections that the database server admits to all its databases.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (m *eventMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, each := range []*prometheus.Desc{
		databaseUp, eventAge, eventsUndelivered, eventAttempts, deadLetters, eventsEmitted, eventsHandled, ordersOpen,
		orderOverdue,
		checkFailures, checkTime, databaseCommits, databaseRollbacks, databaseSize, databaseConnections,
		databaseMaxConnections,
	} {
		to <- each
	}
	m.confirmed.Describe(to)
}

// Collect implements [prometheus.Collector]. It reads the database unless it did so just now. While the database does
// not respond, popup_database_up is 0 and the other metrics are absent: old figures would pass for current ones.
func (m *eventMetrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.readAt) > freshFor {
		m.refresh()
	}
	for _, metric := range m.current {
		to <- metric
	}
}

func (m *eventMetrics) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	m.current = nil
	if err := m.read(ctx); err != nil {
		m.current = nil
		m.gauge(databaseUp, 0)
		return
	}
	m.gauge(databaseUp, 1)
	m.current = append(m.current, m.confirmed)
	m.readAt = time.Now()
}

func (m *eventMetrics) read(ctx context.Context) error {
	for _, read := range []func(context.Context) error{m.readEvents, m.readCounts, m.readOrders, m.readChecks, m.readDatabase} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *eventMetrics) readEvents(ctx context.Context) error {
	backlogs, err := readBacklogs(ctx, m.pool)
	if err != nil {
		return err
	}
	dead, err := readDeadLetters(ctx, m.pool)
	if err != nil {
		return err
	}
	for _, function := range m.withUndeclared(backlogs, dead) {
		b := backlogs[function]
		m.gauge(eventAge, b.Age, function)
		m.gauge(eventsUndelivered, float64(b.Events), function)
		m.gauge(eventAttempts, float64(b.Retries), function)
		m.gauge(deadLetters, float64(dead[function]), function)
	}
	return nil
}

// withUndeclared returns the declared functions and all others that have a backlog or dead letters.
func (m *eventMetrics) withUndeclared(backlogs map[string]backlog, dead map[string]int64) []string {
	all := slices.Clone(m.functions)
	for function := range backlogs {
		all = append(all, function)
	}
	for function := range dead {
		all = append(all, function)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (m *eventMetrics) readCounts(ctx context.Context) error {
	durations, err := m.emitted.update(ctx, m.pool)
	if err != nil {
		return err
	}
	for _, seconds := range durations {
		m.confirmed.Observe(seconds)
	}
	if err := m.handled.update(ctx, m.pool); err != nil {
		return err
	}
	for key, n := range m.emitted.counts {
		m.counter(eventsEmitted, float64(n), key.Type, key.Function)
	}
	for function, n := range m.handled.counts {
		m.counter(eventsHandled, float64(n), function)
	}
	return nil
}

func (m *eventMetrics) readOrders(ctx context.Context) error {
	orders, err := readOpenOrders(ctx, m.pool)
	if err != nil {
		return err
	}
	for _, status := range order.Statuses() {
		if !status.Ended() {
			m.gauge(ordersOpen, float64(orders[string(status)]), string(status))
		}
	}
	overdue, err := readOverdue(ctx, m.pool)
	m.gauge(orderOverdue, overdue)
	return err
}

func (m *eventMetrics) readChecks(ctx context.Context) error {
	failures, checkedAt, err := readChecks(ctx, m.pool)
	m.gauge(checkFailures, failures)
	m.gauge(checkTime, checkedAt)
	return err
}

func (m *eventMetrics) readDatabase(ctx context.Context) error {
	s, err := readDatabaseStatistics(ctx, m.pool)
	m.counter(databaseCommits, s.Commits)
	m.counter(databaseRollbacks, s.Rollbacks)
	m.gauge(databaseSize, s.Size)
	m.gauge(databaseConnections, s.Connections)
	m.gauge(databaseMaxConnections, s.MaxConnections)
	return err
}

func (m *eventMetrics) gauge(of *prometheus.Desc, value float64, labels ...string) {
	m.current = append(m.current, prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value, labels...))
}

func (m *eventMetrics) counter(of *prometheus.Desc, value float64, labels ...string) {
	m.current = append(m.current, prometheus.MustNewConstMetric(of, prometheus.CounterValue, value, labels...))
}
