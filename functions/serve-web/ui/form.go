package ui

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/functions/serve-web/text"
)

// FieldError is an error at a field of a form, in the visitor's language.
type FieldError struct {
	Field   string
	Message string
}

// Form is the values of a form, as they were typed, and what is wrong with them. Fields have the names that they have in
// the API, so that an error of the API finds its field.
type Form struct {
	Values url.Values
	Errors []FieldError
}

// NewForm returns a form with values in pairs of name and value.
func NewForm(pairs ...string) *Form {
	f := &Form{Values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// Value returns the value of a field.
func (f *Form) Value(field string) string { return strings.TrimSpace(f.Values.Get(field)) }

// Raw returns the value of a field with its blanks, such as a password.
func (f *Form) Raw(field string) string { return f.Values.Get(field) }

// Int returns the value of a field as a whole number; ok is false if it is none.
func (f *Form) Int(field string) (n int64, ok bool) {
	n, err := strconv.ParseInt(f.Value(field), 10, 64)
	return n, err == nil
}

// Is reports whether a field has a value.
func (f *Form) Is(field, value string) bool { return f.Value(field) == value }

// Error returns the message of a field, or "".
func (f *Form) Error(field string) string {
	for _, e := range f.Errors {
		if e.Field == field {
			return e.Message
		}
	}
	return ""
}

// Add adds an error.
func (f *Form) Add(field, message string) {
	f.Errors = append(f.Errors, FieldError{Field: field, Message: message})
}

// ID returns the id that the control of a field has in the page.
func ID(field string) string {
	return "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "", " ", "-").Replace(field)
}

// kind returns the type of an input.
func (c Control) kind() string {
	if c.Type == "" {
		return "text"
	}
	return c.Type
}

// describedBy returns the ids of a field's hint and error.
func (c Control) describedBy(f *Form) string {
	var ids []string
	if c.Hint != "" {
		ids = append(ids, ID(c.Name)+"-hint")
	}
	if f.Error(c.Name) != "" {
		ids = append(ids, ID(c.Name)+"-error")
	}
	return strings.Join(ids, " ")
}

// shows reports whether the form has a control for a field.
func (f *Form) shows(field string) bool { return text.Has(labelKey(field)) }

// label returns the label of a field in the summary of errors.
func (f *Form) label(v *View, field string) string { return v.T(labelKey(field)) }

// labelKey returns the key of a field's label: fields of the same meaning have the same label in all forms.
func labelKey(field string) string { return "field." + field[strings.LastIndex(field, ".")+1:] }

// labelled returns the key of a control's label.
func (c Control) labelled() string {
	if c.Label != "" {
		return c.Label
	}
	return labelKey(c.Name)
}
