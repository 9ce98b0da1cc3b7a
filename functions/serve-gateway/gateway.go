package servegateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/tracing"
)

const maxBody = 64 << 10

// gateway is what every call goes through.
type gateway struct {
	keeper  auth.Authenticator
	limits  *limits
	metrics *metrics
	tracer  *tracing.Tracer
	log     *slog.Logger
	hops    int
	secure  bool
	origin  originWatch
}

// guard lets calls through to a handler that may take the route and do not come too often.
func (d *gateway) guard(route function.Route, to http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		requestID := setRequestID(r)
		r, span := d.trace(route, r)
		answer := &statusRecorder{ResponseWriter: w}
		d.protect(answer, requestID)
		answer.Header().Set("Traceparent", r.Header.Get("Traceparent"))
		source := d.source(r)
		r.Header.Set("X-Forwarded-For", source)
		d.warnOfHops(source)
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				d.log.ErrorContext(r.Context(), "panic", "function", name, "route", route.Path, "request", requestID, "panic", p, "stack", string(debug.Stack()))
				problem.New(http.StatusInternalServerError, "internal", "this is our fault; the request id finds it in our logs").Write(answer, r)
			}
			d.metrics.observe(route, r.Method, answer, time.Since(began))
			d.logCall(route, r, answer, began)
			d.endTrace(r.Context(), span, answer.status)
			if p == http.ErrAbortHandler { // the caller must see that the response is not whole
				panic(p)
			}
		}()
		if r.Method == http.MethodOptions {
			answer.WriteHeader(http.StatusNoContent)
			return
		}
		caller, problem := d.keeper.Authorize(answer, r, route.Access)
		if problem == nil {
			problem = d.limits.Allow(answer, r, caller)
		}
		if problem != nil {
			problem.Write(answer, r)
			return
		}
		stripEventHeaders(r)
		bounded := r.WithContext(r.Context()) // a copy: with another body in its call the server takes what is left of one for the next call
		bounded.Body = body{http.MaxBytesReader(w, r.Body, max(maxBody, route.MaxBody))}
		to.ServeHTTP(answer, bounded)
	}
}

// trace starts the span of a request, which is a part of its caller's trace if that has one. Without a collector of traces there
// is only a traceparent.
func (d *gateway) trace(route function.Route, r *http.Request) (*http.Request, *tracing.Span) {
	ctx, caller := r.Context(), r.Header.Get("Traceparent")
	if _, _, ok := cloudevent.SplitTrace(caller); ok || d.tracer == nil { // otherwise the span is the first of a trace
		ctx = cloudevent.WithTrace(ctx, caller)
	}
	ctx, span := d.tracer.Start(ctx, name, strings.TrimSpace(route.Method+" "+route.Path), tracing.Server)
	span.Set(attribute.String("http.route", route.Path))
	r.Header.Set("Traceparent", cloudevent.Trace(ctx))
	return r.WithContext(ctx), span
}

func (d *gateway) endTrace(ctx context.Context, span *tracing.Span, status int) {
	span.Set(attribute.Int("http.response.status_code", status))
	var err error
	if status >= http.StatusInternalServerError {
		err = fmt.Errorf("status %d", status)
	}
	span.End(err)
	d.tracer.Flush(ctx)
}

// logCall writes the one line of a request. A path is not logged, since callers may put anything into it.
func (d *gateway) logCall(route function.Route, r *http.Request, response *statusRecorder, began time.Time) {
	method := r.Method
	if route.Method == "" { // callers may invent methods
		method = "other"
	}
	attributes := []any{
		"function", name, "method", method, "route", route.Path, "status", response.status, "ms", time.Since(began).Milliseconds(),
		"request", r.Header.Get("X-Request-ID"),
	}
	if order := orderOf(route, r, response); order != "" {
		attributes = append(attributes, "order", order)
	}
	d.log.InfoContext(r.Context(), "call", attributes...)
}

const ordersPath = "/v1/orders/"

// orderOf returns the order that a request is about: the one in its path, or the one that it placed.
func orderOf(route function.Route, r *http.Request, response *statusRecorder) string {
	order := strings.TrimPrefix(response.Header().Get("Location"), ordersPath)
	if strings.HasPrefix(route.Path, ordersPath+"{id}") {
		order = r.PathValue("id")
	}
	if !id.Valid(order) {
		return ""
	}
	return order
}

// stripEventHeaders takes away what only brokers may say.
func stripEventHeaders(r *http.Request) {
	for header := range r.Header {
		if strings.HasPrefix(header, "Ce-") {
			r.Header.Del(header)
		}
	}
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// setRequestID takes over the caller's request id or makes one.
func setRequestID(r *http.Request) string {
	id := r.Header.Get("X-Request-ID")
	if !requestIDForm.MatchString(id) {
		id = strings.ToLower(rand.Text())
	}
	r.Header.Set("X-Request-ID", id)
	return id
}

// source is the address that the call came from: as far back as there are proxies that tell the truth.
func (d *gateway) source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	told := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if at := len(told) - d.hops; d.hops > 0 && at >= 0 {
		if address := strings.TrimSpace(told[at]); net.ParseIP(address) != nil {
			return address
		}
	}
	return host
}

// protect sets the headers of every answer. Pages of others may call with a token of their own and see the answer; cookies
// are never theirs to use.
func (d *gateway) protect(w http.ResponseWriter, id string) {
	h := w.Header()
	h.Set("X-Request-ID", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if d.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, Popup-Basket-Token, Popup-Order-Token, Prefer, Traceparent, X-Request-ID")
	h.Set("Access-Control-Expose-Headers", "Cache-Status, Content-Language, ETag, Idempotency-Replayed, Location, Preference-Applied, Retry-After, Traceparent, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID")
	h.Set("Access-Control-Max-Age", "600")
}

// statusRecorder is a ResponseWriter that records the status and the number of bytes.
type statusRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64

	unreachable bool // there was no function to give the response
	cut         bool // the caller did not take all of it
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // what comes before is no response yet
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	r.cut = r.cut || err != nil
	return n, err
}

// Unwrap lets the standard library reach what it wraps.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
