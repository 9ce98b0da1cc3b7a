package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/danielgtaylor/huma/v2"
)

const deepest = 16

// DuplicateProperty is how the answer names a field that is there twice.
const DuplicateProperty = "doubled property "

// formats are JSON, read strictly, and for lists CSV.
func formats() map[string]huma.Format {
	all := maps.Clone(huma.DefaultFormats)
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	all["application/json"], all["json"] = strict, strict
	all[inCSV] = huma.Format{Marshal: func(w io.Writer, v any) error {
		table, is := v.(interface{ writeCSV(*csv.Writer) error })
		if !is {
			return fmt.Errorf("%T is no list", v)
		}
		return table.writeCSV(csv.NewWriter(w))
	}}
	return all
}

// unmarshal is json.Unmarshal for what has no field twice and is not too deep. It is asked for the raw form first, and
// checks that.
func unmarshal(data []byte, v any) error {
	if _, raw := v.(*any); raw {
		if err := strictJSON(json.NewDecoder(bytes.NewReader(data)), 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return json.Unmarshal(data, v)
}

// strictJSON reads one value.
func strictJSON(d *json.Decoder, depth int) error {
	if depth > deepest {
		return fmt.Errorf("deeper than %d levels", deepest)
	}
	next, err := d.Token()
	if err != nil {
		return err
	}
	opened, is := next.(json.Delim)
	if !is {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if opened == '{' {
			if err := field(d, seen); err != nil {
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

// field reads a field's name, which must be new.
func field(d *json.Decoder, seen map[string]bool) error {
	next, err := d.Token()
	if err != nil {
		return err
	}
	name, _ := next.(string) // the decoder sees to it that it is one
	if seen[name] {
		return errors.New(DuplicateProperty + name)
	}
	seen[name] = true
	return nil
}
