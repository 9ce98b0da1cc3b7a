package page

import (
	"errors"
	"net/http"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// keptField marks a form that is shown again after its visitor has signed in, and is not submitted yet.
const keptField = "kept"

// parseForm reads the form of a request, or returns the problem of one that is too large or no form. Forms with files are
// read by Upload.
func (r *Request) parseForm() error { return formProblem(r.ParseForm()) }

func formProblem(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return problemOf(http.StatusRequestEntityTooLarge, "too-large")
	}
	return problemOf(http.StatusBadRequest, "invalid")
}

// Form returns the form that a request submits; ok is false if it is to be shown and not to be acted on.
func (r *Request) Form() (f *ui.Form, ok bool) {
	f = &ui.Form{Values: r.PostForm}
	if r.Method != http.MethodPost {
		f.Values = r.Request.Form
	}
	kept := f.Values.Has(keptField)
	f.Values.Del(keptField)
	return f, r.Method == http.MethodPost && !kept
}

// Reject adds the errors of a problem of the API to a form, so that the form can be shown again. It returns the error
// itself if the visitor can do nothing about it in the form.
func (r *Request) Reject(f *ui.Form, err error) error {
	var p *client.Problem
	if !errors.As(err, &p) || p.Status >= http.StatusInternalServerError || Is(err, "not-found") ||
		Is(err, "not-signed-in") && r.View.SignedIn() {
		return err
	}
	r.Status(http.StatusUnprocessableEntity)
	for _, e := range p.Errors {
		f.Add(strings.TrimPrefix(e.Field, "body."), r.explain(e.Message))
	}
	if len(p.Errors) == 0 {
		f.Add("", r.explainKind(p))
	}
	return nil
}

// explainKind returns a problem in the visitor's language.
func (r *Request) explainKind(p *client.Problem) string {
	if key := "problem." + p.Kind(); text.Has(key) {
		return r.View.T(key)
	}
	return r.View.T("problem.other")
}

// explain returns the message of an error of the API in the visitor's language.
func (r *Request) explain(message string) string {
	if key := "api." + message; text.Has(key) {
		return r.View.T(key)
	}
	for _, prefix := range []string{"is not a postal code", "expected length", "expected string", "is not one of"} {
		if strings.HasPrefix(message, prefix) {
			return r.View.T("api." + prefix)
		}
	}
	return r.View.T("api.other")
}
