package shop

import (
	"slices"
	"strings"

	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

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

func aboutShop(r *page.Request) error { return showText(r, about, "about.title", "/about") }

func showText(r *page.Request, kind, title, path string) error {
	found, err := r.API.GetText(r.Context(), kind)
	if err != nil && !page.Is(err, "not-found") {
		return err
	}
	words := found.En.Description
	if r.View.Language == text.Japanese && found.Ja.Description != "" || words == "" {
		words = found.Ja.Description
	}
	return r.Show(textPage(r.View, title, path, paragraphs(words)))
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
