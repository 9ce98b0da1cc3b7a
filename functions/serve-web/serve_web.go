// Package serveweb serves the pages of the shop. They are made here, from what the public API returns to the visitor
// whose page it is: the function has no database and no rules of its own, and sleeps while no one looks.
//
//	page       a visitor's session, calls for them, forms, problems
//	ui         the frame and the components
//	text       the words, in English and Japanese
//	static     style, scripts and icons
//	shop       what customers see
//	account    what belongs to an account
//	reference  the page of the API
//	texts      legal texts, and the page about the shop
//	office     what staff work with
package serveweb

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions/serve-web/account"
	"github.com/popup-shop/popup/functions/serve-web/crawlers"
	"github.com/popup-shop/popup/functions/serve-web/office"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/reference"
	"github.com/popup-shop/popup/functions/serve-web/shop"
	"github.com/popup-shop/popup/functions/serve-web/static"
	"github.com/popup-shop/popup/functions/serve-web/texts"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
)

const name = "serve-web"

// Settings configures the function.
type Settings struct {
	config.Access
	config.Pages
	config.PictureURL
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error {
	return cmp.Or(s.Access.Check(), s.Pages.Check(), s.PictureURL.Check())
}

// New returns the function. It panics if its static files can't be read.
func New(settings Settings) function.Function {
	return function.Function{Name: name, Endpoints: &endpoints{settings}}
}

// endpoints implements [function.Endpoints].
type endpoints struct{ settings Settings }

// Routes returns nothing: pages are no part of the API. The gateway forwards what is no route of the API.
func (*endpoints) Routes() []function.Route { return nil }

// Open serves the pages. It panics on settings that Check rejects, and on static files that can't be read.
func (e *endpoints) Open(mux *http.ServeMux, rt *function.Runtime) {
	site := e.site(rt)
	routes := slices.Concat(shop.Routes(), crawlers.Routes(), account.Routes(), office.Routes(), reference.Routes(), texts.Routes(), []page.Route{
		{Pattern: "GET /problems/{kind}", Serve: page.ProblemPage},
	})
	mux.Handle("/", site.Handler(routes...))
}

func (e *endpoints) site(rt *function.Runtime) *page.Site {
	keys, err := e.settings.Keys()
	if err != nil {
		panic(err)
	}
	site := &page.Site{
		API: http.DefaultTransport, APIURL: e.settings.APIURL, PublicURL: e.settings.PublicURL,
		Cookies: auth.Cookies{Secure: e.settings.Secure()}, Pictures: e.settings.PicturesURL,
		Log: rt.Log, Settings: page.NewSettings(),
	}
	for _, key := range keys {
		site.Keys = append(site.Keys, key)
	}
	if rt.Gateway != nil {
		site.API = within{rt.Gateway}
	}
	site.Static, err = static.Open(e.settings.StaticDir)
	if err != nil {
		panic(fmt.Errorf("STATIC_DIR=%s: %w", e.settings.StaticDir, err))
	}
	return site
}
