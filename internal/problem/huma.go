package problem

import (
	"errors"
	"net/http"
	"slices"
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

	// OutOfRange begins the message of an error about a number that is too large for its field; the field's name follows.
	OutOfRange = "is out of range: "
)

// Unreadable is a text with characters that are refused: it takes the place of the text, so that validation rejects it.
type Unreadable string

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
	if kind == "invalid" && len(errs) > 0 {
		detail = Invalid().Detail
	}
	p := New(status, kind, detail)
	for _, err := range errs {
		if e, ok := toFieldError(err); ok && !p.names(e.Field) {
			p.Errors = append(p.Errors, e)
		}
	}
	p.Errors = withoutConsequences(p.Errors)
	return p
}

// withoutConsequences returns the errors of a body that cannot be read alone, if there is one: none of its fields is known.
func withoutConsequences(all []FieldError) []FieldError {
	isBody := func(e FieldError) bool { return e.Field == "body" }
	if !slices.ContainsFunc(all, isBody) {
		return all
	}
	return slices.DeleteFunc(all, func(e FieldError) bool { return !isBody(e) })
}

// names reports whether an error of a field, or of an object or list that it is in, is among those of the problem. What follows from it
// would only confuse.
func (p *Problem) names(field string) bool {
	return slices.ContainsFunc(p.Errors, func(e FieldError) bool {
		rest, ok := strings.CutPrefix(field, e.Field)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// toFieldError returns an error of huma in our form; ok is false for nil.
func toFieldError(err error) (e FieldError, ok bool) {
	var detailer huma.ErrorDetailer
	if errors.As(err, &detailer) {
		d := detailer.ErrorDetail()
		return FieldError{Field: fieldName(d), Message: message(d)}, true
	}
	if err == nil {
		return e, false
	}
	return FieldError{Field: "body", Message: err.Error()}, true
}

// message returns what is wrong with a field.
func message(d *huma.ErrorDetail) string {
	if _, ok := d.Value.(Unreadable); ok {
		return "must not have control characters or invisible ones"
	}
	if strings.HasPrefix(d.Message, OutOfRange) {
		return "is out of range"
	}
	if strings.Contains(d.Message, "date-time") || strings.Contains(d.Message, "date/time") {
		return "must be a time such as 2026-11-29T10:00:00Z, or a day such as 2026-11-29"
	}
	return d.Message
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
	if name, ok := strings.CutPrefix(d.Message, OutOfRange); ok {
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
