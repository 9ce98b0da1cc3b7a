// Package servegateway is the only function that is reachable from the internet. For each request it authenticates the
// caller, checks the access rules of the route and the rate limit, and forwards the request to the function that serves
// the route. It has no business logic.
//
// The routes come from schemas/routes.json, which is generated from the declarations of the functions: the gateway
// imports none of them. A request passes these handlers, for example GET /v1/products/{id}:
//
//	guard     request id, trace, access rules, rate limit, metrics, log line
//	withCache cached response, until an event such as product.changed invalidates it
//	upstream  circuit breaker of the route
//	proxy     HTTP request to serve-catalogue; PUT /v1/products/{id} goes to edit-catalogue
package servegateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/schemas"
)

const name = "serve-gateway"

// Settings configures the function.
type Settings struct {
	config.Gateway
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.Gateway.Check()) }

// New returns the function, which forwards requests to the other functions over HTTP.
func New(settings Settings) function.Function {
	remote := &proxy{settings: settings.Gateway}
	return declare(settings, remote.open)
}

// Within returns the gateway for a program that contains the other functions too. It calls their handlers, without
// HTTP.
func Within(settings Settings) func(reach func(name string) http.Handler) function.Function {
	return func(reach func(name string) http.Handler) function.Function {
		return declare(settings, func(*function.Runtime) func(string) http.Handler { return reach })
	}
}

func declare(settings Settings, open func(rt *function.Runtime) func(name string) http.Handler) function.Function {
	return function.Function{Name: name, Endpoints: &endpoints{settings, open}, Writes: []string{"bus.rates", "catalogue.viewed"}}
}

// endpoints implements [function.Endpoints]. open returns a lookup of the handler that reaches a function by name.
type endpoints struct {
	settings Settings
	open     func(rt *function.Runtime) func(name string) http.Handler
}

// Routes returns nothing: the gateway declares no routes, it serves those of the other functions.
func (*endpoints) Routes() []function.Route { return nil }

// Target is a route and the name of the function that serves it.
type Target struct {
	function.Route
	Function string `json:"function"`
}

// Targets returns the routes of all functions.
func Targets() ([]Target, error) {
	declared, err := schemas.Files.ReadFile("routes.json")
	if err != nil {
		return nil, err
	}
	var targets []Target
	if err := json.Unmarshal(declared, &targets); err != nil {
		return nil, fmt.Errorf("read routes.json: %w", err)
	}
	return targets, nil
}

// Open registers the routes of all functions and those that the gateway serves itself. It panics on routes that
// conflict.
func (g *endpoints) Open(mux *http.ServeMux, rt *function.Runtime) {
	targets, err := Targets()
	if err != nil {
		panic(err)
	}
	outside, err := g.settings.Outside()
	if err != nil {
		panic(err) // Check rejects such settings
	}
	reach := g.open(rt)
	gw := g.newGateway(rt, reach)
	upstreams, responses := map[string][]*upstream{}, newCache(g.settings.Gateway, rt.Pool, rt.Log)
	responses.register(gw.metrics.registry)
	statuses := declaredStatuses()
	waking := newWaker(g.settings.Wake, reach)
	streaming := newStreams(rt)
	streaming.register(gw.metrics.registry)
	for _, target := range targets {
		name := target.Method + " " + target.Path
		if target.Stream {
			register(mux, gw, target.Route, streaming.handler(target.Route), strconv.Itoa(http.StatusOK))
			continue
		}
		route := newUpstream(target.Route, reach(target.Function))
		upstreams[target.Function] = append(upstreams[target.Function], route)
		to := responses.withCache(target.Route, route)
		if target.Method != http.MethodGet && hasCachedRoute(targets, target) {
			to = responses.withInvalidation(to)
		}
		if hasTable(targets, target) {
			to = withTable(to)
		}
		if name == placeOrder {
			to = waking.withWake(to)
		}
		register(mux, gw, target.Route, to, statuses[name]...)
		if name == http.MethodGet+" "+productPage {
			responses.prewarm(min(prewarmLimit, g.settings.CacheEntries/2), reach(target.Function))
		}
	}
	builtins := &builtin{
		pool: rt.Pool, revision: rt.Revision, upstreams: upstreams,
		dependencies: mergeDependencies(rt.Dependencies, outside), explainProblem: gw.explainProblem,
	}
	gw.serveBuiltins(mux, builtins)
}

func (g *endpoints) newGateway(rt *function.Runtime, reach func(name string) http.Handler) *gateway {
	return &gateway{
		authenticator: auth.NewAuthenticator(g.settings.Access), limits: newLimits(g.settings.Gateway, rt.Pool),
		metrics: newMetrics(rt), tracer: rt.Tracer, log: rt.Log, hops: g.settings.TrustedHops,
		secure: g.settings.Secure(), compress: newCompressor(), passes: newPasses(g.settings.PagesKey),
		pages: sync.OnceValue(func() http.Handler { return reach(pagesFunction) }),
	}
}

// register registers the guarded handler of a route. Its metrics begin with the statuses that it declares.
func register(mux *http.ServeMux, g *gateway, route function.Route, to http.Handler, statuses ...string) {
	g.metrics.expect(route, statuses...)
	mux.Handle(route.Method+" "+route.Path, g.guard(route, to))
}

// serveBuiltins serves the routes that the gateway responds to itself, and a problem where there is no route.
func (g *gateway) serveBuiltins(mux *http.ServeMux, b *builtin) {
	for _, route := range b.routes(g.metrics) {
		register(mux, g, route.Route, route.handler, strconv.Itoa(http.StatusOK))
	}
	g.metrics.expect(pageRoute)
	mux.Handle(pageRoute.Path, g.guard(pageRoute, g.notRouted(mux)))
}

// hasCachedRoute reports whether responses of a route may be cached that a change by another route may invalidate: one of the same
// function, or of the one that shows what it changes, such as serve-catalogue for edit-catalogue.
func hasCachedRoute(targets []Target, change Target) bool {
	noun := function.Noun(change.Function)
	return slices.ContainsFunc(targets, func(t Target) bool { return t.CacheFor > 0 && function.Noun(t.Function) == noun })
}

// notRouted forwards a path without a route to the pages. It responds with 404 to one of the API, and with 405 to a path
// that has routes for other methods.
func (g *gateway) notRouted(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(mux, r)
		switch {
		case len(allowed) > 0:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem.New(http.StatusMethodNotAllowed, "no-such-method", "This route does not accept "+r.Method+".").Write(w, r)
		case strings.HasPrefix(r.URL.Path, "/v1/"), strings.HasPrefix(r.URL.Path, "/schemas/"):
			problem.New(http.StatusNotFound, "not-found", "There is no route "+r.URL.Path+".").Write(w, r)
		default:
			g.servePage(w, r)
		}
	}
}

// allowedMethods returns the methods for which a path has a route.
func allowedMethods(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if _, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return methods
}
