package web

import (
	"context"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/tracing"
)

type middleware = func(huma.Context, func(huma.Context))

type responseKey struct{}

// responseFrom returns the response that is being written for the request of ctx, nil outside a request.
func responseFrom(ctx context.Context) huma.Context {
	response, _ := ctx.Value(responseKey{}).(huma.Context)
	return response
}

// authMiddleware rejects callers who may not use the route, and passes the auth.Request on in the context.
func authMiddleware(api huma.API, a auth.Authenticator) middleware {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		rule, _ := ctx.Operation().Metadata["access"].(access.Access)
		setAccept(r.Header, ctx.Operation())
		caller, p := a.Authorize(w, r, rule)
		if p != nil {
			p.Respond(api, ctx)
			return
		}
		inner := auth.NewContext(ctx.Context(), auth.Request{
			Caller: caller, Access: rule, Route: r.Method + " " + ctx.Operation().Path, Path: r.URL.Path,
			ID: r.Header.Get("X-Request-ID"), Header: r.Header.Get, Source: source(r),
		})
		inner = context.WithValue(inner, responseKey{}, ctx)
		next(huma.WithContext(ctx, cloudevent.WithTrace(inner, r.Header.Get("Traceparent"))))
	}
}

// encodingMiddleware rejects a body that is compressed or not in UTF-8: it would be read as something else.
func encodingMiddleware(api huma.API) middleware {
	return func(ctx huma.Context, next func(huma.Context)) {
		if !isPlainUTF8(ctx.Header("Content-Type"), ctx.Header("Content-Encoding")) {
			problem.New(http.StatusUnsupportedMediaType, "unsupported", "The body must be in UTF-8, and not compressed.").Respond(api, ctx)
			return
		}
		next(ctx)
	}
}

// isPlainUTF8 reports whether headers declare no other encoding than UTF-8, of which ASCII is a part.
func isPlainUTF8(contentType, contentEncoding string) bool {
	if contentEncoding != "" && !strings.EqualFold(contentEncoding, "identity") {
		return false
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return !strings.Contains(strings.ToLower(contentType), "charset") // others are rejected as an unknown type, or are none
	}
	switch strings.ToLower(parameters["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}

// setAccept leaves in a request the one media type of its response, which its path decides: CSV for tables, JSON for everything else.
func setAccept(header http.Header, o *huma.Operation) {
	header.Del("Accept")
	if IsTable(o) {
		header.Set("Accept", typeCSV)
	}
}

// source returns the network address that the gateway put first into X-Forwarded-For, or that of the connection. Proxies between
// the gateway and a function append theirs.
func source(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	if address, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil {
		return address.String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// dayMiddleware has a day in a query, such as from=2026-11-29, stand for its beginning in UTC where a time is expected.
func dayMiddleware(ctx huma.Context, next func(huma.Context)) { next(dayContext{ctx}) }

type dayContext struct{ humaContext }

var day = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// Query returns the value of a query parameter.
func (c dayContext) Query(name string) string {
	value := c.humaContext.Query(name)
	if !day.MatchString(value) {
		return value
	}
	for _, p := range c.Operation().Parameters {
		if p.Name == name && p.Schema.Format == "date-time" {
			return value + "T00:00:00Z"
		}
	}
	return value
}

// recoverMiddleware turns a panic of a handler into a problem. Without it, net/http would close the connection, and the gateway
// would consider the function unavailable.
func recoverMiddleware(api huma.API, rt *function.Runtime, name string) middleware {
	return func(ctx huma.Context, next func(huma.Context)) {
		defer func() {
			p := recover()
			if p == nil || p == http.ErrAbortHandler {
				return
			}
			rt.Log.ErrorContext(ctx.Context(), "panic",
				"function", name, "request", ctx.Header("X-Request-ID"), "panic", p, "stack", string(debug.Stack()))
			problem.Internal().Respond(api, ctx)
		}()
		next(ctx)
	}
}

// traceMiddleware records a span for each request, and exports it before the request ends.
func traceMiddleware(rt *function.Runtime, name string) middleware {
	return func(ctx huma.Context, next func(huma.Context)) {
		if rt.Tracer == nil {
			next(ctx)
			return
		}
		operation := ctx.Operation()
		inner, span := rt.Tracer.Start(ctx.Context(), name, operation.Method+" "+operation.Path, tracing.Server,
			attribute.String("http.request.method", operation.Method), attribute.String("http.route", operation.Path))
		defer func() {
			span.Set(attribute.Int("http.response.status_code", ctx.Status()))
			span.End(statusError(ctx.Status()))
			rt.Tracer.Flush(inner)
		}()
		next(huma.WithContext(ctx, inner))
	}
}

// statusError returns an error for a status of 500 and more.
func statusError(status int) error {
	if status < http.StatusInternalServerError {
		return nil
	}
	return fmt.Errorf("status %d", status)
}
