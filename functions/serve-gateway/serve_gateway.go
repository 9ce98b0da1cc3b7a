// Package servegateway is the one public door: it knows which function serves a path, who may call it and how often, and
// passes calls on. What is behind the doors it does not know.
package servegateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/schemas"
)

const name = "serve-gateway"

// Settings are those that the function needs.
type Settings struct {
	config.Gateway
	config.Access
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.Gateway.Check()) }

// New declares the function: it reaches the others over HTTP.
func New(settings Settings) function.Function {
	remote := &proxy{settings: settings.Gateway}
	return declare(settings, remote.open)
}

// Within declares the gateway of a program that holds the other functions too, and calls them without HTTP.
func Within(settings Settings) func(reach func(name string) http.Handler) function.Function {
	return func(reach func(name string) http.Handler) function.Function {
		return declare(settings, func(*function.Runtime) func(string) http.Handler { return reach })
	}
}

func declare(settings Settings, open func(rt *function.Runtime) func(name string) http.Handler) function.Function {
	return function.Function{Name: name, Endpoints: &endpoints{settings, open}, Writes: []string{"bus.rates", "catalogue.viewed"}}
}

// endpoints knows how to open the way to functions by name.
type endpoints struct {
	settings Settings
	open     func(rt *function.Runtime) func(name string) http.Handler
}

// Routes are none of its own: it serves everybody else's.
func (*endpoints) Routes() []function.Route { return nil }

// Target is a route and the function behind it.
type Target struct {
	function.Route
	Function string `json:"function"`
}

// Targets reads the routes that the functions declared.
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

// Open serves all declared routes, and what the gateway answers itself. Routes that do not fit together are a mistake of
// ours and end the start.
func (g *endpoints) Open(mux *http.ServeMux, rt *function.Runtime) {
	targets, err := Targets()
	if err != nil {
		panic(err)
	}
	d := &gateway{
		keeper: auth.NewAuthenticator(g.settings.Access), limits: newLimits(g.settings.Gateway, rt.Pool),
		metrics: newMetrics(rt), tracer: rt.Tracer, log: rt.Log, hops: g.settings.TrustedHops, secure: g.settings.Secure(),
	}
	outside, err := g.settings.Outside()
	if err != nil {
		panic(err) // whoever reads settings checks them
	}
	reach := g.open(rt)
	upstreams, kept := map[string][]*upstream{}, newCache(g.settings.Gateway, rt.Pool, rt.Log)
	kept.register(d.metrics.registry)
	statuses, waking := declaredStatuses(), newWaker(g.settings.Wake, reach)
	for _, target := range targets {
		route := newUpstream(target.Route, reach(target.Function))
		upstreams[target.Function] = append(upstreams[target.Function], route)
		to := kept.withCache(target.Route, route)
		if target.Method != http.MethodGet && hasCachedRoute(targets, target.Function) {
			to = kept.withInvalidation(to)
		}
		if target.Method+" "+target.Path == placeOrder {
			to = waking.withWake(to)
		}
		d.metrics.expect(target.Route, statuses[target.Method+" "+target.Path]...)
		mux.Handle(target.Method+" "+target.Path, d.guard(target.Route, to))
		if target.Method == http.MethodGet && target.Path == productPage {
			kept.prewarm(min(prewarmLimit, g.settings.CacheEntries/2), reach(target.Function))
		}
	}
	own := &builtin{pool: rt.Pool, revision: rt.Revision, upstreams: upstreams, outside: known(rt.Dependencies, outside)}
	for _, route := range own.routes(d.metrics) {
		d.metrics.expect(route.Route, strconv.Itoa(http.StatusOK))
		mux.Handle(route.Method+" "+route.Path, d.guard(route.Route, route.handler))
	}
	fallback := function.Route{Path: "/", Access: access.Credentials}
	d.metrics.expect(fallback)
	mux.Handle(fallback.Path, d.guard(fallback, notFound(mux)))
}

// hasCachedRoute says whether a function has answers that may be kept.
func hasCachedRoute(targets []Target, function string) bool {
	return slices.ContainsFunc(targets, func(t Target) bool { return t.Function == function && t.CacheFor > 0 })
}

// notFound responds where there is no route, or none with that method.
func notFound(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := allowedMethods(mux, r)
		if len(allowed) == 0 {
			problem.New(http.StatusNotFound, "not-found", "There is no route "+r.URL.Path+".").Write(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem.New(http.StatusMethodNotAllowed, "no-such-method", "This route does not accept "+r.Method+".").Write(w, r)
	}
}

// allowedMethods returns the methods with which a path has a route.
func allowedMethods(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if _, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return methods
}
