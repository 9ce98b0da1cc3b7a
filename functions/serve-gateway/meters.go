package servegateway

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/popup-shop/popup/internal/function"
)

// meters are what is counted about calls. Labels are route patterns, so their number is that of the routes.
type meters struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	errors   *prometheus.CounterVec
	took     *prometheus.HistogramVec
	bytes    prometheus.Counter
}

func newMeters(pool *pgxpool.Pool) *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		calls:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Calls by route and answer."}, []string{"method", "route", "status"}),
		errors:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "errors_total", Help: "Calls that we failed to answer well."}, []string{"route"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "How long calls took.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"route"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "network_traffic_bytes", Help: "Bytes of answers."}),
	}
	m.registry.MustRegister(m.calls, m.errors, m.took, m.bytes, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if pool != nil {
		m.registry.MustRegister(ledger{pool})
	}
	return m
}

// note counts a call.
func (m *meters) note(route function.Route, method string, answer *recorder, took time.Duration) {
	if route.Method == "" { // whatever somebody invents
		method = "other"
	}
	m.calls.WithLabelValues(method, route.Path, strconv.Itoa(answer.status)).Inc()
	m.took.WithLabelValues(route.Path).Observe(took.Seconds())
	m.bytes.Add(float64(answer.bytes))
	if answer.status >= http.StatusInternalServerError {
		m.errors.WithLabelValues(route.Path).Inc()
	}
}

func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// ledger tells how the events of the shop stand whenever it is asked.
type ledger struct{ pool *pgxpool.Pool }

var (
	eventAge = prometheus.NewDesc("popup_event_age_seconds", "Age of the oldest event that somebody has not heard.", nil, nil)
	unheard  = prometheus.NewDesc("popup_events_unheard", "Events that somebody was slow to hear.", nil, nil)
	parked   = prometheus.NewDesc("popup_parked", "Events that nobody could handle.", nil, nil)
)

// Describe names what Collect tells.
func (ledger) Describe(to chan<- *prometheus.Desc) { to <- eventAge; to <- unheard; to <- parked }

// Collect asks the database. When it does not answer, nothing is told.
func (l ledger) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askIn)
	defer cancel()
	s, err := readStanding(ctx, l.pool)
	if err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(eventAge, prometheus.GaugeValue, s.Oldest.Seconds())
	to <- prometheus.MustNewConstMetric(unheard, prometheus.GaugeValue, float64(s.Unheard))
	to <- prometheus.MustNewConstMetric(parked, prometheus.GaugeValue, float64(s.Parked))
}
