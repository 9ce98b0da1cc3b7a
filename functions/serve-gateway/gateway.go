package servegateway

import (
	"cmp"
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

// gateway has what the guard of every route needs.
type gateway struct {
	authenticator auth.Authenticator
	limits        *limits
	metrics       *metrics
	tracer        *tracing.Tracer
	log           *slog.Logger
	hops          int
	secure        bool
	origin        originWatch
	compress      func(http.Handler) http.HandlerFunc
	passes        passes
	pages         func() http.Handler // of the function of the pages; nil if there is none
}

// guard returns the middleware of a route: it forwards a request to the handler if the caller may use the route and is
// within the rate limit, and records every request in traces, metrics and the log. Large responses are compressed, and
// browsers get a page for each problem.
func (g *gateway) guard(route function.Route, to http.Handler) http.HandlerFunc {
	guarded := g.guarded(route, to)
	if route.Stream { // each event is sent at once
		return guarded
	}
	return g.compress(guarded)
}

func (g *gateway) guarded(route function.Route, to http.Handler) http.HandlerFunc {
	admitted := g.asPage(g.admit(route, to))
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		requestID := setRequestID(r)
		r, span := g.trace(route, r)
		response := &statusRecorder{ResponseWriter: w}
		g.protect(response, requestID)
		response.Header().Set("Traceparent", r.Header.Get("Traceparent"))
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				g.log.ErrorContext(r.Context(), "panic", "function", name, "route", route.Path, "request", requestID,
					"panic", p, "stack", string(debug.Stack()))
				problem.Internal().Write(response, r)
			}
			g.metrics.observe(route, r.Method, response, response.took(route, began))
			g.logCall(route, r, response, began)
			endTrace(r.Context(), g.tracer, span, response.status)
			if p == http.ErrAbortHandler { // aborts the connection, so that the caller notices an incomplete response
				panic(p)
			}
		}()
		admitted.ServeHTTP(response, r)
	}
}

// admit returns a handler that forwards requests of callers who may use the route and are within the rate limit.
func (g *gateway) admit(route function.Route, to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := g.setSource(r)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		caller, refusal := g.authenticator.Authorize(w, r, route.Access)
		if route.Path == pageRoute.Path && refusal != nil && refusal.Status == http.StatusUnauthorized {
			refusal = nil // the page renews the session, or has the visitor sign in
		}
		if counted {
			refusal = cmp.Or(g.limits.Allow(w, r, caller), refusal) // also refused requests are counted
		}
		if refusal != nil {
			refusal.Write(w, r)
			return
		}
		stripEventHeaders(r)
		// A copy of the request: if its own Body were replaced, the server would take the unread rest for the next
		// request.
		bounded := r.WithContext(auth.NewContext(r.Context(), auth.Request{Caller: caller}))
		bounded.Body = body{http.MaxBytesReader(w, r.Body, max(maxBody, route.MaxBody))}
		to.ServeHTTP(w, bounded)
	})
}

// setSource sets X-Forwarded-For to the address of the client, and reports whether the request counts towards a limit:
// calls that a page makes for a visitor are part of the visitor's request, and static files are fetched once.
func (g *gateway) setSource(r *http.Request) (counted bool) {
	source, vouched := g.passes.read(r.Header.Get(passHeader))
	if !vouched {
		source = g.source(r)
		g.warnOfHops(source)
	}
	r.Header.Set("X-Forwarded-For", source)
	r.Header.Del(passHeader)
	r.Header.Del(statusHeader)
	return !vouched && !strings.HasPrefix(r.URL.Path, staticPath)
}

// trace starts the span of a request, within the trace of the caller if the request has one. Without a trace collector
// it only sets the traceparent header.
func (g *gateway) trace(route function.Route, r *http.Request) (*http.Request, *tracing.Span) {
	ctx := r.Context()
	caller := r.Header.Get("Traceparent")
	if _, _, ok := cloudevent.SplitTrace(caller); ok || g.tracer == nil { // otherwise the span is the first of a trace
		ctx = cloudevent.WithTrace(ctx, caller)
	}
	ctx, span := g.tracer.Start(ctx, name, strings.TrimSpace(route.Method+" "+route.Path), tracing.Server)
	span.Set(attribute.String("http.route", route.Path))
	r.Header.Set("Traceparent", cloudevent.Trace(ctx))
	return r.WithContext(ctx), span
}

func endTrace(ctx context.Context, tracer *tracing.Tracer, span *tracing.Span, status int) {
	span.Set(attribute.Int("http.response.status_code", status))
	var err error
	if status >= http.StatusInternalServerError {
		err = fmt.Errorf("status %d", status)
	}
	span.End(err)
	tracer.Flush(ctx)
}

// logCall logs a request in one line. It logs the route and not the path, which may contain anything.
func (g *gateway) logCall(route function.Route, r *http.Request, response *statusRecorder, began time.Time) {
	method := r.Method
	if route.Method == "" { // callers may invent methods
		method = "other"
	}
	attributes := []any{
		"function", name, "method", method, "route", route.Path, "status", response.status, "ms",
		time.Since(began).Milliseconds(),
		"request", r.Header.Get("X-Request-ID"),
	}
	if order := orderOf(route, r, response); order != "" {
		attributes = append(attributes, "order", order)
	}
	g.log.InfoContext(r.Context(), "call", attributes...)
}

const ordersPath = "/v1/orders/"

// orderOf returns the id of the order in a request's path, or of the order that the request placed.
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

// stripEventHeaders deletes the headers of CloudEvents: only the broker may deliver events.
func stripEventHeaders(r *http.Request) {
	for header := range r.Header {
		if strings.HasPrefix(header, "Ce-") {
			r.Header.Del(header)
		}
	}
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// setRequestID sets a new request id unless the caller sent a valid one, and returns it.
func setRequestID(r *http.Request) string {
	id := r.Header.Get("X-Request-ID")
	if !requestIDForm.MatchString(id) {
		id = strings.ToLower(rand.Text())
	}
	r.Header.Set("X-Request-ID", id)
	return id
}

// source returns the address of the client. It takes the address from X-Forwarded-For that the outermost of the trusted
// proxies added: a client can forge those before it.
func (g *gateway) source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if at := len(forwarded) - g.hops; g.hops > 0 && at >= 0 {
		if address := strings.TrimSpace(forwarded[at]); net.ParseIP(address) != nil {
			return address
		}
	}
	return host
}

// protect sets the headers that every response has. With CORS pages of other sites may call the API with a token and
// read the response, but not with the shop's cookies.
func (g *gateway) protect(w http.ResponseWriter, id string) {
	h := w.Header()
	h.Set("X-Request-ID", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if g.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Popup-Basket-Token, "+
		"Popup-Order-Token, Prefer, Traceparent, X-Request-ID")
	h.Set("Access-Control-Expose-Headers", "Cache-Status, Content-Language, ETag, Idempotency-Replayed, Location, "+
		"Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, Traceparent, WWW-Authenticate, X-RateLimit-Limit, "+
		"X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID")
	h.Set("Access-Control-Max-Age", "600")
}

// corsHeaders are the headers of CORS, which pages do not have.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers",
	"Access-Control-Max-Age",
}

// statusRecorder is a ResponseWriter that records the status and the number of bytes.
type statusRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	began  time.Time // of the response

	unreachable  bool // no function could be reached to give the response
	disconnected bool // the connection to the caller broke before all of it was written
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // 1xx is informational
		r.status, r.began = status, time.Now()
	}
	r.ResponseWriter.WriteHeader(status)
}

// took returns how long a request that began at a time took: to the end of its response, or to the beginning of a stream.
func (r *statusRecorder) took(route function.Route, began time.Time) time.Duration {
	if route.Stream && !r.began.IsZero() {
		return r.began.Sub(began)
	}
	return time.Since(began)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	r.disconnected = r.disconnected || err != nil
	return n, err
}

// Unwrap returns the wrapped ResponseWriter, for [http.ResponseController].
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
