package servegateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// meters are what is counted about calls. Labels are route patterns, so their number is that of the routes.
type meters struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	errors   *prometheus.CounterVec
	took     *prometheus.HistogramVec
	bytes    prometheus.Counter
}

func newMeters(rt *function.Runtime) *meters {
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
	if rt.Pool != nil {
		m.registry.MustRegister(newLedger(rt.Pool))
		m.registry.MustRegister(processCounters(rt)...)
	}
	return m
}

// processCounters count what the functions of this program send: all functions of a shop, where they share one.
func processCounters(rt *function.Runtime) []prometheus.Collector {
	counter := func(name, help string, read func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) })
	}
	database := pgbatch.CounterOf(rt.Pool)
	return []prometheus.Collector{
		counter("popup_database_statements_total", "Statements sent to the database by this program.", database.Statements),
		counter("popup_database_round_trips_total", "Round trips to the database by this program.", database.RoundTrips),
		counter("popup_events_published_total", "Events published to the broker by this program.", rt.Sent),
	}
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
