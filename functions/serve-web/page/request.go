package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// patience is how long a call of the API is repeated while the shop is busy. A visitor waits for it.
const patience = 3 * time.Second

// Request is a visitor's request for a page.
type Request struct {
	*http.Request
	API  *client.Client // with the visitor's token and language
	View *ui.View

	site     *Site
	w        http.ResponseWriter
	session  session
	settings client.Settings // of the shop
	status   int
	mu       sync.Mutex // guards the cookies of the response and the tokens of the session
}

// request begins a request: it finds the visitor's session, language and notices.
func (s *Site) request(w http.ResponseWriter, hr *http.Request) *Request {
	r := &Request{Request: hr, site: s, w: w, status: http.StatusOK}
	r.session = s.resume(r)
	language := r.language()
	r.API = s.client(r, language)
	r.settings = s.Settings.read(r.Context(), r.API)
	r.View = &ui.View{
		Language: language, Theme: r.theme(), Path: r.URL.RequestURI(), Static: s.Static.Path, Style: s.Static.StylePath(r.settings.Accent),
		Shop:    shopOf(r.settings, language, strings.TrimRight(s.PublicURL, "/")),
		User:    ui.User{ID: r.session.claims.ID, Email: r.session.claims.Email, Role: r.session.claims.Role},
		Notices: r.takeNotices(language), Basket: sync.OnceValue(r.countBasket),
	}
	return r
}

// client returns a client that calls the API for the visitor.
func (s *Site) client(r *Request, language string) *client.Client {
	return client.New(s.APIURL,
		client.HTTP(&http.Client{Transport: visitor{s.API, r}}), client.Language(language), client.Patience(patience))
}

// Settings returns the settings of the shop.
func (r *Request) Settings() client.Settings { return r.settings }

// countBasket returns the number of items in the visitor's basket. Those without a basket cost no call.
func (r *Request) countBasket() int64 {
	if r.session.basket == "" && r.session.access == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	basket, err := r.API.GetBasket(ctx, client.Patience(0))
	if err != nil {
		return 0 // the page itself is what the visitor wants
	}
	return basket.Count
}

// HTMX reports whether a script of the page makes the request, and not the browser itself.
func (r *Request) HTMX() bool { return r.Header.Get("HX-Request") == "true" }

// SetHeader sets a header of the response.
func (r *Request) SetHeader(name, value string) { r.w.Header().Set(name, value) }

// Status sets the status of the page that is shown next.
func (r *Request) Status(status int) { r.status = status }

// bodies are buffers of pages that have been written.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Show writes a page, or 304 to a browser that has the same one already.
func (r *Request) Show(component templ.Component) error {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if err := component.Render(r.Context(), body); err != nil {
		return err
	}
	h := r.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", r.View.Language)
	h.Add("Vary", "Accept-Language, Cookie, HX-Request")
	if r.status == http.StatusOK && r.Method == http.MethodGet && len(r.View.Notices) == 0 {
		sum := sha256.Sum256(body.Bytes())
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		h.Set("ETag", tag)
		if web.ETagMatches(r.Request.Header.Get("If-None-Match"), tag) {
			r.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	r.w.WriteHeader(r.status)
	if r.Method != http.MethodHead {
		_, _ = body.WriteTo(r.w) // fails if the visitor has left
	}
	return nil
}

// SeeOther leads the visitor to another page after a form.
func (r *Request) SeeOther(path string) error {
	r.w.Header().Set("Location", path)
	r.w.Header().Set("Cache-Control", "no-store")
	r.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// WritePublic writes a response that is the same for everyone and no page, such as a sitemap.
func (r *Request) WritePublic(mediaType string, body []byte) error {
	r.SetHeader("Cache-Control", "public, max-age=300")
	return r.Write(mediaType, body)
}

// Write writes a response to its visitor alone that is no page, such as their data.
func (r *Request) Write(mediaType string, body []byte) error {
	r.SetHeader("Content-Type", mediaType)
	r.w.WriteHeader(r.status)
	_, err := r.w.Write(body)
	return err
}

// protect sets the headers that keep scripts, styles and frames of others out of a page.
func (r *Request) protect(h http.Header) {
	images := "'self' data:"
	if at, err := url.Parse(r.site.Pictures); err == nil && at.Host != "" {
		images += " " + at.Scheme + "://" + at.Host
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src "+images+"; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
}

// language returns the language that the visitor chose, or else the one that their browser prefers.
func (r *Request) language() string {
	for _, language := range text.Languages() {
		if r.cookie("language") == language {
			return language
		}
	}
	return problem.PreferredLanguage(r.Request.Header.Get("Accept-Language"))
}

// theme returns the colours that the visitor chose, or "".
func (r *Request) theme() string {
	if theme := r.cookie("theme"); theme == "light" || theme == "dark" {
		return theme
	}
	return ""
}
