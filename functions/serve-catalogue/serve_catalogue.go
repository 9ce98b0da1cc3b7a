// Package servecatalogue shows what is sold and lets staff change it. How many there are it only shows.
package servecatalogue

import (
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-catalogue"

// How long the gateway may keep what nobody changes.
const (
	keepLists    = 5 * time.Minute
	keepProducts = 30 * time.Minute
)

// New declares the function.
func New(access config.Access) function.Function {
	return function.Function{
		Name: name,
		Door: web.Door(name, access,
			web.Cached(keepLists, web.List("/v1/products", web.All, list)),
			web.Get("/v1/products/search", web.All, search),
			web.Get("/v1/products/suggestions", web.All, suggest),
			web.Cached(keepProducts, web.Get("/v1/products/{id}", web.All, read)),
		),
		Emits: []events.Event{events.ProductChanged{}, events.StoreChanged{}, events.CategoryChanged{}},
	}
}
