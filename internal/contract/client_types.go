package contract

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
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
	t := &types{source: source, document: document, known: map[reflect.Type]bool{}, names: map[reflect.Type]string{}, of: map[reflect.Type]string{}}
	for name := range document.Components.Schemas.Map() {
		t.known[document.Components.Schemas.TypeFromRef("#/components/schemas/"+name)] = true
	}
	return t
}

// body is the type of what is sent or answered. One that has no name that says much bears that of its method.
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
		name = word(strings.TrimPrefix(t.serving, "serve-")) + name
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
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch tag := f.Tag.Get("json"); {
		case !f.IsExported() || tag == "-":
			continue
		case f.Anonymous && tag == "" && !t.known[inner]:
			more, err := t.fields(inner)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case f.Anonymous && tag == "":
			name, err := t.spell(inner)
			if err != nil {
				return nil, err
			}
			all = append(all, field{Type: name})
		default:
			name, err := t.spell(f.Type)
			if err != nil {
				return nil, err
			}
			choices := strings.FieldsFunc(f.Tag.Get("enum"), func(r rune) bool { return r == ',' })
			all = append(all, field{f.Name, name, fmt.Sprintf("`json:%q`", tag), remark(f.Tag.Get("doc"), choices)})
		}
	}
	return all, nil
}

// remark is what is said about a field, and what it may be.
func remark(says string, choices []string) string {
	if len(choices) == 0 {
		return says
	}
	one := "one of " + strings.Join(choices, ", ")
	if says == "" {
		return one
	}
	return says + "; " + one
}

// query makes the parameters of a list or another question into a type, and returns its name.
func (t *types) query(method string, asked []*huma.Param) string {
	s := structure{Name: method + "Query", Says: method + "Query is what " + method + " may be asked. What is zero is left out."}
	if len(asked) > 1 && asked[0].Name == "page" && asked[1].Name == "limit" {
		if asked = asked[2:]; len(asked) == 0 {
			return "Paging"
		}
		s.Fields = []field{{Type: "Paging"}}
	}
	for _, p := range asked {
		kind := map[string]string{"integer": "int64", "boolean": "bool"}[p.Schema.Type]
		if p.Schema.Format == "date-time" {
			kind = "time.Time"
		}
		var choices []string
		for _, choice := range p.Schema.Enum {
			choices = append(choices, fmt.Sprint(choice))
		}
		says := remark(cmp.Or(p.Description, p.Schema.Description), choices)
		s.Fields = append(s.Fields, field{word(p.Name), cmp.Or(kind, "string"), fmt.Sprintf("`query:%q`", p.Name), says})
	}
	t.queries = append(t.queries, s)
	return s.Name
}

// structs are all types by name, with what is said about them.
func (t *types) structs() ([]structure, error) {
	all := slices.Clone(t.queries)
	for _, of := range slices.Collect(maps.Keys(t.names)) {
		fields, err := t.fields(of)
		if err != nil {
			return nil, err
		}
		says, err := t.says(of)
		if err != nil {
			return nil, err
		}
		all = append(all, structure{t.names[of], says, fields})
	}
	slices.SortFunc(all, func(a, b structure) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// says is the comment of a type, or of the request or answer that it is the body of.
func (t *types) says(of reflect.Type) (string, error) {
	name, folder := of.Name(), strings.TrimPrefix(of.PkgPath(), module)
	if name == "" {
		folder = path.Join("functions", t.of[of])
		name = t.nameInSource(of)
	}
	source, err := fs.Sub(t.source, folder)
	if err != nil {
		return "", err
	}
	all, err := comments(source)
	if err != nil {
		return "", err
	}
	says := strings.Join(strings.Fields(all[name]), " ")
	if says == "" {
		return "", fmt.Errorf("%s in %s has no comment", name, folder)
	}
	return t.names[of] + strings.TrimPrefix(says, name), nil
}

// nameInSource is the type whose Body a type without a name is.
func (t *types) nameInSource(of reflect.Type) string {
	for name := range t.document.Components.Schemas.Map() {
		if t.document.Components.Schemas.TypeFromRef("#/components/schemas/"+name) == of {
			for part := range strings.SplitSeq(strings.TrimPrefix(t.of[of], "serve-"), "-") {
				name = strings.TrimPrefix(name, word(part))
			}
			return strings.TrimSuffix(name, "Body")
		}
	}
	return ""
}
