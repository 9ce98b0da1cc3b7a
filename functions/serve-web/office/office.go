// Package office has the pages of staff: orders, products, stock, stores, customers, mails, the engine and settings.
package office

import (
	"slices"
	"strings"

	"github.com/popup-shop/popup/functions/serve-web/page"
)

// Routes returns the pages of the office, which are for staff. Their forms may have long texts.
func Routes() []page.Route {
	routes := slices.Concat(orderRoutes(), productRoutes(), stockRoutes(), engineRoutes(), settingsRoutes(), []page.Route{
		{Pattern: "GET /office", Serve: home},
		{Pattern: "GET /office/find", Serve: find},
		{Pattern: "GET /office/customers", Serve: customers},
		{Pattern: "GET /office/delivery", Serve: shipments},
		{Pattern: "POST /office/delivery", Serve: moveShipments},
		{Pattern: "GET /office/reports", Serve: reports},
		{Pattern: "GET /office/payments", Serve: payments},
		{Pattern: "GET /office/payments/suspense", Serve: suspense},
		{Pattern: "GET /office/payments/reconciliations", Serve: reconciliations},
		{Pattern: "GET /office/payments/{id}", Serve: payment},
		{Pattern: "POST /office/payments/{id}", Serve: payment},
		{Pattern: "POST /office/payments/{id}/retry", Serve: retryRefund},
		{Pattern: "GET /office/customers/{id}/points", Serve: points},
		{Pattern: "POST /office/customers/{id}/points", Serve: points},
	})
	for i := range routes {
		routes[i].Serve = page.ForStaff(routes[i].Serve)
		routes[i].MaxBody = max(routes[i].MaxBody, page.MaxText)
	}
	return routes
}

func orderRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /office/orders", Serve: orders},
		{Pattern: "POST /office/orders/ship", Serve: shipOrders},
		{Pattern: "POST /office/orders/hide", Serve: hideOrders},
		{Pattern: "GET /office/orders/slips", Serve: packingSlips},
		{Pattern: "GET /office/orders/{id}", Serve: order},
		{Pattern: "POST /office/orders/{id}/{act}", Serve: changeOrder},
	}
}

func productRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /office/products", Serve: products},
		{Pattern: "POST /office/products", Serve: changeProducts},
		{Pattern: "GET /office/products/new", Serve: newProduct},
		{Pattern: "POST /office/products/new", Serve: newProduct},
		{Pattern: "GET /office/products/import", Serve: importProducts},
		{Pattern: "POST /office/products/import", Serve: importProducts, MaxBody: page.MaxUpload},
		{Pattern: "GET /office/categories", Serve: categories},
		{Pattern: "POST /office/categories", Serve: categories},
		{Pattern: "GET /office/categories/{id}", Serve: category},
		{Pattern: "POST /office/categories/{id}", Serve: category},
		{Pattern: "POST /office/categories/{id}/delete", Serve: deleteCategory},
		{Pattern: "GET /office/products/{id}", Serve: product},
		{Pattern: "POST /office/products/{id}", Serve: product},
		{Pattern: "POST /office/products/{id}/{act}", Serve: changePart, MaxBody: page.MaxUpload},
	}
}

func stockRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /office/stock", Serve: stock},
		{Pattern: "POST /office/stock", Serve: receive},
		{Pattern: "GET /office/warehouses", Serve: warehouses},
		{Pattern: "POST /office/warehouses", Serve: warehouses},
		{Pattern: "GET /office/warehouses/{id}", Serve: warehouse},
		{Pattern: "POST /office/warehouses/{id}", Serve: warehouse},
		{Pattern: "POST /office/warehouses/{id}/delete", Serve: deleteWarehouse},
		{Pattern: "GET /office/holds", Serve: holds},
		{Pattern: "POST /office/holds", Serve: holds},
		{Pattern: "POST /office/holds/{id}/release", Serve: releaseHold},
		{Pattern: "GET /office/stock/{id}", Serve: level},
		{Pattern: "POST /office/stock/{id}", Serve: level},
		{Pattern: "POST /office/stock/{id}/move", Serve: moveGoods},
		{Pattern: "GET /office/stores", Serve: stores},
		{Pattern: "POST /office/stores", Serve: stores},
		{Pattern: "GET /office/stores/{id}", Serve: store},
		{Pattern: "POST /office/stores/{id}", Serve: store},
		{Pattern: "POST /office/stores/{id}/products", Serve: deleteInStore},
		{Pattern: "POST /office/stores/{id}/{act}", Serve: changeStore},
	}
}

func engineRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /office/mails", Serve: mails},
		{Pattern: "GET /office/mails/{id}", Serve: mail},
		{Pattern: "POST /office/mails/{id}", Serve: mail},
		{Pattern: "GET /office/engine", Serve: engine},
		{Pattern: "GET /office/engine/functions", Serve: functions},
		{Pattern: "GET /office/engine/dead-letters", Serve: deadLetters},
		{Pattern: "GET /office/engine/dead-letters/{id}", Serve: deadLetter},
		{Pattern: "POST /office/engine/dead-letters/{id}", Serve: deadLetter},
		{Pattern: "GET /office/engine/checks", Serve: checks},
		{Pattern: "GET /office/engine/flow", Serve: flow},
		{Pattern: "GET /office/events", Serve: func(r *page.Request) error { return r.SeeOther("/office/engine") }},
		{Pattern: "GET /office/dead-letters", Serve: func(r *page.Request) error { return r.SeeOther("/office/engine/dead-letters") }},
	}
}

func settingsRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /office/settings", Serve: settings},
		{Pattern: "POST /office/settings", Serve: settings},
		{Pattern: "GET /office/settings/texts/{kind}", Serve: legalText},
		{Pattern: "POST /office/settings/texts/{kind}", Serve: legalText},
		{Pattern: "GET /office/settings/mails", Serve: mailSamples},
		{Pattern: "GET /office/settings/staff", Serve: staff},
		{Pattern: "POST /office/settings/staff", Serve: staff},
		{Pattern: "GET /office/settings/tokens", Serve: tokens},
		{Pattern: "POST /office/settings/tokens", Serve: tokens},
		{Pattern: "GET /office/settings/audit", Serve: audit},
	}
}

// section is a part of the office, in the list at its side.
type section struct{ Path, Key, Icon, Shortcut string }

var sections = []section{
	{"/office", "office.home", "home", "h"},
	{"/office/orders", "office.orders", "box", "o"},
	{"/office/products", "office.products", "bag", "p"},
	{"/office/stock", "office.stock", "shelf", "s"},
	{"/office/stores", "office.stores", "pin", "t"},
	{"/office/customers", "office.customers", "person", "c"},
	{"/office/payments", "office.payments", "card", "y"},
	{"/office/delivery", "office.delivery", "truck", "d"},
	{"/office/reports", "office.reports", "chart", "r"},
	{"/office/mails", "office.mails", "card", "m"},
	{"/office/engine", "office.engine", "filter", "e"},
	{"/office/settings", "office.settings", "key", "x"},
}

// tab is a saved view of a list, with an address of its own.
type tab struct{ Path, Label string }

// short returns the beginning of an id.
func short(id string) string {
	if len(id) > 8 {
		return id[len(id)-8:]
	}
	return id
}

func joined(values ...string) string {
	var kept []string
	for _, value := range values {
		if strings.TrimSpace(value) != "" {
			kept = append(kept, value)
		}
	}
	return strings.Join(kept, ", ")
}
