// Package shop has the pages that customers see: products, search, basket, checkout and orders.
package shop

import "github.com/popup-shop/popup/functions/serve-web/page"

// Routes returns the pages of the shop.
func Routes() []page.Route {
	return []page.Route{
		{Pattern: "GET /{$}", Serve: home},
		{Pattern: "GET /track", Serve: track},
	}
}
