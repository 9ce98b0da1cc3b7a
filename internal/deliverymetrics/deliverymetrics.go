// Package deliverymetrics holds the Prometheus metrics of a process that delivers events: results and durations by
// function, the lag of each consumer, the broker itself, and the copies of functions where the process starts them.
//
//	m := deliverymetrics.New(functions, engine.BrokerState)
//	m.Count("reserve-stock", deliverymetrics.Accepted)
//	http.Handle("GET /metrics", m.Handler())
package deliverymetrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapeTimeout bounds the reading of the broker's state.
const scrapeTimeout = 2 * time.Second

// Result is what became of an attempt to deliver an event.
type Result string

// The results.
const (
	Accepted     Result = "accepted"
	Retried      Result = "retried"       // to be delivered again later
	DeadLettered Result = "dead_lettered" // handed to the dead-letter sink
	Dropped      Result = "dropped"       // neither retried nor handed to a sink
	SinkRejected Result = "sink_rejected" // the dead-letter sink did not accept it: to be delivered again later
)

var results = []Result{Accepted, Retried, DeadLettered, Dropped, SinkRejected}

// BrokerState is the state of the broker.
type BrokerState struct {
	Members int // servers that hold the stream
	Events  uint64
	Bytes   uint64
	Lag     map[string]uint64 // events that wait for or are with each function
}

// Metrics are the metrics of one process. A nil Metrics counts nothing.
type Metrics struct {
	registry  *prometheus.Registry
	attempts  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// New returns the metrics of the delivery to these functions, with every series present at zero. state is called at
// each scrape.
func New(functions []string, state func(context.Context) (BrokerState, error)) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "popup_deliveries_total", Help: "Attempts to deliver an event to a function, by result.",
		}, []string{"function", "result"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "popup_delivery_duration_seconds", Help: "Time until a function responded to an event, its start included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"function"}),
	}
	for _, function := range functions {
		m.durations.WithLabelValues(function)
		for _, result := range results {
			m.attempts.WithLabelValues(function, string(result))
		}
	}
	process := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	m.registry.MustRegister(m.attempts, m.durations, brokerCollector(state), collectors.NewGoCollector(), process)
	return m
}

// Count counts an attempt.
func (m *Metrics) Count(function string, result Result) {
	if m != nil {
		m.attempts.WithLabelValues(function, string(result)).Inc()
	}
}

// Observe records how long a function took to respond.
func (m *Metrics) Observe(function string, took time.Duration) {
	if m != nil {
		m.durations.WithLabelValues(function).Observe(took.Seconds())
	}
}

// Copies is how many copies of a function run, and how often one was started.
type Copies struct{ Running, Started int }

// ShowCopies adds the copies of the functions that the process starts; read returns them for every function.
func (m *Metrics) ShowCopies(read func() map[string]Copies) {
	m.registry.MustRegister(copiesCollector(read))
}

// Handler serves the metrics as Prometheus text.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

var (
	brokerUp      = prometheus.NewDesc("popup_broker_up", "Whether the broker responded to the last scrape.", nil, nil)
	brokerMembers = prometheus.NewDesc("popup_broker_members",
		"Servers that hold the broker's stream and are in contact with its leader.", nil, nil)
	brokerEvents = prometheus.NewDesc("popup_broker_events", "Events that the broker stores.", nil, nil)
	brokerBytes  = prometheus.NewDesc("popup_broker_bytes", "Size of the events that the broker stores.", nil, nil)
	deliveryLag  = prometheus.NewDesc("popup_delivery_lag",
		"Events in the broker that a function has not accepted.", []string{"function"}, nil)
	functionCopies = prometheus.NewDesc("popup_function_copies", "Copies of a function that run.", []string{"function"},
		nil)
	functionStarts = prometheus.NewDesc("popup_function_starts_total", "Starts of a copy of a function.",
		[]string{"function"}, nil)
)

// brokerCollector collects the state of the broker.
type brokerCollector func(context.Context) (BrokerState, error)

// Describe implements [prometheus.Collector].
func (brokerCollector) Describe(to chan<- *prometheus.Desc) {
	for _, each := range []*prometheus.Desc{brokerUp, brokerMembers, brokerEvents, brokerBytes, deliveryLag} {
		to <- each
	}
}

// Collect implements [prometheus.Collector].
func (read brokerCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(of *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value, labels...)
	}
	state, err := read(ctx)
	if err != nil {
		gauge(brokerUp, 0)
		return
	}
	gauge(brokerUp, 1)
	gauge(brokerMembers, float64(state.Members))
	gauge(brokerEvents, float64(state.Events))
	gauge(brokerBytes, float64(state.Bytes))
	for function, lag := range state.Lag {
		gauge(deliveryLag, float64(lag), function)
	}
}

// copiesCollector collects the copies of functions.
type copiesCollector func() map[string]Copies

// Describe implements [prometheus.Collector].
func (copiesCollector) Describe(to chan<- *prometheus.Desc) {
	to <- functionCopies
	to <- functionStarts
}

// Collect implements [prometheus.Collector].
func (read copiesCollector) Collect(to chan<- prometheus.Metric) {
	for function, c := range read() {
		to <- prometheus.MustNewConstMetric(functionCopies, prometheus.GaugeValue, float64(c.Running), function)
		to <- prometheus.MustNewConstMetric(functionStarts, prometheus.CounterValue, float64(c.Started), function)
	}
}
