// Package texts has the pages about the shop: legal texts, and what its owner wrote about it.
package texts

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// Routes returns the pages about the shop.
func Routes() []page.Route {
	return []page.Route{
		{Pattern: "GET /legal/{kind}", Serve: legal},
		{Pattern: "GET /about", Serve: aboutShop},
	}
}

// about is the kind of the text about the shop.
const about = "about"

// legal shows a text of the shop: what its owner wrote, or that there is none yet.
func legal(r *page.Request) error {
	kind := r.PathValue("kind")
	if !slices.Contains(ui.LegalPages(), kind) {
		return page.NotFound()
	}
	return showText(r, kind, "legal."+kind, "/legal/"+kind)
}

// galleryMost is how many pictures the page about the shop has.
const galleryMost = 24

// aboutShop shows what the shop's owner wrote about it, pictures of what it sells, and how an order comes about.
func aboutShop(r *page.Request) error {
	var words []string
	var pictured []client.Product
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		words, err = readText(ctx, r, about)
		return err
	})
	calls.Go(func() error {
		found, err := r.API.ListProducts(ctx, client.ListProductsQuery{Paging: client.Paging{Limit: galleryMost}, Sort: "newest"})
		pictured = slices.DeleteFunc(found.Items, func(p client.Product) bool {
			_, ok := ui.Picture(p)
			return !ok
		})
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(aboutPage(r.View, words, pictured))
}

// course is how an order comes about, as the page about the shop explains it.
var course = []string{"order", "stock", "payment", "packing", "delivery"}

func showText(r *page.Request, kind, title, path string) error {
	words, err := readText(r.Context(), r, kind)
	if err != nil {
		return err
	}
	return r.Show(textPage(r.View, title, path, words))
}

// readText returns the paragraphs of a text, in the visitor's language if it is written in it.
func readText(ctx context.Context, r *page.Request, kind string) ([]string, error) {
	found, err := r.API.GetText(ctx, kind)
	if err != nil && !page.Is(err, "not-found") {
		return nil, err
	}
	words := found.En.Description
	if r.View.Language == text.Japanese && found.Ja.Description != "" || words == "" {
		words = found.Ja.Description
	}
	return paragraphs(words), nil
}

// paragraphs splits a text at blank lines.
func paragraphs(words string) (all []string) {
	for part := range strings.SplitSeq(strings.ReplaceAll(words, "\r\n", "\n"), "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}
