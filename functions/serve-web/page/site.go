// Package page is what all pages share: the visitor's session, calls of the API on their behalf, forms, problems, and
// how a page is written. A page is a Route whose handler reads a Request, calls its API and shows a component:
//
//	func (s shop) track(r *page.Request) error {
//		parcel, err := r.API.Track(r.Context(), r.FormValue("number"))
//		if err != nil {
//			return err // becomes a designed page
//		}
//		return r.Show(trackPage(r.View, parcel))
//	}
package page

import (
	"cmp"
	"log/slog"
	"net/http"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/static"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/token"
)

// Site is what the pages stand on.
type Site struct {
	API       http.RoundTripper // reaches the gateway
	APIURL    string            // address of the gateway
	PublicURL string
	Keys      token.Keys
	Cookies   auth.Cookies
	Pictures  string // what the addresses of pictures begin with
	Static    *static.Files
	Log       *slog.Logger
	Settings  *Settings
}

// Handler serves one page. An error becomes a page that explains it.
type Handler func(r *Request) error

// Route is the method and path of a page, in the form of [http.ServeMux], and its handler.
type Route struct {
	Pattern string
	Serve   Handler
	MaxBody int64 // bytes of its form; 0: 64 KiB
}

// Handler returns the handler of pages, and of their static files.
func (s *Site) Handler(routes ...Route) http.Handler {
	mux := http.NewServeMux()
	s.Static.NotFound = s.serve(notFound, maxForm)
	mux.Handle("GET "+static.Prefix, s.Static)
	for _, route := range append(routes, s.preferences()...) {
		mux.Handle(route.Pattern, s.serve(route.Serve, cmp.Or(route.MaxBody, maxForm)))
	}
	mux.Handle("/", s.serve(notFound, maxForm))
	return mux
}

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// serve returns the handler of one page.
func (s *Site) serve(handle Handler, maxBody int64) http.Handler {
	origins := http.NewCrossOriginProtection()
	_ = origins.AddTrustedOrigin(s.PublicURL) // an address with a path is not an origin; then Host decides
	origins.SetDenyHandler(s.page(func(*Request) error { return problemOf(http.StatusForbidden, "foreign-page") }, maxForm))
	return origins.Handler(s.page(handle, maxBody))
}

func (s *Site) page(handle Handler, maxBody int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		hr.Body = http.MaxBytesReader(w, hr.Body, maxBody)
		r := s.request(w, hr)
		r.protect(w.Header())
		defer r.recover()
		err := r.parseForm()
		if err == nil {
			err = handle(r)
		}
		if err != nil {
			r.fail(err)
		}
	})
}

// problemOf returns the problem of a kind, as the API would return it.
func problemOf(status int, kind string) *client.Problem {
	return &client.Problem{Type: "/problems/" + kind, Status: status}
}

func notFound(*Request) error { return NotFound() }

// NotFound returns the problem of a page that does not exist.
func NotFound() error { return problemOf(http.StatusNotFound, "not-found") }
