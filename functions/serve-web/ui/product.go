package ui

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/popup-shop/popup/client"
)

// ProductPath returns the address of a product's page.
func ProductPath(p client.Product) string { return "/products/" + url.PathEscape(cmp.Or(p.Slug, p.ID)) }

// few is the number of units from which on a page states how many are left.
const few = 5

// sourceSet returns the widths of a picture for a srcset.
func sourceSet(image client.Image) string {
	var set []string
	for _, size := range image.Sizes {
		set = append(set, fmt.Sprintf("%s %dw", size.URL, size.Width))
	}
	return strings.Join(set, ", ")
}

// Picture returns the first picture of a product; ok is false if it has none.
func Picture(p client.Product) (image client.Image, ok bool) {
	if len(p.Images) > 0 {
		return p.Images[0], true
	}
	if len(p.ImageURLs) > 0 {
		return client.Image{URL: p.ImageURLs[0]}, true
	}
	return image, false
}

// dimension returns a width or height for an attribute. Pictures of unknown size are shown as squares.
func dimension(pixels int64) string { return fmt.Sprint(cmp.Or(pixels, 800)) }

// initial returns what stands for a picture that is missing.
func initial(name string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(name))
	return strings.ToUpper(string(first))
}

// stateColour returns the class of a state's colour.
func stateColour(state string) string {
	switch state {
	case "confirmed", "paid", "delivered", "completed", "picked_up":
		return "good"
	case "pending", "processing", "planned", "preparing", "shipped", "in_transit", "ready_for_pickup":
		return "info"
	case "cancelling", "returned", "failed_delivery", "expired":
		return "warn"
	case "cancelled", "rejected":
		return "bad"
	}
	return ""
}
