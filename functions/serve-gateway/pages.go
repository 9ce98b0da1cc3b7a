package servegateway

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
)

// pagesFunction makes the pages of the shop: it serves whatever is no route of the API.
const pagesFunction = "serve-web"

// Headers between the gateway and the function of the pages. Callers can't send them.
const (
	passHeader   = "Popup-Pass"   // what a visitor is known by in the calls that a page makes for them
	statusHeader = "Popup-Status" // of the response that a page of a problem takes the place of
)

// pageRoute is the route of all pages. They accept every caller: who may see a page is decided by the API that it calls.
var pageRoute = function.Route{Path: "/", Access: access.All, MaxBody: maxPageForm}

// maxPageForm is how many bytes a form with a file may have.
const maxPageForm = 21 << 20

// staticPath begins the addresses of files that browsers keep for good.
const staticPath = "/static/"

// servePage forwards a request to the function of the pages. A page brings its own headers of security and caching.
func (g *gateway) servePage(w http.ResponseWriter, r *http.Request) {
	pages := g.pages()
	if pages == nil || !forPages(r) {
		problem.New(http.StatusNotFound, "not-found", "There is no route "+r.URL.Path+".").Write(w, r)
		return
	}
	page := &pageWriter{ResponseWriter: w, defaults: http.Header{}}
	for _, name := range pageHeaders {
		page.defaults[name] = w.Header()[name]
		w.Header().Del(name)
	}
	for _, name := range corsHeaders {
		w.Header().Del(name)
	}
	r.Header.Set(passHeader, g.passes.issue(r.Header.Get("X-Forwarded-For")))
	pages.ServeHTTP(page, r)
}

// forPages reports whether a request is one that a browser makes for a page: by a link, or by a form.
func forPages(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodPost:
		mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		return err == nil && (mediaType == "application/x-www-form-urlencoded" || mediaType == "multipart/form-data")
	}
	return false
}

// pageHeaders are headers that pages set themselves.
var pageHeaders = []string{"Content-Security-Policy", "Referrer-Policy", "Cache-Control", "X-Content-Type-Options"}

// pageWriter adds the headers that a response should have and does not.
type pageWriter struct {
	http.ResponseWriter
	defaults http.Header
}

func (p *pageWriter) WriteHeader(status int) {
	for name, values := range p.defaults {
		if p.Header()[name] == nil {
			p.Header()[name] = values
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the wrapped ResponseWriter, for [http.ResponseController].
func (p *pageWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// wantsPage reports whether a browser is about to show the response.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// problemHolder holds back problem details, so that a page can take their place.
type problemHolder struct {
	http.ResponseWriter
	status int // of the problem; 0: there is none
	body   bytes.Buffer
}

func (h *problemHolder) WriteHeader(status int) {
	if status >= http.StatusBadRequest && h.Header().Get("Content-Type") == problem.ContentType {
		h.status = status
		return
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *problemHolder) Write(p []byte) (int, error) {
	if h.status != 0 {
		return h.body.Write(p)
	}
	return h.ResponseWriter.Write(p)
}

// Unwrap returns the wrapped ResponseWriter, for [http.ResponseController].
func (h *problemHolder) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// kind returns the kind of the problem that is held.
func (h *problemHolder) kind() string {
	var p struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(h.body.Bytes(), &p) != nil || p.Type == "" {
		return "internal"
	}
	return path.Base(p.Type)
}

// asPage returns a handler that responds to browsers with a page for each problem.
func (g *gateway) asPage(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsPage(r) {
			to.ServeHTTP(w, r)
			return
		}
		held := &problemHolder{ResponseWriter: w}
		to.ServeHTTP(held, r)
		if held.status != 0 {
			g.showProblem(w, r, held.kind(), held.status)
		}
	})
}

// showProblem responds with the page of a problem. Where there were too many requests, or the function of the pages does
// not respond, it is the gateway's own.
func (g *gateway) showProblem(w http.ResponseWriter, r *http.Request, kind string, status int) {
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Language", "ETag"} {
		w.Header().Del(name)
	}
	if pages := g.pages(); pages != nil && status != http.StatusTooManyRequests {
		asked := r.Clone(r.Context())
		asked.Method, asked.Body, asked.ContentLength = http.MethodGet, http.NoBody, 0
		asked.URL.Path, asked.URL.RawPath, asked.URL.RawQuery = "/problems/"+kind, "", ""
		asked.Header.Set("Accept", "text/html") // a function in the same program may have changed it
		asked.Header.Set(statusHeader, strconv.Itoa(status))
		asked.Header.Set(passHeader, g.passes.issue(r.Header.Get("X-Forwarded-For")))
		asked.Header.Del("If-None-Match")
		if page, whole := record(asked, pages); whole && page.status == status && isPage(page) {
			copyPage(w, page, r.Method)
			return
		}
	}
	ownProblemPage(w, r, kind, status)
}

// isPage reports whether a response is a page, and not a problem that took its place.
func isPage(a *cachedResponse) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
}

// copyPage responds with a recorded page.
func copyPage(w http.ResponseWriter, page *cachedResponse, method string) {
	for _, name := range corsHeaders {
		w.Header().Del(name)
	}
	for name, values := range page.header {
		w.Header()[name] = values
	}
	w.WriteHeader(page.status)
	if method != http.MethodHead {
		_, _ = w.Write(page.body) // fails if the caller has disconnected
	}
}

// explainProblem serves the page that the type of a problem leads to.
func (g *gateway) explainProblem(w http.ResponseWriter, r *http.Request) {
	if pages := g.pages(); pages != nil {
		if page, whole := record(r.Clone(r.Context()), pages); whole && isPage(page) {
			copyPage(w, page, r.Method)
			return
		}
	}
	kind := r.PathValue("kind")
	if _, _, ok := problem.Explain(kind, ""); !ok {
		problem.NotFound("kind of problem").Write(w, r)
		return
	}
	ownProblemPage(w, r, kind, http.StatusOK)
}
