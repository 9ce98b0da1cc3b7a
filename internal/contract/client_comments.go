package contract

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/function"
)

// structs returns all types, sorted by name, with their comments.
func (t *types) structs() ([]structure, error) {
	all := slices.Clone(t.queries)
	for _, of := range slices.Collect(maps.Keys(t.names)) {
		fields, err := t.fields(of)
		if err != nil {
			return nil, err
		}
		says, err := t.comment(of)
		if err != nil {
			return nil, err
		}
		all = append(all, structure{t.names[of], says, fields})
	}
	slices.SortFunc(all, func(a, b structure) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// comment returns the comment of a type, or of the request or response whose body it is.
func (t *types) comment(of reflect.Type) (string, error) {
	name, folder := of.Name(), strings.TrimPrefix(of.PkgPath(), module)
	if name == "" {
		folder = path.Join("functions", t.of[of])
		name = t.nameInSource(of)
	}
	source, err := fs.Sub(t.source, folder)
	if err != nil {
		return "", err
	}
	all, err := readComments(source)
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
			for part := range strings.SplitSeq(function.Noun(t.of[of]), "-") {
				name = strings.TrimPrefix(name, word(part))
			}
			return strings.TrimSuffix(name, "Body")
		}
	}
	return ""
}

// fieldComment returns the comment of a field, with the values it may have.
func fieldComment(says string, choices []string) string {
	if len(choices) == 0 {
		return says
	}
	one := "one of " + strings.Join(choices, ", ")
	if says == "" {
		return one
	}
	return says + "; " + one
}

// query makes a type of the query parameters of a method, and returns its name.
func (t *types) query(method string, asked []*huma.Param) string {
	s := structure{
		Name: method + "Query",
		Says: method + "Query holds the query parameters of " + method + ". Zero values are left out.",
	}
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
		says := fieldComment(cmp.Or(p.Description, p.Schema.Description), choices)
		s.Fields = append(s.Fields, field{word(p.Name), cmp.Or(kind, "string"), fmt.Sprintf("`query:%q`", p.Name), says})
	}
	t.queries = append(t.queries, s)
	return s.Name
}
