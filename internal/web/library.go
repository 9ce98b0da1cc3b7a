package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// What the library finds wrong with a request becomes a problem of ours. Names of fields are what they are, not another
// case of them.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		p := libraryProblem(status, detail, errs)
		if ctx != nil {
			p.For(ctx.Header)
		}
		return p
	}
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return libraryProblem(status, detail, errs)
	}
}

var kinds = map[int]string{
	http.StatusNotFound: "not-found", http.StatusMethodNotAllowed: "no-such-method", http.StatusRequestEntityTooLarge: "too-large",
	http.StatusUnsupportedMediaType: "unsupported", http.StatusRequestTimeout: "too-slow", http.StatusInternalServerError: "internal",
}

// unreadable is what the library says when a body breaks off, or is cut into chunks that are none.
const unreadable = "cannot read request body"

func libraryProblem(status int, detail string, errs []error) *Problem {
	if status == http.StatusUnprocessableEntity || detail == unreadable {
		status = http.StatusBadRequest // 422 is for keys that are used again, and a broken body is no fault of ours
	}
	kind, ok := kinds[status]
	if !ok {
		kind = "invalid"
	}
	p := New(status, kind, detail)
	for _, err := range errs {
		var at huma.ErrorDetailer
		if errors.As(err, &at) {
			d := at.ErrorDetail()
			p.Errors = append(p.Errors, FieldError{Field: fieldOf(d), Message: d.Message})
		} else if err != nil {
			p.Errors = append(p.Errors, FieldError{Field: "body", Message: err.Error()})
		}
	}
	return p
}

// fieldOf is the field that the library's location names. A missing property is named, not the object that lacks it.
func fieldOf(d *huma.ErrorDetail) string {
	field := d.Location
	for _, in := range []string{"body.", "path.", "query.", "header."} {
		field = strings.TrimPrefix(field, in)
	}
	if name, twice := strings.CutPrefix(d.Message, DuplicateProperty); twice {
		return name
	}
	if name, missing := strings.CutPrefix(d.Message, "expected required property "); missing {
		name, _, _ = strings.Cut(name, " ")
		if field == "body" || field == "" {
			return name
		}
		return field + "." + name
	}
	return field
}
