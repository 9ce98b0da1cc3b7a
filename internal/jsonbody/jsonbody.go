// Package jsonbody reads JSON that people and programs send: strictly, and with texts in one form.
package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/popup-shop/popup/internal/problem"
)

// maxDepth is how many objects and lists may be inside one another.
const maxDepth = 16

// Unmarshal is json.Unmarshal for what people and programs send: texts are normalised before they are validated, 1.0 is an
// integer, and a property that occurs twice or a body that is too deep is an error. Huma calls it for an untyped value first, which
// it validates, and then for the typed one.
func Unmarshal(data []byte, v any) error {
	untyped, ok := v.(*any)
	if ok {
		if err := strictJSON(json.NewDecoder(bytes.NewReader(data)), 0); err != nil && !errors.Is(err, io.EOF) {
			return inWords(err)
		}
	}
	body, err := decodeTyped(data)
	switch {
	case err != nil:
		return inWords(err)
	case ok:
		*untyped, err = withFloats(body)
		return inWords(err)
	}
	if data, err = json.Marshal(body); err != nil {
		return err
	}
	return inWords(json.Unmarshal(data, v))
}

// inWords returns an error of encoding/json without the names of Go's types.
func inWords(err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("is not JSON: see character %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("is not JSON: it ends too early")
	case errors.As(err, &mismatch):
		return errors.New(problem.OutOfRange + mismatch.Field)
	}
	return err
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
