// Package shop has the pages that customers see: products, search, basket, checkout and orders.
package shop

import "github.com/popup-shop/popup/functions/serve-web/page"

// Routes returns the pages of the shop.
func Routes() []page.Route {
	return []page.Route{
		{Pattern: "GET /{$}", Serve: home},
		{Pattern: "GET /products", Serve: products},
		{Pattern: "GET /c/{path...}", Serve: category},
		{Pattern: "GET /products/{id}", Serve: product},
		{Pattern: "POST /products/{id}", Serve: add},
		{Pattern: "GET /search", Serve: search},
		{Pattern: "GET /search/suggestions", Serve: suggestions},
		{Pattern: "GET /basket", Serve: basket},
		{Pattern: "POST /basket", Serve: restore},
		{Pattern: "POST /basket/lines/{id}", Serve: change},
		{Pattern: "GET /basket/add", Serve: addMany},
		{Pattern: "POST /basket/add", Serve: addMany},
		{Pattern: "GET /checkout", Serve: checkout},
		{Pattern: "POST /checkout", Serve: checkout},
		{Pattern: "GET /o/{number}", Serve: order},
		{Pattern: "POST /o/{number}/open", Serve: openOrder},
		{Pattern: "POST /o/{number}/cancel", Serve: cancel},
		{Pattern: "POST /o/{number}/claim", Serve: page.ForAccounts(claim)},
		{Pattern: "GET /o/{number}/pay", Serve: pay},
		{Pattern: "POST /o/{number}/pay", Serve: payNow},
		{Pattern: "GET /orders", Serve: page.ForAccounts(orders)},
		{Pattern: "GET /track", Serve: track},
		{Pattern: "POST /track", Serve: findOrder},
	}
}
