// Package reference has the page of the API: every call, from the contract, with a form to try it.
package reference

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/schemas"
)

// Routes returns the page of the API.
func Routes() []page.Route {
	return []page.Route{{Pattern: "GET /docs", Serve: show}, {Pattern: "GET /docs/events", Serve: showEvents}}
}

func show(r *page.Request) error { return r.Show(referencePage(r.View, contract())) }

// group is the calls of a domain.
type group struct {
	name  string
	calls []call
}

// call is an operation of the contract.
type call struct {
	id, method, path string
	summary          string
	description      string
	parameters       []parameter
	body             bool
	statuses         []string
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

type operation struct {
	ID          string         `json:"operationId"`
	Summary     string         `json:"summary"`
	Description string         `json:"description"`
	Parameters  []parameter    `json:"parameters"`
	Body        map[string]any `json:"requestBody"`
	Responses   map[string]any `json:"responses"`
}

// contract returns the calls of the OpenAPI document, by domain. It panics if the document can't be read.
var contract = sync.OnceValue(func() []group {
	text, err := schemas.Files.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	var document struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		panic(err)
	}
	groups := map[string][]call{}
	for path, operations := range document.Paths {
		for method, o := range operations {
			name := domain(path)
			groups[name] = append(groups[name], newCall(strings.ToUpper(method), path, o))
		}
	}
	var sorted []group
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		slices.SortFunc(groups[name], func(a, b call) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method)) })
		sorted = append(sorted, group{name, groups[name]})
	}
	return sorted
})

func newCall(method, path string, o operation) call {
	c := call{
		id: o.ID, method: method, path: path, summary: o.Summary, description: o.Description, body: o.Body != nil,
		statuses: slices.Sorted(maps.Keys(o.Responses)),
	}
	for _, p := range o.Parameters {
		if p.In == "path" || p.In == "query" {
			c.parameters = append(c.parameters, p)
		}
	}
	return c
}

// domain returns the noun of a path: "products" for /v1/products/{id}.
func domain(path string) string {
	noun, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	return noun
}
