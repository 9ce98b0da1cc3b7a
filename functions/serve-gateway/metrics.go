package servegateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// metrics holds the metrics of requests. Their labels are route patterns, so the number of series depends on the routes
// and not on the paths that callers request.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	durations *prometheus.HistogramVec
	traffic   prometheus.Counter
}

func newMetrics(rt *function.Runtime) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "HTTP requests by method, route and response status.",
		}, []string{"method", "route", "status"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "errors_total", Help: "HTTP requests with a response status of 500 or above.",
		}, []string{"route"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Time from the first byte of a request to the last one of its response.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"route"}),
		traffic: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "network_traffic_bytes_total", Help: "Bytes of response bodies.",
		}),
	}
	process := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	m.registry.MustRegister(m.requests, m.errors, m.durations, m.traffic, collectors.NewGoCollector(), process)
	if rt.Pool != nil {
		m.registry.MustRegister(newEventMetrics(rt.Pool, declaredFlows()))
		m.registry.MustRegister(programCounters(rt)...)
	}
	return m
}

// programCounters returns counters of what the functions of this program send to the database and the broker.
func programCounters(rt *function.Runtime) []prometheus.Collector {
	counter := func(name, help string, read func() int64) prometheus.Collector {
		opts := prometheus.CounterOpts{Name: name, Help: help}
		return prometheus.NewCounterFunc(opts, func() float64 { return float64(read()) })
	}
	database := pgbatch.CounterOf(rt.Pool)
	return []prometheus.Collector{
		counter("popup_database_statements_total", "Statements that this program sent to the database.", database.Statements),
		counter("popup_database_round_trips_total", "Times that this program waited for the database.", database.RoundTrips),
		counter("popup_events_published_total", "Events that this program published to the broker.", rt.Sent),
	}
}

// expect makes the series of a route present at zero, with the statuses that its contract declares.
func (m *metrics) expect(route function.Route, statuses ...string) {
	m.errors.WithLabelValues(route.Path)
	m.durations.WithLabelValues(route.Path)
	for _, status := range statuses {
		m.requests.WithLabelValues(route.Method, route.Path, status)
	}
}

// observe counts a request.
func (m *metrics) observe(route function.Route, method string, response *statusRecorder, took time.Duration) {
	if route.Method == "" { // callers may invent methods
		method = "other"
	}
	m.requests.WithLabelValues(method, route.Path, strconv.Itoa(response.status)).Inc()
	m.durations.WithLabelValues(route.Path).Observe(took.Seconds())
	m.traffic.Add(float64(response.bytes))
	if response.status >= http.StatusInternalServerError {
		m.errors.WithLabelValues(route.Path).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// declaredStatuses returns the response statuses that the HTTP contract declares, by method and path.
func declaredStatuses() map[string][]string {
	var contract struct {
		Paths map[string]map[string]struct {
			Responses map[string]any
		}
	}
	mustUnmarshal("openapi.yaml", &contract)
	statuses := map[string][]string{}
	for path, methods := range contract.Paths {
		for method, operation := range methods {
			for status := range operation.Responses {
				if status != "default" {
					key := strings.ToUpper(method) + " " + path
					statuses[key] = append(statuses[key], status)
				}
			}
		}
	}
	return statuses
}

// declaredFlows returns which function emits and consumes which types of events, as the contract declares it.
func declaredFlows() (f flows) {
	var contract struct {
		Operations map[string]struct{ Action string }
	}
	mustUnmarshal("asyncapi.yaml", &contract)
	for name, operation := range contract.Operations { // place-order.send.order.placed
		function, eventType, _ := strings.Cut(name, "."+operation.Action+".")
		if operation.Action == "send" {
			f.emitted = append(f.emitted, eventKey{eventType, function})
		} else {
			f.consumers = append(f.consumers, function)
		}
	}
	return f
}

// mustUnmarshal reads a document of schemas/. It panics if the document can't be read.
func mustUnmarshal(file string, into any) {
	if err := json.Unmarshal(document(file), into); err != nil {
		panic(fmt.Errorf("read %s: %w", file, err))
	}
}
