package web

import (
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/popup-shop/popup/internal/function"
)

// Describe is the OpenAPI document of all routes of functions.
func Describe(functions []function.Function) *huma.OpenAPI {
	settings := huma.DefaultConfig("popup", "1")
	settings.Info.Description = "A shop that is not there until a customer walks in. Every error is a problem (RFC 9457) and names the fields that are wrong."
	settings.Info.License = &huma.License{Name: "MIT", Identifier: "MIT"}
	settings.CreateHooks, settings.DocsPath, settings.OpenAPIPath, settings.SchemasPath = nil, "", "", ""
	var serving string
	settings.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return schemaName(serving, t, hint)
	})
	settings.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":      {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "an access token"},
		"order_token": {Type: "apiKey", In: "header", Name: "Popup-Order-Token", Description: "opens one order, for guests"},
	}
	api := humago.New(http.NewServeMux(), settings)
	for _, f := range functions {
		d, is := f.Endpoints.(endpoints)
		if !is {
			continue
		}
		serving = f.Name
		for _, r := range d.routes {
			r.open(api, &server{name: f.Name})
			describe(api.OpenAPI(), r, f.Name)
		}
	}
	return api.OpenAPI()
}

// describe adds what the types of a route do not tell: whose it is, who may take it and the other ways it may go well.
func describe(document *huma.OpenAPI, r Route, function string) {
	operation := operationOf(document.Paths[r.Path], r.Method)
	operation.Tags = []string{function}
	operation.Security = securityOf(r.Access)
	operation.Extensions = map[string]any{"x-who": r.Access}
	if operation.RequestBody != nil {
		delete(operation.RequestBody.Content, "application/octet-stream") // the library says so of what is read twice
	}
	if isList(operation) {
		operation.Responses["200"].Content[inCSV] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	if r.Method == http.MethodGet {
		operation.Responses["304"] = &huma.Response{Description: "what If-None-Match names is still so"}
	}
	if r.MaxBody > 0 {
		operation.Extensions["x-body-most"] = r.MaxBody
	}
	if r.CacheFor > 0 {
		operation.Extensions["x-cache-for"] = r.CacheFor
	}
	also, _ := operation.Metadata["also"].([]int)
	for _, status := range also {
		other := *operation.Responses[strconv.Itoa(operation.DefaultStatus)]
		other.Description = http.StatusText(status)
		operation.Responses[strconv.Itoa(status)] = &other
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

// securityOf is what somebody has to show who takes a route; nothing is enough where anybody may.
func securityOf(who string) (all []map[string][]string) {
	for word := range strings.SplitSeq(who, ", ") {
		switch word {
		case All, Credentials:
			return nil
		case TokenHolder:
			all = append(all, map[string][]string{"order_token": {}})
		}
	}
	return append(all, map[string][]string{"bearer": {}})
}

// schemaName names a schema after its Go type. A name that means something in one function only begins with that function's.
func schemaName(function string, t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if t.Name() == "" || strings.Contains(t.PkgPath(), "/functions/") {
		name = words(strings.TrimPrefix(function, "serve-")) + name
	}
	return name
}

var wordBreak = regexp.MustCompile(`[^A-Za-z0-9]+`)

// words writes words as one: "place-order" is PlaceOrder.
func words(text string) (name string) {
	for _, word := range wordBreak.Split(text, -1) {
		if word != "" {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}
