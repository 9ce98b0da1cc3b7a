package contract

import (
	"encoding/json"
	"io/fs"
	"reflect"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/popup-shop/popup/events"
)

var times = &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
}}

// schema is the JSON Schema of an event's data, with its sample as example.
func schema(source fs.FS, e events.Event, says map[string]string) ([]byte, error) {
	s, err := jsonschema.ForType(reflect.TypeOf(e), times)
	if err != nil {
		return nil, err
	}
	sample, err := fs.ReadFile(source, "testdata/"+e.EventType()+".json")
	if err != nil {
		return nil, err
	}
	promise("", s)
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.ID = "/schemas/" + schemaFile(e)
	s.Title = e.EventType()
	s.Description = describe(e, says)
	s.Examples = []any{json.RawMessage(sample)}
	return indented(s)
}

// promise adds to a schema what consumers can rely on: fields may be added, nothing is null, ids are UUIDs.
func promise(name string, s *jsonschema.Schema) {
	if len(s.Types) > 0 { // null, and what it is
		s.Type, s.Types = s.Types[1], nil
	}
	switch {
	case s.Properties != nil:
		s.AdditionalProperties = &jsonschema.Schema{}
		for name, property := range s.Properties {
			promise(name, property)
		}
	case s.Items != nil:
		promise(name, s.Items)
	case s.Type == "string" && strings.HasSuffix(name, "_id"):
		s.Format = "uuid"
	}
}
