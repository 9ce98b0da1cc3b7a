// Package servecatalogue shows what is sold and lets staff change it. How many there are it only shows.
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

// How long the gateway may keep what nobody changes.
const (
	keepLists    = 5 * time.Minute
	keepProducts = 30 * time.Minute
)

// largeBody is how many bytes a product with all its variants may take.
const largeBody = 1 << 20

// keeper is whoever keeps the catalogue.
var keeper = access.Any(access.Staff, access.Client("catalogue"))

// Settings are those that the function needs.
type Settings struct {
	config.Access
	config.Pictures
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.Pictures.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	s := shelf{picture.Open(settings.Pictures)}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.Cached(keepLists, web.List("/v1/products", access.All, s.list)),
			web.Get("/v1/products/search", access.All, s.search),
			web.Get("/v1/products/suggestions", access.All, suggest),
			web.Cached(keepProducts, web.Get("/v1/products/{id}", access.All, s.read)),
			web.WithMaxBody(largeBody, web.Post("/v1/products", keeper, http.StatusCreated, s.add)),
			web.WithMaxBody(largeBody, web.Put("/v1/products/{id}", keeper, s.change)),
			web.Delete("/v1/products/{id}", keeper, remove),
			web.Post("/v1/products/deletions", keeper, http.StatusOK, removeAll),
			web.WithMaxBody(largeBody, web.Post("/v1/products/imports", keeper, http.StatusOK, importRows)),
			web.Get("/v1/products/exports", keeper, exportRows),
			web.Cached(keepProducts, web.Get("/v1/products/{id}/variants", access.All, listVariants)),
			web.Post("/v1/products/{id}/variants", keeper, http.StatusCreated, addVariant),
			web.Put("/v1/variants/{id}", keeper, changeVariant),
			web.Delete("/v1/variants/{id}", keeper, deleteVariant),
			web.WithMaxBody(picture.AtMost, web.Staged(http.MethodPost, "/v1/products/{id}/images", keeper, s.addImage())),
			web.Delete("/v1/products/{id}/images/{name}", keeper, removeImage),
			web.Put("/v1/products/{id}/tags/{tag}", keeper, tag),
			web.Delete("/v1/products/{id}/tags/{tag}", keeper, untag),
			web.Cached(keepLists, web.List("/v1/tags", access.All, listTags)),
			web.Cached(keepLists, web.Get("/v1/categories", access.All, listCategories)),
			web.Cached(keepLists, web.Get("/v1/categories/{id}", access.All, readCategory)),
			web.Post("/v1/categories", keeper, http.StatusCreated, addCategory),
			web.Put("/v1/categories/{id}", keeper, changeCategory),
			web.Delete("/v1/categories/{id}", keeper, deleteCategory),
			web.Cached(keepLists, web.List("/v1/stores", access.All, listStores)),
			web.Cached(keepLists, web.Get("/v1/stores/{id}", access.All, readStore)),
			web.Post("/v1/stores", keeper, http.StatusCreated, addStore),
			web.Put("/v1/stores/{id}", keeper, changeStore),
			web.Delete("/v1/stores/{id}", keeper, deleteStore),
			web.Put("/v1/stores/{id}/participating", keeper, openStore),
			web.Delete("/v1/stores/{id}/participating", keeper, closeStore),
			web.Cached(keepLists, web.List("/v1/stores/{id}/products", access.All, s.listInStore)),
			web.Delete("/v1/stores/{id}/products", keeper, emptyStore),
		),
		Emits: []events.Event{events.ProductChanged{}, events.StoreChanged{}, events.CategoryChanged{}},
		Writes: []string{
			"catalogue.products", "catalogue.variants", "catalogue.categories", "catalogue.stores", "stock.levels", "stock.warehouses",
		},
	}
}
