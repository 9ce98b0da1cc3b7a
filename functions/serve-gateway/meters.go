package servegateway

import (
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
		m.registry.MustRegister(newLedger(pool))
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
