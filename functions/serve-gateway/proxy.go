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
	answerIn    = 60 * time.Second // a sleeping function has to wake first
	dialAtMost  = 5 * time.Second
	idlePerHost = 64
)

// proxy reaches functions over HTTP.
type proxy struct{ settings config.Gateway }

func (g *proxy) open(rt *function.Runtime) func(name string) http.Handler {
	transport := g.transport()
	return func(name string) http.Handler {
		upstream, err := url.Parse(strings.ReplaceAll(g.settings.Upstream, "{function}", name))
		if err != nil {
			panic(fmt.Errorf("FUNCTION_URL=%s: %w", g.settings.Upstream, err))
		}
		return &httputil.ReverseProxy{
			Transport:    transport,
			Rewrite:      func(r *httputil.ProxyRequest) { forward(r, upstream) },
			ErrorHandler: unreachable(rt.Log, name),
		}
	}
}

// forward sends a call on. Where it came from is what the gateway says, and nothing that the caller made up.
func forward(r *httputil.ProxyRequest, upstream *url.URL) {
	r.SetURL(upstream)
	r.Out.Host = upstream.Host
	r.SetXForwarded()
	r.Out.Header.Set("X-Forwarded-For", r.In.Header.Get("X-Forwarded-For"))
}

// transport reaches every function by its own name, or all of them through one address that tells them apart by name.
func (g *proxy) transport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: dialAtMost}
	transport := &http.Transport{MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: answerIn}
	transport.DialContext = dialer.DialContext
	if via := g.settings.Via; via != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, via)
		}
	}
	return transport
}

// body is what a caller sends.
type body struct{ io.ReadCloser }

// cut is what goes wrong with a body: it is too large, too slow, breaks off or is no body.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

// Read marks its errors, so that nobody takes them for those of a function.
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = cut{err}
	}
	return n, err
}

// unreachable answers for a function that does not, or that was not sent all of a body.
func unreachable(log *slog.Logger, name string) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		id := r.Header.Get("X-Request-ID")
		var sent cut
		if errors.As(err, &sent) {
			refused(sent).Write(w, r)
			return
		}
		if response, ok := w.(*statusRecorder); ok {
			response.unreachable = true
		}
		log.WarnContext(r.Context(), "function did not answer", "function", name, "route", r.Pattern, "request", id, "error", err)
		unreachableNow().ServeHTTP(w, r)
	}
}

// unreachableNow answers that a function gave no response.
func unreachableNow() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		problem.New(http.StatusServiceUnavailable, "dependency-down", "a part of the shop does not answer; try again with the same key").Write(w, r)
	}
}

// refused is what the sender of a body hears about it.
func refused(c cut) *problem.Problem {
	var tooLarge *http.MaxBytesError
	var network net.Error
	switch {
	case errors.As(c, &tooLarge):
		return problem.New(http.StatusRequestEntityTooLarge, "too-large", "this is more than the route takes: 64 KiB, or what its contract says")
	case errors.As(c, &network) && network.Timeout():
		return problem.New(http.StatusRequestTimeout, "too-slow", "the body does not come")
	}
	return problem.Invalid(problem.FieldError{Field: "body", Message: "breaks off"})
}
