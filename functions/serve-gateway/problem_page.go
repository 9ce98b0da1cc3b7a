package servegateway

import (
	"bytes"
	_ "embed" // the page of a problem
	"html/template"
	"net/http"

	"github.com/popup-shop/popup/internal/problem"
)

//go:embed docs/problem.html
var problemHTML string

var problemTemplate = template.Must(template.New("problem").Parse(problemHTML))

// problemPage serves the page that the type of a problem leads to.
func problemPage(w http.ResponseWriter, r *http.Request) {
	meaning, language, ok := problem.Explain(r.PathValue("kind"), r.Header.Get("Accept-Language"))
	if !ok {
		problem.NotFound("kind of problem").Write(w, r)
		return
	}
	var text bytes.Buffer
	err := problemTemplate.Execute(&text, struct {
		problem.Meaning
		Language string
	}{meaning, language})
	if err != nil {
		problem.Internal().Write(w, r)
		return
	}
	w.Header().Set("Content-Language", language)
	w.Header().Add("Vary", "Accept-Language")
	serve("text/html; charset=utf-8", pagePolicy, text.Bytes()).ServeHTTP(w, r)
}
