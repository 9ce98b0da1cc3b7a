// Package servecatalogue serves products, categories, stores and tags: lists and searches for visitors, changes for staff. Stock
// is shown and not changed here.
package servecatalogue

import (
	"cmp"
	"net/http"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-catalogue"

// How long the gateway may cache responses that are not invalidated.
const (
	cacheLists    = 5 * time.Minute
	cacheProducts = 30 * time.Minute
)

// largeBody is how many bytes a request with a product and all its variants may have.
const largeBody = 1 << 20

// editors may change the catalogue.
var editors = access.Any(access.Staff, access.Client("catalogue"))

// Settings are those that the function needs.
type Settings struct {
	config.Access
	config.Pictures
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.Pictures.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	s := handler{picture.Open(settings.Pictures)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Cached(cacheLists, web.List("/v1/products", access.All, s.list)),
			web.Get("/v1/products/search", access.All, s.search),
			web.Get("/v1/products/suggestions", access.All, suggest),
			web.Cached(cacheProducts, web.Get("/v1/products/{id}", access.All, s.read)),
			web.WithMaxBody(largeBody, web.Post("/v1/products", editors, http.StatusCreated, s.add)),
			web.WithMaxBody(largeBody, web.Put("/v1/products/{id}", editors, s.change)),
			web.Delete("/v1/products/{id}", editors, remove),
			web.Post("/v1/products/deletions", editors, http.StatusOK, removeAll),
			web.WithMaxBody(largeBody, web.Post("/v1/products/imports", editors, http.StatusOK, importRows)),
			web.Get("/v1/products/exports", editors, exportRows),
			web.Cached(cacheProducts, web.Get("/v1/products/{id}/variants", access.All, listVariants)),
			web.Post("/v1/products/{id}/variants", editors, http.StatusCreated, addVariant),
			web.Put("/v1/variants/{id}", editors, changeVariant),
			web.Delete("/v1/variants/{id}", editors, deleteVariant),
			web.WithMaxBody(picture.AtMost, web.Staged(http.MethodPost, "/v1/products/{id}/images", editors, s.addImage())),
			web.Delete("/v1/products/{id}/images/{name}", editors, removeImage),
			web.Put("/v1/products/{id}/tags/{tag}", editors, tag),
			web.Delete("/v1/products/{id}/tags/{tag}", editors, untag),
			web.Cached(cacheLists, web.List("/v1/tags", access.All, listTags)),
			web.Cached(cacheLists, web.Get("/v1/categories", access.All, listCategories)),
			web.Cached(cacheLists, web.Get("/v1/categories/{id}", access.All, readCategory)),
			web.Post("/v1/categories", editors, http.StatusCreated, addCategory),
			web.Put("/v1/categories/{id}", editors, changeCategory),
			web.Delete("/v1/categories/{id}", editors, deleteCategory),
			web.Cached(cacheLists, web.List("/v1/stores", access.All, listStores)),
			web.Cached(cacheLists, web.Get("/v1/stores/{id}", access.All, readStore)),
			web.Post("/v1/stores", editors, http.StatusCreated, addStore),
			web.Put("/v1/stores/{id}", editors, changeStore),
			web.Delete("/v1/stores/{id}", editors, deleteStore),
			web.Put("/v1/stores/{id}/participating", editors, openStore),
			web.Delete("/v1/stores/{id}/participating", editors, closeStore),
			web.Cached(cacheLists, web.List("/v1/stores/{id}/products", access.All, s.listInStore)),
			web.Delete("/v1/stores/{id}/products", editors, emptyStore),
		),
		Emits: []events.Event{events.ProductChanged{}, events.StoreChanged{}, events.CategoryChanged{}},
		Writes: []string{
			"catalogue.products", "catalogue.variants", "catalogue.categories", "catalogue.stores", "stock.levels", "stock.warehouses",
		},
	}
}
