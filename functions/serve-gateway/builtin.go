package servegateway

import (
	"io/fs"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/schemas"
)

// builtin serves the gateway's own routes.
type builtin struct {
	pool         *pgxpool.Pool
	revision     string
	upstreams    map[string][]*upstream // of each function
	dependencies function.Dependencies

	explainProblem http.HandlerFunc
}

type builtinRoute struct {
	function.Route
	handler http.Handler
}

func (b *builtin) routes(m *metrics) (all []builtinRoute) {
	add := func(path string, a access.Access, handler http.Handler) {
		all = append(all, builtinRoute{function.Route{Method: http.MethodGet, Path: path, Access: a}, handler})
	}
	add("/metrics", access.Any(access.Staff, access.Client("metrics")), m.handler())
	add("/v1/status", access.All, http.HandlerFunc(b.status))
	add("/v1/openapi.json", access.All, contract("openapi.yaml"))
	add("/v1/asyncapi.json", access.All, contract("asyncapi.yaml"))
	add("/schemas/events/{file}", access.All, http.HandlerFunc(schema))
	add("/problems/{kind}", access.All, http.HandlerFunc(b.explainProblem))
	return all
}

// contract serves a document of schemas/ as JSON.
func contract(file string) http.Handler { return serve("application/json", document(file)) }

// document returns a YAML file of schemas/ as JSON. It panics if the file can't be read.
func document(file string) []byte {
	text, err := schemas.Files.ReadFile(file)
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err != nil {
		panic(err)
	}
	return text
}

// schema serves the schema of an event.
func schema(w http.ResponseWriter, r *http.Request) {
	text, err := fs.ReadFile(schemas.Files, "events/"+r.PathValue("file"))
	if err != nil {
		problem.NotFound("schema").Write(w, r)
		return
	}
	serve("application/schema+json", text).ServeHTTP(w, r)
}

func serve(kind string, text []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(text)
	})
}
