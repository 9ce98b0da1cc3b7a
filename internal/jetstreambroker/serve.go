package jetstreambroker

import (
	"context"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"

	"github.com/popup-shop/popup/internal/jetstream"
)

// ready is the condition of a Trigger's consumer that was made.
var ready = &apis.Condition{Type: apis.ConditionReady, Status: corev1.ConditionTrue}

// drain is how long requests have to end when the program stops.
const drain = 20 * time.Second

// metricsPort is the port of GET /metrics: events come to another one.
const metricsPort = "9090"

func newServer(port string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr: net.JoinHostPort("", port), Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

// serve accepts events at /namespace/broker until ctx ends. GET /healthz responds while the program runs, GET /readyz while it is
// connected to NATS.
func serve(ctx context.Context, port string, p *plane) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !p.conn.IsConnected() {
			http.Error(w, "NATS can't be reached.", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/", jetstream.Ingress(p.find))
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", p.metrics.Handler())
	go func() { _ = newServer(metricsPort, metrics).ListenAndServe() }()
	server := newServer(port, mux)
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		stopped <- server.Shutdown(ending)
	})
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return <-stopped
}
