package page

import (
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/problem"
)

// StatusHeader names the status of the response that a page of a problem takes the place of. Only the gateway sends it.
const StatusHeader = "Popup-Status"

// recover turns a panic of a handler into a page.
func (r *Request) recover() {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	r.site.Log.ErrorContext(r.Context(), "panic", "path", r.URL.Path, "request", r.id(), "panic", p, "stack", string(debug.Stack()))
	r.fail(problemOf(http.StatusInternalServerError, "internal"))
}

func (r *Request) id() string { return r.Request.Header.Get("X-Request-Id") }

// fail responds to an error: a visitor who has to sign in is led there and back, all others get a page that explains it.
func (r *Request) fail(err error) {
	var p *client.Problem
	if !errors.As(err, &p) {
		r.site.Log.WarnContext(r.Context(), "page failed", "path", r.URL.Path, "request", r.id(), "error", err)
		p = problemOf(http.StatusServiceUnavailable, "dependency-down")
	}
	if p.Kind() == "not-signed-in" && r.View != nil {
		r.signInFirst()
		return
	}
	if p.RetryAfter > 0 {
		r.SetHeader("Retry-After", strconv.Itoa(int(p.RetryAfter.Seconds())))
	}
	r.Status(p.Status)
	if err := r.showProblem(p.Kind(), p.Status); err != nil {
		http.Error(r.w, http.StatusText(p.Status), p.Status)
	}
}

// showProblem shows the page of a kind of problem.
func (r *Request) showProblem(kind string, status int) error {
	meaning, _, ok := problem.Explain(kind, r.View.Language)
	if !ok {
		meaning, _, _ = problem.Explain("internal", r.View.Language)
	}
	if !r.prefersPage() {
		problem.New(status, meaning.Kind, meaning.Text).Write(r.w, r.Request)
		return nil
	}
	return r.Show(ui.ProblemPage(r.View, meaning, status, r.id()))
}

// prefersPage reports whether the client reads pages. Others get problem details, as from the API.
func (r *Request) prefersPage() bool {
	return r.HTMX() || strings.Contains(r.Request.Header.Get("Accept"), "text/html")
}

// ProblemPage shows what a kind of problem means. The gateway shows it in place of a problem that a browser would get.
func ProblemPage(r *Request) error {
	kind := r.PathValue("kind")
	meaning, _, ok := problem.Explain(kind, r.View.Language)
	if !ok {
		return problemOf(http.StatusNotFound, "not-found")
	}
	status, err := strconv.Atoi(r.Request.Header.Get(StatusHeader))
	if err != nil || status < http.StatusBadRequest {
		return r.Show(ui.MeaningPage(r.View, meaning))
	}
	r.Status(status)
	if kind == "not-signed-in" {
		return r.Show(ui.ProblemPage(r.View, meaning, status, r.id()))
	}
	return r.showProblem(kind, status)
}

// signInFirst leads the visitor to the page where they sign in, and back to this one afterwards. What they typed into a
// form comes along, except passwords.
func (r *Request) signInFirst() {
	r.SignOut()
	if r.Method != http.MethodPost {
		r.Notify("bad", "session.needed")
		_ = r.SeeOther("/sign-in?next=" + url.QueryEscape(r.View.Path))
		return
	}
	kept := url.Values{}
	for name, values := range r.PostForm {
		if !strings.Contains(name, "password") && name != "old" && name != "new" {
			kept[name] = values
		}
	}
	r.View.User = ui.User{}
	form := ui.NewForm("next", r.URL.Path, "form", kept.Encode())
	r.Status(http.StatusUnauthorized)
	if err := r.Show(ui.SignInPage(r.View, form, true)); err != nil {
		http.Error(r.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}
