package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/problem"
)

// maxDepth is how many objects and lists of a JSON body may be inside one another.
const maxDepth = 16

// formats returns strict JSON and, for lists, CSV.
func formats() map[string]huma.Format {
	all := maps.Clone(huma.DefaultFormats)
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrict}
	all["application/json"], all["json"] = strict, strict
	all[typeCSV] = huma.Format{Marshal: marshalCSV}
	return all
}

// unmarshalStrict is json.Unmarshal with errors for a property that occurs twice and for a body that is too deep. Huma calls it for
// an untyped value first; that is when the body is checked.
func unmarshalStrict(data []byte, v any) error {
	if _, ok := v.(*any); ok {
		if err := strictJSON(json.NewDecoder(bytes.NewReader(data)), 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return json.Unmarshal(data, v)
}

// strictJSON reads one value.
func strictJSON(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("deeper than %d levels", maxDepth)
	}
	next, err := d.Token()
	if err != nil {
		return err
	}
	opening, ok := next.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if opening == '{' {
			if err := propertyName(d, seen); err != nil {
				return err
			}
		}
		if err := strictJSON(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// propertyName reads the name of a property that must not be in seen, and adds it.
func propertyName(d *json.Decoder, seen map[string]bool) error {
	next, err := d.Token()
	if err != nil {
		return err
	}
	name, _ := next.(string) // the decoder returns nothing else here
	if seen[name] {
		return errors.New(problem.DuplicateProperty + name)
	}
	seen[name] = true
	return nil
}
