package contract

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

// clientFiles are the files of the client that are made, with what they are made from.
var clientFiles = map[string]*template.Template{
	"routes.go": made("routes", routesText), "types.go": made("types", typesText),
}

var (
	//go:embed client_routes.tmpl
	routesText string
	//go:embed client_types.tmpl
	typesText string
)

func made(name, text string) *template.Template { return template.Must(template.New(name).Parse(text)) }

// WriteClient writes the methods and types of client/ in the repository at root: one method for each route.
func WriteClient(root string, functions []function.Function) error {
	files, err := Client(os.DirFS(root), functions)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, "client", name), content, 0o644); err != nil {
			return fmt.Errorf("write client: %w", err)
		}
	}
	return nil
}

// Client is the content of each of these files, by its name. source is the repository.
func Client(source fs.FS, functions []function.Function) (map[string][]byte, error) {
	types := newTypes(source, web.OpenAPI(functions))
	methods, err := types.methods()
	if err != nil {
		return nil, err
	}
	structs, err := types.structs()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, from := range clientFiles {
		var text bytes.Buffer
		if err := from.Execute(&text, map[string]any{"Methods": methods, "Structs": structs}); err != nil {
			return nil, err
		}
		if files[name], err = format.Source(text.Bytes()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// methods are those of all routes, by name.
func (t *types) methods() (all []method, err error) {
	for _, path := range slices.Sorted(maps.Keys(t.document.Paths)) {
		for _, o := range operations(t.document.Paths[path]) {
			if isStream(o) || web.IsTable(o) {
				continue
			}
			m, err := t.method(path, o)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", o.Method, path, err)
			}
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b method) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; a.Name == b.Name {
			return nil, fmt.Errorf("%s and %s would both be called %s: name one in methodNames", a.Route, b.Route, a.Name)
		}
	}
	return all, nil
}

// isStream reports whether the response of an operation is a stream, which the client leaves to other libraries.
func isStream(o *huma.Operation) bool {
	return o.Responses["200"] != nil && o.Responses["200"].Content[web.TypeStream] != nil
}

func operations(item *huma.PathItem) (all []*huma.Operation) {
	for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

// method is a route as a method of the client.
type method struct {
	Name, Route, Who string
	Method           string
	Path             string   // as a Go expression
	Parameters       []string // of the path
	Query            string   // type of what is asked, or ""
	Body             string   // type of what is sent, or ""
	Answer           string   // type, or "" for none
	Keyed, Waits     bool
}

func (t *types) method(path string, o *huma.Operation) (method, error) {
	m := method{
		Name: methodName(o.Method, path, web.IsList(o)), Route: o.Method + " " + path, Method: o.Method,
		Path: pathExpression(path),
	}
	m.Who, _ = o.Extensions["x-who"].(string)
	t.serving = o.Tags[0]
	var asked []*huma.Param
	for _, p := range o.Parameters {
		switch {
		case p.In == "path":
			m.Parameters = append(m.Parameters, p.Name)
		case p.In == "query":
			asked = append(asked, p)
		case p.Name == "Idempotency-Key":
			m.Keyed = true
		case p.Name == "Prefer":
			m.Waits = true
		}
	}
	if asked != nil {
		m.Query = t.query(m.Name, asked)
	}
	var err error
	if o.RequestBody != nil {
		if o.RequestBody.Content["image/*"] != nil {
			m.Body = "[]byte"
		} else if m.Body, err = t.body(o.RequestBody.Content, m.Name+"Request"); err != nil {
			return m, err
		}
	}
	m.Answer, err = t.answer(o, m.Name+"Answer")
	return m, err
}

// answer is the type of what comes back when all goes well.
func (t *types) answer(o *huma.Operation, name string) (string, error) {
	for status, response := range o.Responses {
		if strings.HasPrefix(status, "2") && response.Content != nil {
			return t.body(response.Content, name)
		}
	}
	return "", nil
}
