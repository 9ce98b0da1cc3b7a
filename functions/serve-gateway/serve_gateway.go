// Package servegateway is the one public door: it knows which function serves a path, and passes calls on. What is behind
// the doors it does not know.
package servegateway

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
	"github.com/popup-shop/popup/schemas"
)

const (
	name       = "serve-gateway"
	bodyAtMost = 64 << 10
)

// New declares the function: it reaches the others over HTTP.
func New(settings config.Gateway) function.Function {
	remote := &remote{settings: settings}
	return function.Function{Name: name, Door: &gateway{open: remote.open}}
}

// Within declares the gateway of a program that holds the other functions too, and calls them without HTTP.
func Within(reach func(name string) http.Handler) function.Function {
	return function.Function{Name: name, Door: &gateway{open: func(*function.Runtime) func(string) http.Handler { return reach }}}
}

// gateway knows how to open the way to functions by name.
type gateway struct {
	open func(rt *function.Runtime) func(name string) http.Handler
}

// Routes are none of its own: it serves everybody else's.
func (*gateway) Routes() []function.Route { return nil }

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

// Open serves all declared routes. Routes that do not fit together are a mistake of ours and end the start.
func (g *gateway) Open(mux *http.ServeMux, rt *function.Runtime) {
	targets, err := Targets()
	if err != nil {
		panic(err)
	}
	reach := g.open(rt)
	for _, target := range targets {
		mux.Handle(target.Method+" "+target.Path, pass(reach(target.Function)))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		web.NewProblem(http.StatusNotFound, "not-found", "there is nothing at "+r.URL.Path).Write(w, identify(w, r))
	})
}

// pass hands calls on. What only brokers may say does not come through the door.
func pass(to http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		identify(w, r)
		for header := range r.Header {
			if strings.HasPrefix(header, "Ce-") {
				r.Header.Del(header)
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyAtMost)
		to.ServeHTTP(w, r)
	}
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identify takes over the caller's request id or makes one, and starts a trace where there is none.
func identify(w http.ResponseWriter, r *http.Request) string {
	id := r.Header.Get("X-Request-ID")
	if !requestIDForm.MatchString(id) {
		id = strings.ToLower(rand.Text())
	}
	r.Header.Set("X-Request-ID", id)
	r.Header.Set("Traceparent", function.Trace(function.WithTrace(r.Context(), r.Header.Get("Traceparent"))))
	w.Header().Set("X-Request-ID", id)
	return id
}
