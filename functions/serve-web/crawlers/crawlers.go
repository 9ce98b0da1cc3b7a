// Package crawlers has what search engines ask for.
package crawlers

import (
	"encoding/xml"
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/shop"
	"github.com/popup-shop/popup/functions/serve-web/static"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// Routes returns the addresses that no visitor types.
func Routes() []page.Route {
	return []page.Route{
		{Pattern: "GET /robots.txt", Serve: robots},
		{Pattern: "GET /sitemap.xml", Serve: siteMap},
		{Pattern: "GET /favicon.ico", Serve: favicon},
	}
}

// robots tells crawlers which pages are not worth a visit.
func robots(r *page.Request) error {
	var text strings.Builder
	text.WriteString("User-agent: *\n")
	for _, path := range []string{"/account", "/basket", "/checkout", "/o/", "/office", "/orders", "/search", "/v1/"} {
		text.WriteString("Disallow: " + path + "\n")
	}
	text.WriteString("Sitemap: " + r.View.Shop.URL + "/sitemap.xml\n")
	return r.WritePublic("text/plain; charset=utf-8", []byte(text.String()))
}

// A sitemap has at most so many addresses (sitemaps.org).
const maxSitemap = 50_000

type sitemap struct {
	XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []siteURL `xml:"url"`
}

type siteURL struct {
	Location string `xml:"loc"`
	Changed  string `xml:"lastmod,omitempty"`
}

// siteMap lists the pages that search engines should know: categories, products and texts.
func siteMap(r *page.Request) error {
	var m sitemap
	add := func(path, changed string) { m.URLs = append(m.URLs, siteURL{r.View.Shop.URL + path, changed}) }
	add("/", "")
	add("/products", "")
	add("/about", "")
	for _, kind := range ui.LegalPages() {
		add("/legal/"+kind, "")
	}
	tree, err := r.API.GetCategories(r.Context())
	if err != nil {
		return err
	}
	paths := shop.CategoryPaths(tree.Items)
	for _, c := range tree.Items {
		add(paths[c.ID], "")
	}
	query := client.ListProductsQuery{Paging: client.Paging{Limit: 100}}
	for len(m.URLs) < maxSitemap {
		found, err := r.API.ListProducts(r.Context(), query)
		if err != nil {
			return err
		}
		for _, p := range found.Items {
			add(ui.ProductPath(p), p.UpdatedAt.UTC().Format("2006-01-02"))
		}
		if found.Next == "" {
			break
		}
		query.After = found.Next
	}
	text, err := xml.Marshal(m)
	if err != nil {
		return err
	}
	return r.WritePublic("application/xml", append([]byte(xml.Header), text...))
}

// favicon is the icon of the shop in a browser's tab, in its accent.
func favicon(r *page.Request) error {
	icon, err := static.Icon(r.Settings().Accent)
	if err != nil {
		return err
	}
	return r.WritePublic("image/x-icon", icon)
}
