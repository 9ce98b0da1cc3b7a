package local

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/popup-shop/popup/internal/jetstream"
)

// Deliver posts an event to a function's program, in binary mode. The status is 0 when the program could not be reached, and 502
// when it was and did not respond.
func (a *Processes) Deliver(ctx context.Context, name string, e jetstream.Event) jetstream.Response {
	id := e.Attributes["id"]
	leave, err := a.lane(ctx, name, id)
	if err != nil {
		return jetstream.Response{}
	}
	defer leave()
	address, done, err := a.use(ctx, name)
	if err != nil {
		return jetstream.Response{}
	}
	defer done()
	var reached atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(w httptrace.WroteRequestInfo) { reached.Store(w.Err == nil) },
	})
	response, err := jetstream.Post(traced, &a.client, address.String()+"/", e)
	ended := err != nil && reached.Load() && ctx.Err() == nil
	a.suspect(name, id, ended)
	if ended {
		return jetstream.Response{Status: http.StatusBadGateway}
	}
	return response
}

// ServeHTTP passes a request to the function that its host names, as a cluster's ingress does: by its name and namespace, or
// longer. A name alone is 404.
func (a *Processes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := a.functionAt(r.Host)
	if !ok {
		http.Error(w, "There is no function at this host. Its address is its name and namespace, such as serve-orders."+namespace+".", http.StatusNotFound)
		return
	}
	a.Handler(name).ServeHTTP(w, r)
}

// namespace is that of the shop on a cluster.
const namespace = "shop"

// functionAt returns the function that a host names.
func (a *Processes) functionAt(host string) (name string, ok bool) {
	if withoutPort, _, err := net.SplitHostPort(host); err == nil {
		host = withoutPort
	}
	host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ".cluster.local"), ".svc")
	name, in, _ := strings.Cut(host, ".")
	return name, in == namespace && slices.Contains(a.Functions, name)
}

// Handler passes requests to a function.
func (a *Processes) Handler(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, done, err := a.use(r.Context(), name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer done()
		proxy := &httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) { forward(p, address) },
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
			},
		}
		proxy.ServeHTTP(w, r)
	})
}

// forward sends a request on as an ingress does: it adds the address of the connection to X-Forwarded-For.
func forward(p *httputil.ProxyRequest, to *url.URL) {
	p.SetURL(to)
	p.Out.Host = p.In.Host
	p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	p.SetXForwarded()
}
