// Package servecatalogue shows products, categories, stores, tags and what the shop is called to everyone: lists, searches and pages. It changes
// nothing, and its database role may not: edit-catalogue makes the changes.
package servecatalogue

import (
	"cmp"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-catalogue"

// How long the gateway may cache responses that are not invalidated.
const (
	cacheLists    = 5 * time.Minute
	cacheProducts = 30 * time.Minute
)

// Settings are those that the function needs.
type Settings struct {
	config.Access
	config.PictureURL
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.PictureURL.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	h := handler{settings.PicturesURL}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Cached(cacheLists, web.List("/v1/products", access.All, h.list)),
			web.Get("/v1/products/search", access.All, h.search),
			web.Get("/v1/products/suggestions", access.All, suggest),
			web.Cached(cacheProducts, web.WithRedirects(web.Get("/v1/products/{id}", access.All, h.read))),
			web.Cached(cacheProducts, web.WithRedirects(web.Get("/v1/products/{id}/variants", access.All, listVariants))),
			web.Cached(cacheLists, web.List("/v1/tags", access.All, listTags)),
			web.Cached(cacheLists, web.Get("/v1/facets", access.All, readFacets)),
			web.Cached(cacheLists, web.Get("/v1/categories", access.All, listCategories)),
			web.Cached(cacheLists, web.WithRedirects(web.Get("/v1/categories/{id}", access.All, readCategory))),
			web.Cached(cacheLists, web.List("/v1/stores", access.All, listStores)),
			web.Cached(cacheLists, web.Get("/v1/stores/{id}", access.All, readStore)),
			web.Cached(cacheLists, web.List("/v1/stores/{id}/products", access.All, h.listInStore)),
			web.Cached(cacheProducts, web.Get("/v1/settings", access.All, readSettings)),
			web.Cached(cacheProducts, web.Get("/v1/texts/{kind}", access.All, readText)),
		),
	}
}
