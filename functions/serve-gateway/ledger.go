package servegateway

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	countIn  = 4 * time.Second // the first count reads all that was ever said
	freshFor = 5 * time.Second // so that many who scrape do not ask the database more often
)

// ledger tells how events and orders stand. Functions sleep, and nobody can ask them: the database knows what they did.
type ledger struct {
	pool *pgxpool.Pool

	mu    sync.Mutex
	read  time.Time
	said  tally
	known []prometheus.Metric
}

// tally is how often each function said each type of event, up to a mark of the log.
type tally struct {
	mark   string
	counts map[spoken]int64
}

// spoken is a type of event, and the function that says it.
type spoken struct{ Type, Function string }

func newLedger(pool *pgxpool.Pool) *ledger {
	return &ledger{pool: pool, said: tally{"0", map[spoken]int64{}}}
}

var (
	eventAge = prometheus.NewDesc("popup_event_age_seconds", "Age of the oldest event that somebody has not heard.", nil, nil)
	unheard  = prometheus.NewDesc("popup_events_unheard", "Events that somebody was slow to hear.", nil, nil)
	parked   = prometheus.NewDesc("popup_parked", "Events that nobody could handle.", nil, nil)
	told     = prometheus.NewDesc("popup_events_total", "Events by type and by the function that said them.", []string{"type", "function"}, nil)
	open     = prometheus.NewDesc("popup_orders_open", "Orders that are not at their end, by status.", []string{"status"}, nil)
)

// Describe names what Collect tells.
func (*ledger) Describe(to chan<- *prometheus.Desc) {
	for _, each := range []*prometheus.Desc{eventAge, unheard, parked, told, open} {
		to <- each
	}
}

// Collect asks the database, unless it did just now. When it does not answer, nothing is told.
func (l *ledger) Collect(to chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.read) > freshFor {
		ctx, cancel := context.WithTimeout(context.Background(), countIn)
		defer cancel()
		l.known = nil
		if err := l.ask(ctx); err != nil {
			return
		}
		l.read = time.Now()
	}
	for _, metric := range l.known {
		to <- metric
	}
}

func (l *ledger) ask(ctx context.Context) error {
	standing, err := readStanding(ctx, l.pool)
	if err != nil {
		return err
	}
	orders, err := readOpenOrders(ctx, l.pool)
	if err != nil {
		return err
	}
	if err := l.said.goOn(ctx, l.pool); err != nil {
		return err
	}
	gauge := func(of *prometheus.Desc, value float64, labels ...string) {
		l.known = append(l.known, prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value, labels...))
	}
	gauge(eventAge, standing.Oldest.Seconds())
	gauge(unheard, float64(standing.Unheard))
	gauge(parked, float64(standing.Parked))
	for status, n := range orders {
		gauge(open, float64(n), status)
	}
	for of, n := range l.said.counts {
		l.known = append(l.known, prometheus.MustNewConstMetric(told, prometheus.CounterValue, float64(n), of.Type, of.Function))
	}
	return nil
}
