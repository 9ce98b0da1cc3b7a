package shop

import (
	"strings"

	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

// data returns a product as search engines read it: schema.org's Product with its Offer, as JSON-LD.
func (p *productView) data(v *ui.View) any {
	stock := "https://schema.org/InStock"
	if p.available() <= 0 {
		stock = "https://schema.org/OutOfStock"
	}
	data := map[string]any{
		"@context": "https://schema.org", "@type": "Product", "name": p.Name, "sku": p.SKU, "description": p.Description,
		"brand": map[string]any{"@type": "Brand", "name": p.StoreName},
		"offers": map[string]any{
			"@type": "Offer", "url": v.Shop.URL + ui.ProductPath(p.Product), "availability": stock,
			"price": money.Amount{Minor: p.Price.Minor, Currency: p.Price.Currency}.Decimal(), "priceCurrency": p.Price.Currency,
		},
	}
	if image := p.imageURL(); image != "" {
		if strings.HasPrefix(image, "/") {
			image = v.Shop.URL + image
		}
		data["image"] = image
	}
	return data
}
