package jsonbody

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/typed"
)

// How the text of a property is read, by its name; any other is one line.
var (
	codes = map[string]bool{
		"sku": true, "country": true, "currency": true, "postal_code": true, "phone": true, "locale": true, "payment_method": true, "order_number": true,
	}
	prose   = map[string]bool{"description": true, "reason": true, "note": true, "signature": true}
	secrets = map[string]bool{"password": true, "old": true, "new": true, "client_secret": true, "refresh_token": true, "order_token": true}
)

// decodeTyped reads a JSON value with its texts normalised, and with problem.Unreadable for those with characters that are refused.
func decodeTyped(data []byte) (body any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("is not JSON: see character %d", decoder.InputOffset())
	}
	return normalise("", body), nil
}

// normalise returns a value of the property called name.
func normalise(name string, value any) any {
	switch v := value.(type) {
	case string:
		return normaliseText(name, v)
	case json.Number:
		return integer(v)
	case []any:
		for i := range v {
			v[i] = normalise(name, v[i])
		}
	case map[string]any:
		return normaliseObject(v)
	}
	return value
}

// normaliseObject returns an object with its names normalised too, which are typed where an object is a list of attributes.
func normaliseObject(object map[string]any) map[string]any {
	normalised := make(map[string]any, len(object))
	for name, value := range object {
		if !typed.IsLine(name) {
			value = problem.Unreadable(name)
		}
		normalised[typed.Line(name)] = normalise(name, value)
	}
	return normalised
}

func normaliseText(name, text string) any {
	form, accepted := typed.Line, typed.IsLine
	switch {
	case secrets[name]:
		form, accepted = typed.Secret, func(string) bool { return !strings.ContainsRune(text, '\ufffd') }
	case prose[name]:
		form, accepted = typed.Prose, typed.IsProse
	case codes[name]:
		form = typed.Code
	case name == "email" || strings.HasSuffix(name, "_email"):
		form = typed.Email
	}
	if text = form(text); !accepted(text) {
		return problem.Unreadable(text)
	}
	return text
}

// integer returns 1.0 and 1e2 as 1 and 100, which are integers in JSON Schema, and any other number as it is.
func integer(n json.Number) json.Number {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return n
	}
	return json.Number(strconv.FormatInt(int64(f), 10))
}

// withFloats returns a value as encoding/json decodes it without UseNumber.
func withFloats(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case json.Number:
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = withFloats(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			if v[name], err = withFloats(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
