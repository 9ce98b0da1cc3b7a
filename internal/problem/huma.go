package problem

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Errors that huma finds in a request become problems. Names of fields must match in case.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		p := fromHuma(status, detail, errs)
		if ctx != nil {
			p.For(ctx.Header)
		}
		return p
	}
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return fromHuma(status, detail, errs)
	}
}

var kinds = map[int]string{
	http.StatusNotFound:              "not-found",
	http.StatusMethodNotAllowed:      "no-such-method",
	http.StatusRequestEntityTooLarge: "too-large",
	http.StatusUnsupportedMediaType:  "unsupported",
	http.StatusRequestTimeout:        "too-slow",
	http.StatusInternalServerError:   "internal",
}

// Messages of errors of huma, and of strict JSON.
const (
	bodyUnreadable  = "cannot read request body" // it breaks off, or is not chunked as it claims
	propertyMissing = "expected required property "

	// DuplicateProperty begins the message of an error about a field that occurs twice; the field's name follows.
	DuplicateProperty = "duplicate property "
)

// fromHuma returns the problem for errors of huma. 422 becomes 400, which leaves 422 to requests that are valid and can't be met.
func fromHuma(status int, detail string, errs []error) *Problem {
	var tooLarge *http.MaxBytesError
	if errors.As(errors.Join(errs...), &tooLarge) {
		return TooLarge()
	}
	if status == http.StatusUnprocessableEntity || detail == bodyUnreadable {
		status = http.StatusBadRequest
	}
	kind, ok := kinds[status]
	if !ok {
		kind = "invalid"
	}
	p := New(status, kind, detail)
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if errors.As(err, &detailer) {
			d := detailer.ErrorDetail()
			p.Errors = append(p.Errors, FieldError{Field: fieldName(d), Message: d.Message})
		} else if err != nil {
			p.Errors = append(p.Errors, FieldError{Field: "body", Message: err.Error()})
		}
	}
	return p
}

// fieldName returns the path of the field that is wrong: of a missing property itself, not of the object that lacks it.
func fieldName(d *huma.ErrorDetail) string {
	field := d.Location
	for _, in := range []string{"body.", "path.", "query.", "header."} {
		field = strings.TrimPrefix(field, in)
	}
	if name, ok := strings.CutPrefix(d.Message, DuplicateProperty); ok {
		return name
	}
	if name, ok := strings.CutPrefix(d.Message, propertyMissing); ok {
		name, _, _ = strings.Cut(name, " ")
		if field == "body" || field == "" {
			return name
		}
		return field + "." + name
	}
	return field
}
