package contract

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Compare lists, in words, what breaks the promise that only optional fields are ever added between two sets of
// schemas: events and fields that are gone, types that changed, fields that are required now or no longer. Both have
// their schemas in events/.
func Compare(released, now fs.FS) (broken []string) {
	files, err := fs.Glob(released, "events/*.json")
	if err != nil {
		return []string{err.Error()}
	}
	for _, file := range files {
		event := strings.TrimSuffix(path.Base(file), ".json")
		before, err := readSchema(released, file)
		if err != nil {
			broken = append(broken, err.Error())
			continue
		}
		after, err := readSchema(now, file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			broken = append(broken, event+" is gone")
		case err != nil:
			broken = append(broken, err.Error())
		default:
			broken = append(broken, compare(event+":", before, after)...)
		}
	}
	return broken
}

func readSchema(from fs.FS, file string) (*jsonschema.Schema, error) {
	text, err := fs.ReadFile(from, file)
	if err != nil {
		return nil, err
	}
	var s jsonschema.Schema
	return &s, json.Unmarshal(text, &s)
}

// compare compares the schemas of one field, and of all fields in it.
func compare(field string, before, after *jsonschema.Schema) (broken []string) {
	if kind(before) != kind(after) {
		return []string{field + " was " + kind(before) + " and is " + kind(after)}
	}
	if before.Items != nil && after.Items != nil {
		broken = compare(field+"[]", before.Items, after.Items)
	}
	for _, name := range slices.Sorted(maps.Keys(before.Properties)) {
		inner, there := after.Properties[name]
		if !there {
			broken = append(broken, within(field, name)+" is gone")
			continue
		}
		broken = append(broken, compare(within(field, name), before.Properties[name], inner)...)
	}
	return append(broken, compareRequired(field, before, after)...)
}

const (
	noLongerRequired = " is no longer required"
	requiredNow      = " is required now"
)

func compareRequired(field string, before, after *jsonschema.Schema) (broken []string) {
	for _, name := range after.Required {
		if !slices.Contains(before.Required, name) {
			broken = append(broken, within(field, name)+requiredNow)
		}
	}
	for _, name := range before.Required {
		if _, there := after.Properties[name]; there && !slices.Contains(after.Required, name) {
			broken = append(broken, within(field, name)+noLongerRequired)
		}
	}
	return broken
}

// within is the name of a field in a field: "order.placed: lines[].sku".
func within(field, name string) string {
	if strings.HasSuffix(field, ":") {
		return field + " " + name
	}
	return field + "." + name
}

// kind is the type of a schema with its format.
func kind(s *jsonschema.Schema) string {
	types := s.Types
	if s.Type != "" {
		types = []string{s.Type}
	}
	text := strings.Join(types, " or ")
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	return text
}
