package events

import "net/url"

// Shown is an event that changes public content.
type Shown interface {
	Event
	// Touches names what looks different: every answer that is kept under one of these names is out of date.
	Touches() []string
}

// Names of what is shown in many places.
const (
	ShownCatalogue = "catalogue" // any product, category or store
	ShownStock     = "stock"     // what is left of anything
	ShownSettings  = "settings"  // what the shop is called, how it looks, and its texts
)

// ShownSKU names what is left of a SKU.
func ShownSKU(sku string) string { return "sku:" + url.QueryEscape(sku) }

// ShownProduct names a product.
func ShownProduct(productID string) string { return "product:" + productID }

// ShownStore names a store.
func ShownStore(storeID string) string { return "store:" + storeID }

// ShownTypes lists the types of all such events.
func ShownTypes() (types []string) {
	for _, e := range All() {
		if _, is := e.(Shown); is {
			types = append(types, e.EventType())
		}
	}
	return types
}

// touched names what is left of SKUs.
func touched(all ...[]string) []string {
	names := []string{ShownStock}
	for _, skus := range all {
		for _, sku := range skus {
			names = append(names, ShownSKU(sku))
		}
	}
	return names
}
