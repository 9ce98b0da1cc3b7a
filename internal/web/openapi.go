package web

import (
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
)

const apiDescription = "The API of a popup shop. Every error is a problem (RFC 9457) that names the fields that are wrong."

// OpenAPI returns the OpenAPI document of the routes of all functions.
func OpenAPI(functions []function.Function) *huma.OpenAPI {
	settings := huma.DefaultConfig("popup", "1")
	settings.Info.Description = apiDescription
	settings.Info.License = &huma.License{Name: "MIT", Identifier: "MIT"}
	settings.CreateHooks, settings.DocsPath, settings.OpenAPIPath, settings.SchemasPath = nil, "", "", ""
	var current string
	settings.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return schemaName(current, t, hint)
	})
	settings.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":      {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token."},
		"order_token": {Type: "apiKey", In: "header", Name: "Popup-Order-Token", Description: "Opens one order, for guests."},
	}
	api := humago.New(http.NewServeMux(), settings)
	for _, f := range functions {
		e, ok := f.Endpoints.(endpoints)
		if !ok {
			continue
		}
		current = f.Name
		for _, r := range e.routes {
			if r.undeclared {
				continue
			}
			r.register(api, &server{name: f.Name, route: r})
			describe(api.OpenAPI(), r, f.Name)
		}
	}
	return api.OpenAPI()
}

// describe adds what the types of a route do not contain: its function, its access rules and its further statuses.
func describe(document *huma.OpenAPI, r Route, function string) {
	operation := operationOf(document.Paths[r.Path], r.Method)
	operation.Tags = []string{function}
	operation.Security = securityFor(r.Access)
	operation.Extensions = map[string]any{"x-who": r.Access.String()}
	if operation.RequestBody != nil {
		delete(operation.RequestBody.Content, "application/octet-stream") // huma adds it for RawBody
	}
	if IsTable(operation) {
		operation.Responses["200"].Content = map[string]*huma.MediaType{typeCSV: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	if r.Method == http.MethodGet && !r.Stream {
		operation.Responses["304"] = &huma.Response{Description: "The content has the ETag that If-None-Match names."}
	}
	if r.redirects {
		operation.Responses["301"] = &huma.Response{
			Description: "The object has another address by now.",
			Headers:     map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
	if changes(r.Route) {
		operation.Parameters = append(operation.Parameters, &huma.Param{
			Name: "If-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Description: "The ETag of what the caller has read.",
		})
		operation.Responses["412"] = &huma.Response{Description: "The object has changed since. The ETag is its current one."}
	}
	if r.MaxBody > 0 {
		operation.Extensions["x-body-most"] = r.MaxBody
	}
	if r.CacheFor > 0 {
		operation.Extensions["x-cache-for"] = r.CacheFor
	}
	also, _ := operation.Metadata["also"].([]int)
	for _, status := range also {
		response := *operation.Responses[strconv.Itoa(operation.DefaultStatus)]
		response.Description = http.StatusText(status)
		operation.Responses[strconv.Itoa(status)] = &response
	}
}

func operationOf(item *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return item.Get
	case http.MethodPut:
		return item.Put
	case http.MethodDelete:
		return item.Delete
	}
	return item.Post
}

// securityFor returns the tokens with which a route may be used, nil where none is needed.
func securityFor(a access.Access) (schemes []map[string][]string) {
	if a.Includes(access.All) || a.Includes(access.Credentials) {
		return nil
	}
	if a.Includes(access.OrderToken) {
		schemes = append(schemes, map[string][]string{"order_token": {}})
	}
	return append(schemes, map[string][]string{"bearer": {}})
}

// schemaName returns the name of a schema: that of its Go type. Types of a function's own package or of the package named after its
// noun, and types without a name, begin with the noun.
func schemaName(name string, t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	schema, noun := huma.DefaultSchemaNamer(t, hint), function.Noun(name)
	if t.Name() == "" || strings.Contains(t.PkgPath(), "/functions/") || strings.HasSuffix(t.PkgPath(), "/internal/"+noun) {
		schema = camelCase(noun) + schema
	}
	return schema
}

var wordBreak = regexp.MustCompile(`[^A-Za-z0-9]+`)

// camelCase joins words: "place-order" becomes "PlaceOrder".
func camelCase(text string) (name string) {
	for _, word := range wordBreak.Split(text, -1) {
		if word != "" {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}
