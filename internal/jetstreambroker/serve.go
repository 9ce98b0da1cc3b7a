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

// metricsPort is the port of the metrics: events come to another one.
const metricsPort = "9090"

// ingress returns the handler that accepts events at /namespace/broker. GET /healthz responds while the program runs,
// GET /readyz while it is connected to NATS.
func (p *plane) ingress() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !p.conn.IsConnected() {
			http.Error(w, "NATS can't be reached.", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/", jetstream.Ingress(p.find))
	return mux
}

// newServer returns a server that waits 10 s at most for a request, body included, so that slow callers end.
func newServer(port string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr: net.JoinHostPort("", port), Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

// serve serves a handler until ctx ends, then waits for the requests in hand.
func serve(ctx context.Context, port string, handler http.Handler) error {
	server := newServer(port, handler)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return server.Shutdown(ending)
}
