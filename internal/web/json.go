package web

import (
	"maps"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/jsonbody"
	"github.com/popup-shop/popup/internal/problem"
)

// formats returns strict JSON and, for lists, CSV.
func formats() map[string]huma.Format {
	all := maps.Clone(huma.DefaultFormats)
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: jsonbody.Unmarshal}
	all["application/json"], all["json"] = strict, strict
	all[typeCSV] = huma.Format{Marshal: marshalCSV}
	return all
}

// BodyErrors is FieldErrors for the method Resolve of a whole request: the fields are those of its body.
func BodyErrors(errs []problem.FieldError) []error {
	at := &huma.PathBuffer{}
	at.Push("body")
	return FieldErrors(at, errs)
}

// FieldErrors returns errors of fields of a value in a request, for its method Resolve, which huma calls with the place of the value.
// They are reported together with what is wrong with the rest of the request.
func FieldErrors(at *huma.PathBuffer, errs []problem.FieldError) (all []error) {
	for _, e := range errs {
		all = append(all, &huma.ErrorDetail{Location: at.String() + "." + e.Field, Message: e.Message})
	}
	return all
}
