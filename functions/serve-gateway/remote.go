package servegateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

const (
	answerIn    = 60 * time.Second // a sleeping function has to wake first
	dialAtMost  = 5 * time.Second
	idlePerHost = 64
)

// remote reaches functions over HTTP.
type remote struct{ settings config.Gateway }

func (g *remote) open(rt *function.Runtime) func(name string) http.Handler {
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
func (g *remote) transport() http.RoundTripper {
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

// unreachable answers for a function that does not, or was not sent a body over the limit.
func unreachable(log *slog.Logger, name string) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		id := r.Header.Get("X-Request-ID")
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			web.NewProblem(http.StatusRequestEntityTooLarge, "too-large", "a request is at most 64 KiB").Write(w, id)
			return
		}
		log.Warn("function did not answer", "function", name, "path", r.URL.Path, "request", id, "error", err)
		web.NewProblem(http.StatusServiceUnavailable, "dependency-down", "a part of the shop does not answer; try again with the same key").Write(w, id)
	}
}
