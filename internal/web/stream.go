package web

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
)

// TypeStream is the media type of server-sent events.
const TypeStream = "text/event-stream"

// Stream returns a GET route whose response is a stream of server-sent events, each with an E as its data. The function declares it;
// the gateway serves it, so that no function stays up for an open page.
func Stream[I, E any](path string, a access.Access, doc string) Route {
	route := function.Route{Method: http.MethodGet, Path: path, Access: a, Stream: true}
	return newRoute(route, func(api huma.API, s *server) {
		o := s.operation(route, http.StatusOK)
		o.Description = doc
		o.Responses = map[string]*huma.Response{"200": {
			Description: "Server-sent events.", Content: map[string]*huma.MediaType{TypeStream: {Schema: streamSchema[E](api)}},
		}}
		huma.Register(api, o, func(ctx context.Context, _ *I) (*struct{}, error) {
			return nil, s.problem(ctx, problem.New(http.StatusNotFound, "not-found", "The gateway serves this stream."))
		})
	})
}

// streamSchema returns the schema of a stream: a text whose lines of data are JSON of the schema of E.
func streamSchema[E any](api huma.API) *huma.Schema {
	event := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[E](), true, "")
	return &huma.Schema{
		Type: huma.TypeString,
		Extensions: map[string]any{
			"contentMediaType": typeJSON, "contentSchema": map[string]any{"$ref": event.Ref},
		},
	}
}
