// Package editcatalogue changes products, variants, categories, stores and tags for staff and for programs that keep
// the catalogue. serve-catalogue shows them, and changes nothing. Stock is not changed here, except that what is new
// has none.
package editcatalogue

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/web"
)

const name = "edit-catalogue"

var editors = catalogue.Editors

// largeBody is how many bytes a request with a product and all its variants may have.
const largeBody = 1 << 20

// Settings are those that the function needs.
type Settings struct {
	config.Access
	config.Pictures
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Access.Check(), s.Pictures.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	h := handler{picture.Open(settings.Pictures), make(chan struct{}, 1)}
	return function.Function{
		Name:      name,
		Endpoints: web.Endpoints(name, settings.Access, h.routes()...),
		Emits:     []events.Event{events.ProductChanged{}, events.StoreChanged{}, events.CategoryChanged{}, events.SettingsChanged{}},
		Writes: []string{
			"catalogue.products", "catalogue.variants", "catalogue.categories", "catalogue.stores", "stock.levels", "stock.warehouses",
			"catalogue.settings", "catalogue.texts",
		},
	}
}

const (
	productPath  = "/v1/products/{id}"
	variantPath  = "/v1/variants/{id}"
	categoryPath = "/v1/categories/{id}"
	storePath    = "/v1/stores/{id}"
)

func (h handler) routes() []web.Route {
	return slices.Concat(h.productRoutes(), h.partRoutes(), categoryRoutes(), storeRoutes(), settingsRoutes())
}

func (h handler) productRoutes() []web.Route {
	return []web.Route{
		web.Undeclared(web.Get(productPath, editors, h.read)),
		web.WithMaxBody(largeBody, web.Post("/v1/products", editors, http.StatusCreated, h.add)),
		web.WithMaxBody(largeBody, web.Put(productPath, editors, h.change)),
		web.Delete(productPath, editors, remove),
		web.Post("/v1/products/{id}/restore", editors, http.StatusOK, h.restore),
		web.Post("/v1/products/deletions", editors, http.StatusOK, removeAll),
		web.WithMaxBody(largeBody, web.Post("/v1/products/imports", editors, http.StatusOK, importRows)),
		web.Get("/v1/products/exports", editors, exportRows),
		web.List("/v1/products/drafts", editors, h.listDrafts),
	}
}

// partRoutes are those of the parts of products. If-Match is compared with the ETag of the product.
func (h handler) partRoutes() []web.Route {
	return []web.Route{
		web.Undeclared(web.Get(variantPath, editors, h.readOfVariant)),
		web.Post("/v1/products/{id}/variants", editors, http.StatusCreated, addVariant),
		web.Put(variantPath, editors, changeVariant),
		web.Delete(variantPath, editors, deleteVariant),
		web.Post("/v1/variants/{id}/restore", editors, http.StatusOK, restoreVariant),
		web.WithMaxBody(picture.AtMost, web.Staged(http.MethodPost, "/v1/products/{id}/images", editors, h.addImage())),
		web.PartOf(productPath, web.Delete("/v1/products/{id}/images/{name}", editors, removeImage)),
		web.PartOf(productPath, web.Put("/v1/products/{id}/tags/{tag}", editors, tag)),
		web.PartOf(productPath, web.Delete("/v1/products/{id}/tags/{tag}", editors, untag)),
	}
}

func categoryRoutes() []web.Route {
	return []web.Route{
		web.Undeclared(web.Get(categoryPath, editors, readCategory)),
		web.Post("/v1/categories", editors, http.StatusCreated, addCategory),
		web.Put(categoryPath, editors, changeCategory),
		web.Delete(categoryPath, editors, deleteCategory),
	}
}

func storeRoutes() []web.Route {
	return []web.Route{
		web.Undeclared(web.Get(storePath, editors, readStore)),
		web.Post("/v1/stores", editors, http.StatusCreated, addStore),
		web.Put(storePath, editors, changeStore),
		web.Delete(storePath, editors, deleteStore),
		web.PartOf(storePath, web.Put("/v1/stores/{id}/participating", editors, openStore)),
		web.PartOf(storePath, web.Delete("/v1/stores/{id}/participating", editors, closeStore)),
		web.PartOf(storePath, web.Delete("/v1/stores/{id}/products", editors, emptyStore)),
	}
}

// Request names a product, a variant, a category or a store.
type Request struct {
	ID string `path:"id" format:"uuid"`
}

// Answer is a product.
type Answer struct{ Body catalogue.Product }

// handler handles requests that need the store of pictures.
type handler struct {
	pictures   *picture.Store
	converting chan struct{} // has room for each picture that is converted at a time
}

// add is called by staff, and by programs that keep the catalogue.
func (h handler) add(ctx context.Context, tx pgx.Tx, in *AddRequest) (*Answer, []events.Event, error) {
	product, emitted, err := add(ctx, tx, in)
	return h.answer(product), emitted, err
}

// change is called by staff, and by programs that keep the catalogue.
func (h handler) change(ctx context.Context, tx pgx.Tx, in *ChangeRequest) (*Answer, []events.Event, error) {
	product, emitted, err := change(ctx, tx, in)
	return h.answer(product), emitted, err
}

// answer returns a product with the addresses of its pictures.
func (h handler) answer(p catalogue.Product) *Answer {
	p.SetImageURLs(h.pictures.BaseURL())
	return &Answer{p}
}
