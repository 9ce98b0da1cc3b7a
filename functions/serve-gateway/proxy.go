package servegateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	responseTimeout = 60 * time.Second // a function may have to start first
	dialTimeout     = 5 * time.Second
	idlePerHost     = 64
)

// proxy forwards requests to functions over HTTP.
type proxy struct{ settings config.Gateway }

func (p *proxy) open(rt *function.Runtime) func(name string) http.Handler {
	transport := p.transport()
	return func(name string) http.Handler {
		upstream, err := url.Parse(strings.ReplaceAll(p.settings.Upstream, "{function}", name))
		if err != nil {
			panic(fmt.Errorf("FUNCTION_URL=%s: %w", p.settings.Upstream, err))
		}
		return &httputil.ReverseProxy{
			Transport:    transport,
			Rewrite:      func(r *httputil.ProxyRequest) { forward(r, upstream) },
			ErrorHandler: errorHandler(rt.Log, name),
		}
	}
}

// forward rewrites a request for a function. X-Forwarded-For is the address that the gateway determined, never the
// caller's header.
func forward(r *httputil.ProxyRequest, upstream *url.URL) {
	r.SetURL(upstream)
	r.Out.Host = upstream.Host
	r.SetXForwarded()
	r.Out.Header.Set("X-Forwarded-For", r.In.Header.Get("X-Forwarded-For"))
}

// transport connects to each function by its host name, or to all of them through one ingress that routes by host name.
func (p *proxy) transport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: responseTimeout}
	transport.DialContext = dialer.DialContext
	if via := p.settings.Via; via != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, via)
		}
	}
	return transport
}

// body marks the errors of a request body, which are not errors of the function.
type body struct{ io.ReadCloser }

// bodyError is an error in reading a request body: too large, too slow, incomplete or malformed.
type bodyError struct{ error }

func (c bodyError) Unwrap() error { return c.error }

// Read wraps its errors as body errors.
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = bodyError{err}
	}
	return n, err
}

// errorHandler returns the error handler of a proxy: it responds when the function did not, or when the request body
// failed.
func errorHandler(log *slog.Logger, name string) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		id := r.Header.Get("X-Request-ID")
		var sent bodyError
		if errors.As(err, &sent) {
			bodyProblem(sent).Write(w, r)
			return
		}
		if response, ok := w.(*statusRecorder); ok {
			response.unreachable = true
		}
		log.WarnContext(r.Context(), "function did not respond", "function", name, "route", r.Pattern, "request", id, "error", err)
		respondUnreachable().ServeHTTP(w, r)
	}
}

// respondUnreachable responds with the problem that a function gave no response.
func respondUnreachable() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		problem.New(http.StatusServiceUnavailable, "dependency-down",
			"A part of the shop does not respond. Try again, with the same Idempotency-Key.").Write(w, r)
	}
}

// bodyProblem returns the problem for a request body that could not be read.
func bodyProblem(c bodyError) *problem.Problem {
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(c, &tooLarge):
		return problem.TooLarge()
	case errors.As(c, &network) && network.Timeout():
		return problem.New(http.StatusRequestTimeout, "too-slow", "The body of the request did not arrive in time.")
	}
	return problem.Invalid(problem.FieldError{Field: "body", Message: "is incomplete"})
}
