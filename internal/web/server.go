// Package web is what HTTP functions share: typed routes, transactions for a caller, idempotency, paging, ETags and the OpenAPI
// document. It knows no domain.
//
// A function declares its routes with Get, Post, PostIdempotent and so on, and passes them to Endpoints:
//
//	web.Endpoints("serve-stock", settings.Access,
//		web.Get("/v1/warehouses/{id}", access.Staff, readWarehouse),
//		web.Put("/v1/warehouses/{id}", access.Staff, changeWarehouse))
//
// Types of inputs and outputs carry the contract in tags; the OpenAPI document and the Go client are generated from them.
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
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// maxBody is how many bytes the body of a request may have, unless its route has another limit.
const maxBody = 64 << 10

// bodyTimeout is how long a caller may take to send a body.
const bodyTimeout = 10 * time.Second

// endpoints are the routes of one function.
type endpoints struct {
	name          string
	authenticator auth.Authenticator
	routes        []Route
}

// Endpoints returns the routes of a function. It panics on a route without access rules.
func Endpoints(name string, settings config.Access, routes ...Route) function.Endpoints {
	for _, r := range routes {
		if r.Access.IsZero() {
			panic(r.Method + " " + r.Path + " has no access rules")
		}
	}
	return endpoints{name, auth.NewAuthenticator(settings), withTables(routes)}
}

// Routes returns the declarations of the routes.
func (e endpoints) Routes() []function.Route {
	declared := make([]function.Route, 0, len(e.routes))
	for _, r := range e.routes {
		if !r.undeclared {
			declared = append(declared, r.Route)
		}
	}
	return declared
}

// Open serves the routes on mux, and a problem where there is no route.
func (e endpoints) Open(mux *http.ServeMux, rt *function.Runtime) {
	settings := huma.DefaultConfig(e.name, "1")
	settings.Formats = formats()
	settings.CreateHooks, settings.DocsPath, settings.OpenAPIPath, settings.SchemasPath = nil, "", "", ""
	api := humago.New(mux, settings)
	api.UseMiddleware(recoverMiddleware(api, rt, e.name), authMiddleware(api, e.authenticator), traceMiddleware(rt, e.name),
		encodingMiddleware(api), etagMiddleware, dayMiddleware)
	for _, r := range e.routes {
		r.register(api, &server{rt, e.name, r, mux})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem.New(http.StatusNotFound, "not-found", "There is no route "+r.URL.Path+".").Write(w, r)
	})
}

// server is what the routes of a running function need.
type server struct {
	*function.Runtime
	name  string
	route Route
	mux   *http.ServeMux // with all routes of the function
}

func (s *server) operation(r function.Route, status int) huma.Operation {
	return huma.Operation{
		Method: r.Method, Path: r.Path, OperationID: operationID(r), DefaultStatus: status,
		MaxBodyBytes:    max(maxBody, s.route.MaxBody+1), // huma rejects a body of exactly this size
		BodyReadTimeout: bodyTimeout, RejectUnknownQueryParameters: true,
		Metadata: map[string]any{"access": r.Access, "settings": s.route.settings},
	}
}

// operationID returns the name of a route in the OpenAPI document, such as "post-orders-id-cancel".
func operationID(r function.Route) string {
	path := wordBreak.ReplaceAllString(strings.TrimPrefix(r.Path, "/v1"), "-")
	return strings.ToLower(r.Method) + strings.TrimSuffix(path, "-")
}

// Reader reads what the caller of a request may see, outside any transaction.
type Reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

type reader struct {
	pgbatch.Reader
	server    *server
	request   auth.Request
	unchecked bool // the account is not looked at
}

func (s *server) reader(ctx context.Context) Reader {
	if w := withinFrom(ctx); w != nil {
		return w.tx
	}
	return s.readerFor(auth.RequestFrom(ctx), false)
}

func (s *server) readerFor(request auth.Request, unchecked bool) Reader {
	scope := request.Scope(s.name)
	if unchecked {
		scope = request.ScopeUnchecked(s.name)
	}
	return reader{s.Runtime.Reader(scope), s, request, unchecked}
}

// readerAfterCommit returns a Reader for the response to a change that is committed. The response to the first request is read with
// the permissions of staff: the order may belong to another account by now, and the caller who changed it sees it all the same.
func (s *server) readerAfterCommit(ctx context.Context, replayed bool) Reader {
	request := auth.RequestFrom(ctx)
	if !replayed {
		request.Role = token.Staff
	}
	return s.readerFor(request, true)
}

// WithOrderToken returns a Reader that also sees the order that a token opens.
func WithOrderToken(db Reader, orderToken string) Reader {
	r, ok := db.(reader)
	if !ok {
		return db
	}
	r.request.OrderToken = orderToken
	return r.server.readerFor(r.request, r.unchecked)
}

// Unscoped returns a Reader without row-level security. Use it only for SQL functions whose result is the same for every caller.
func Unscoped(db Reader) Reader {
	if r, ok := db.(reader); ok {
		return r.server.Pool
	}
	return db
}

// transact runs one transaction for the caller of ctx. A CommitRefusal is returned after the commit.
func (s *server) transact(ctx context.Context, handle func(pgx.Tx) ([]events.Event, error)) error {
	if w := withinFrom(ctx); w != nil {
		emitted, err := handle(w.tx)
		w.emitted = append(w.emitted, emitted...)
		return err
	}
	var refusal committedRefusal
	scope := auth.RequestFrom(ctx).Scope(s.name)
	err := s.Do(ctx, s.name, cloudevent.Trace(ctx), scope, func(tx pgx.Tx) ([]events.Event, error) {
		refusal.Problem = nil // of an attempt that was rolled back
		emitted, err := handle(tx)
		if errors.As(err, &refusal) {
			return emitted, nil
		}
		return emitted, err
	})
	if err == nil && refusal.Problem != nil {
		return refusal.Problem
	}
	return err
}

type committedRefusal struct{ *problem.Problem }

// CommitRefusal returns an error that rejects a request and commits what its transaction wrote and the events it emitted.
func CommitRefusal(p *problem.Problem) error { return committedRefusal{p} }

// problem returns the response to an error. Errors that are not problems are logged.
func (s *server) problem(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	request := auth.RequestFrom(ctx)
	var p *problem.Problem
	if !errors.As(err, &p) {
		s.Log.ErrorContext(ctx, "request failed", "function", s.name, "request", request.ID, "error", err)
		p = fromError(err)
	}
	return p.For(request.Header)
}

func fromError(err error) *problem.Problem {
	switch {
	case errors.Is(err, function.ErrOverloaded):
		return problem.Overloaded()
	case errors.Is(err, function.ErrTooLarge):
		return problem.TooLargeToStore("body")
	}
	return problem.FromDatabase(err)
}
