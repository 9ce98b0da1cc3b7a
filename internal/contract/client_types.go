package contract

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/function"
)

const module = "github.com/popup-shop/popup/"

// structure is a type of the client.
type structure struct {
	Name, Says string
	Fields     []field
}

type field struct {
	Name, Type, Tag, Says string
}

// types are those that the routes speak of, by the names that the client gives them. They are our own Go types, written
// anew: a client must not import what they stand on.
type types struct {
	source   fs.FS
	document *huma.OpenAPI
	known    map[reflect.Type]bool // those with a schema of their own
	serving  string                // the function whose route is looked at
	names    map[reflect.Type]string
	of       map[reflect.Type]string // the function that a type was met in first
	queries  []structure
}

func newTypes(source fs.FS, document *huma.OpenAPI) *types {
	t := &types{
		source: source, document: document, known: map[reflect.Type]bool{}, names: map[reflect.Type]string{},
		of: map[reflect.Type]string{},
	}
	for name := range document.Components.Schemas.Map() {
		t.known[document.Components.Schemas.TypeFromRef("#/components/schemas/"+name)] = true
	}
	return t
}

// body returns the type of a request's or response's body. A type without a name of its own is named after its method.
func (t *types) body(content map[string]*huma.MediaType, name string) (string, error) {
	json := content["application/json"]
	switch {
	case json == nil:
		return "", errors.New("is not JSON, which is all that the client speaks")
	case json.Schema.Ref == "":
		return "json.RawMessage", nil
	}
	of := t.document.Components.Schemas.TypeFromRef(json.Schema.Ref)
	if of.Name() == "" || of.Name() == "Body" {
		if err := t.take(of, name); err != nil {
			return "", err
		}
	}
	return t.spell(of)
}

// take gives a type its name in the client. Where that is another's, it begins with the function's, as in the contract.
func (t *types) take(of reflect.Type, name string) error {
	if _, has := t.names[of]; has {
		return nil
	}
	if taken := slices.Collect(maps.Values(t.names)); slices.Contains(taken, name) {
		name = word(function.Noun(t.serving)) + name
	}
	t.names[of], t.of[of] = name, t.serving
	_, err := t.fields(of) // which may name others
	return err
}

var (
	timeType = reflect.TypeFor[time.Time]()
	basics   = map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "bool", reflect.Int: "int64", reflect.Int64: "int64", reflect.Float64: "float64", reflect.Interface: "any",
	}
)

// spell writes a type as the client does.
func (t *types) spell(of reflect.Type) (string, error) {
	inner := func(before string) (string, error) {
		name, err := t.spell(of.Elem())
		return before + name, err
	}
	switch {
	case of == timeType:
		return "time.Time", nil
	case of.PkgPath() == "encoding/json":
		return "json.RawMessage", nil
	case basics[of.Kind()] != "":
		return basics[of.Kind()], nil
	case of.Kind() == reflect.Pointer:
		return inner("*")
	case of.Kind() == reflect.Slice:
		return inner("[]")
	case of.Kind() == reflect.Map:
		return inner("map[string]")
	case of.Kind() != reflect.Struct || of.Name() == "" && t.names[of] == "":
		return "", fmt.Errorf("the client cannot have a %s", of)
	case strings.HasPrefix(of.Name(), "Page["):
		items, _ := of.FieldByName("Items")
		name, err := t.spell(items.Type.Elem())
		return "Page[" + name + "]", err
	}
	err := t.take(of, of.Name())
	return t.names[of], err
}

// fields are those of a struct, in its order. What is embedded stays so if it is a thing of its own in the contract.
func (t *types) fields(of reflect.Type) (all []field, err error) {
	for i := range of.NumField() {
		f := of.Field(i)
		tag := f.Tag.Get("json")
		if !f.IsExported() || tag == "-" {
			continue
		}
		if f.Anonymous && tag == "" {
			inner, err := t.embedded(f.Type)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		}
		name, err := t.spell(f.Type)
		if err != nil {
			return nil, err
		}
		choices := strings.FieldsFunc(f.Tag.Get("enum"), func(r rune) bool { return r == ',' })
		all = append(all, field{f.Name, name, fmt.Sprintf("`json:%q`", tag), fieldComment(f.Tag.Get("doc"), choices)})
	}
	return all, nil
}

func (t *types) embedded(of reflect.Type) ([]field, error) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if !t.known[of] {
		return t.fields(of)
	}
	name, err := t.spell(of)
	return []field{{Type: name}}, err
}
