package servegateway

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page of a problem
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"github.com/popup-shop/popup/internal/problem"
)

//go:embed docs/problem.html
var problemHTML string

var problemTemplate = template.Must(template.New("problem").Parse(problemHTML))

// ownPagePolicy allows the style of the gateway's own page, by its hash, and nothing else.
var ownPagePolicy = "default-src 'none'; style-src 'sha256-" + hashOfStyle(problemHTML) + "'; base-uri 'none'; frame-ancestors 'none'"

func hashOfStyle(html string) string {
	_, rest, _ := strings.Cut(html, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ownProblemPage responds with the gateway's own page for a kind of problem.
func ownProblemPage(w http.ResponseWriter, r *http.Request, kind string, status int) {
	meaning, language, ok := problem.Explain(kind, r.Header.Get("Accept-Language"))
	if !ok {
		meaning, language, _ = problem.Explain("internal", r.Header.Get("Accept-Language"))
	}
	var text bytes.Buffer
	err := problemTemplate.Execute(&text, struct {
		problem.Meaning
		Language  string
		RequestID string
	}{meaning, language, w.Header().Get("X-Request-ID")})
	if err != nil {
		problem.Internal().Write(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language)
	h.Add("Vary", "Accept, Accept-Language")
	h.Set("Content-Security-Policy", ownPagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes()) // fails if the caller has disconnected
	}
}
