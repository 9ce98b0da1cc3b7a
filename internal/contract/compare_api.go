package contract

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"sigs.k8s.io/yaml"
)

// doors is what an OpenAPI document promises to those who call.
type doors struct {
	Paths      map[string]map[string]call
	Components struct {
		Schemas map[string]*jsonschema.Schema
	}
}

type call struct {
	Parameters  []parameter
	RequestBody content
	Responses   map[string]content
}

type parameter struct {
	Name, In string
	Required bool
	Schema   *jsonschema.Schema
}

type content struct {
	Content map[string]struct{ Schema *jsonschema.Schema }
}

// CompareAPI lists, in words, what breaks the promise that callers need never change between two OpenAPI documents,
// both in openapi.yaml: calls, parameters and fields that are gone, types that changed, and what is required now.
func CompareAPI(released, now fs.FS) (broken []string) {
	before, err := readDoors(released)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was promised yet
	}
	after, err2 := readDoors(now)
	if err := errors.Join(err, err2); err != nil {
		return []string{err.Error()}
	}
	for _, path := range slices.Sorted(maps.Keys(before.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(before.Paths[path])) {
			name := strings.ToUpper(method) + " " + path + ":"
			now, there := after.Paths[path][method]
			if !there {
				broken = append(broken, name+" is gone")
				continue
			}
			was := before.Paths[path][method].with(before)
			if _, ok := after.Paths[path+".csv"][method]; ok {
				was = was.withoutTable()
			}
			broken = append(broken, compareCalls(name, was, now.with(after))...)
		}
	}
	return broken
}

// withoutTable is the call of a list without its form as CSV, which has a path of its own by now: callers are redirected to it.
func (c call) withoutTable() call {
	for _, response := range c.Responses {
		delete(response.Content, "text/csv")
	}
	return c
}

func readDoors(from fs.FS) (d doors, err error) {
	text, err := fs.ReadFile(from, "openapi.yaml")
	if err != nil {
		return d, err
	}
	return d, yaml.Unmarshal(text, &d)
}

// with is the call with every reference to a schema of its document followed.
func (c call) with(d doors) call {
	follow := func(body content) content {
		whole := content{Content: maps.Clone(body.Content)}
		for media, of := range whole.Content {
			of.Schema = d.follow(of.Schema, nil)
			whole.Content[media] = of
		}
		return whole
	}
	whole := call{Parameters: c.Parameters, RequestBody: follow(c.RequestBody), Responses: map[string]content{}}
	for status, response := range c.Responses {
		whole.Responses[status] = follow(response)
	}
	return whole
}

// follow replaces references by what they lead to, once each on the way down.
func (d doors) follow(s *jsonschema.Schema, from []string) *jsonschema.Schema {
	if s == nil {
		return nil
	}
	if name, is := strings.CutPrefix(s.Ref, "#/components/schemas/"); is {
		if slices.Contains(from, name) {
			return &jsonschema.Schema{}
		}
		return d.follow(d.Components.Schemas[name], append(from, name))
	}
	whole := *s
	whole.Items = d.follow(s.Items, from)
	whole.Properties = maps.Clone(s.Properties)
	for name, property := range whole.Properties {
		whole.Properties[name] = d.follow(property, from)
	}
	return &whole
}

func compareCalls(name string, before, after call) (broken []string) {
	for _, was := range before.Parameters {
		is, there := after.parameter(was)
		if !there {
			broken = append(broken, name+" parameter "+was.Name+" is gone")
			continue
		}
		broken = append(broken, without(anyText, compare(name+" parameter "+was.Name, was.Schema, is.Schema))...)
	}
	for _, is := range after.Parameters {
		if was, _ := before.parameter(is); is.Required && !was.Required {
			broken = append(broken, name+" parameter "+is.Name+" is required now")
		}
	}
	broken = append(broken, without(noLongerRequired, compareContent(name+" request:", before.RequestBody, after.RequestBody))...)
	for _, status := range slices.Sorted(maps.Keys(before.Responses)) {
		response, there := after.Responses[status]
		if !there {
			broken = append(broken, name+" answer "+status+" is gone")
			continue
		}
		broken = append(broken, without(requiredNow, compareContent(name+" answer "+status+":", before.Responses[status], response))...)
	}
	return broken
}

// anyText is a change of a parameter that was a UUID and may be any text now: a caller may go on to send UUIDs.
const anyText = " was string (uuid) and is string"

// without leaves out the changes of a kind, which break nobody: a caller may go on to send what is no longer required, and receives
// more than before.
func without(kind string, changes []string) []string {
	return slices.DeleteFunc(changes, func(change string) bool { return strings.HasSuffix(change, kind) })
}

func (c call) parameter(like parameter) (parameter, bool) {
	i := slices.IndexFunc(c.Parameters, func(p parameter) bool { return p.Name == like.Name && p.In == like.In })
	if i < 0 {
		return parameter{}, false
	}
	return c.Parameters[i], true
}

func compareContent(name string, before, after content) (broken []string) {
	for _, media := range slices.Sorted(maps.Keys(before.Content)) {
		is, there := after.Content[media]
		if !there {
			broken = append(broken, name+" "+media+" is gone")
			continue
		}
		broken = append(broken, compare(name, before.Content[media].Schema, is.Schema)...)
	}
	return broken
}
