// Package web is what HTTP functions share: typed routes, problem details, idempotency, who is calling. It knows no domain.
package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/token"
)

const bodyLimit = 64 << 10

// WithMaxBody lets the body of a call be larger than others may be, in bytes.
func WithMaxBody(bytes int64, r Route) Route {
	r.MaxBody = bytes
	return r
}

// Reader reads from the database what the caller may see, outside any transaction.
type Reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Route is a way in with what happens behind it.
type Route struct {
	function.Route
	open func(api huma.API, server *server)
}

// endpoints is the routes of one function.
type endpoints struct {
	name   string
	keeper Authenticator
	routes []Route
}

// Endpoints makes the routes of a function into what the shell serves. A route that does not say who may take it panics.
func Endpoints(name string, access config.Access, routes ...Route) function.Endpoints {
	for _, r := range routes {
		mustSay(r.Method, r.Path, r.Access)
	}
	return endpoints{name, NewAuthenticator(access), routes}
}

// server is what the routes of a running function need.
type server struct {
	*function.Runtime
	name     string
	bodyMost int64 // of the route that is being opened; 0: the limit of all
}

// Routes lists the declared routes.
func (d endpoints) Routes() []function.Route {
	declared := make([]function.Route, len(d.routes))
	for i, r := range d.routes {
		declared[i] = r.Route
	}
	return declared
}

// Open serves the routes on mux. Whatever it has no route for is a problem too.
func (d endpoints) Open(mux *http.ServeMux, rt *function.Runtime) {
	settings := huma.DefaultConfig(d.name, "1")
	settings.Formats = formats()
	settings.CreateHooks, settings.DocsPath, settings.OpenAPIPath, settings.SchemasPath = nil, "", "", ""
	api := humago.New(mux, settings)
	api.UseMiddleware(recoverMiddleware(api, rt, d.name), d.keeper.identify(api), traceMiddleware(rt, d.name), etagMiddleware)
	for _, r := range d.routes {
		r.open(api, &server{rt, d.name, r.MaxBody})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		New(http.StatusNotFound, "not-found", "there is nothing at "+r.URL.Path).Write(w, r)
	})
}

// reader reads for whoever made a call.
type reader struct {
	pgbatch.Reader
	server *server
	call   call
}

func (s *server) reader(ctx context.Context) Reader { return s.readerFor(callOf(ctx)) }

// readerAfter reads for the response to a change that is committed. The response to the first call is read with the sight of
// staff: an order may have become somebody else's in the meantime, and is shown to whoever made the change all the same.
func (s *server) readerAfter(ctx context.Context, replayed bool) Reader {
	c := callOf(ctx)
	c.committed = true
	if !replayed {
		c.Role = token.Staff
	}
	return s.readerFor(c)
}

func (s *server) readerFor(c call) Reader { return reader{s.Runtime.Reader(s.scope(c)), s, c} }

// WithOrderToken reads for the caller as if they showed an order token.
func WithOrderToken(db Reader, orderToken string) Reader {
	if r, is := db.(reader); is {
		r.call.OrderToken = orderToken
		return r.server.readerFor(r.call)
	}
	return db
}

// Unscoped asks as the program itself, for nobody in particular. It is for a function of the schema that answers everybody
// alike, asked so often that saying who calls would cost more than the answer.
func Unscoped(db Reader) Reader {
	if r, is := db.(reader); is {
		return r.server.Pool
	}
	return db
}

// do runs one transaction for the caller of ctx.
func (s *server) do(ctx context.Context, do func(pgx.Tx) ([]events.Event, error)) error {
	var kept committedRefusal
	err := s.Do(ctx, s.name, cloudevent.Trace(ctx), s.scope(callOf(ctx)), func(tx pgx.Tx) ([]events.Event, error) {
		kept.Problem = nil // of a try before
		said, err := do(tx)
		if errors.As(err, &kept) {
			return said, nil
		}
		return said, err
	})
	if err == nil && kept.Problem != nil {
		return kept.Problem
	}
	return err
}

// committedRefusal is a refusal that leaves traces.
type committedRefusal struct{ *Problem }

// CommitRefusal makes a refusal one that is committed: what its transaction wrote and said stays.
func CommitRefusal(p *Problem) error { return committedRefusal{p} }

// Get declares a route that reads.
func Get[I, O any](path, who string, read func(ctx context.Context, db Reader, in *I) (*O, error)) Route {
	route := function.Route{Method: http.MethodGet, Path: path, Access: who}
	return Route{route, func(api huma.API, s *server) {
		huma.Register(api, s.operation(route, http.StatusOK), func(ctx context.Context, in *I) (*O, error) {
			out, err := read(ctx, s.reader(ctx), in)
			return out, s.problem(ctx, err)
		})
	}}
}

func (s *server) operation(r function.Route, status int) huma.Operation {
	return huma.Operation{
		Method: r.Method, Path: r.Path, OperationID: operationID(r), DefaultStatus: status, MaxBodyBytes: max(bodyLimit, s.bodyMost+1), // the library refuses one of just that size
		BodyReadTimeout: 10 * time.Second, RejectUnknownQueryParameters: true, Metadata: map[string]any{"who": r.Access},
	}
}

// operationID is the name of a route in the contract: "post-orders-id-cancel".
func operationID(r function.Route) string {
	path := wordBreak.ReplaceAllString(strings.TrimPrefix(r.Path, "/v1"), "-")
	return strings.ToLower(r.Method) + strings.TrimSuffix(path, "-")
}

// problem is the answer to an error. What is no problem of the caller is logged, and told in our words.
func (s *server) problem(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *Problem
	if !errors.As(err, &known) {
		s.Log.ErrorContext(ctx, "call failed", "function", s.name, "request", requestID(ctx), "error", err)
		known = FromError(err)
	}
	return known.For(callOf(ctx).header)
}
