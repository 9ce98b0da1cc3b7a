package shop

import (
	"net/url"
	"strconv"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// results is what a search shows.
type results struct {
	words   string
	found   client.SearchProductsAnswer
	popular []client.Product // where nothing is found
}

func search(r *page.Request) error {
	shown := results{words: r.URL.Query().Get("q")}
	if shown.words == "" {
		return r.SeeOther("/products")
	}
	number, _ := strconv.ParseInt(r.URL.Query().Get("page"), 10, 32)
	var err error
	shown.found, err = r.API.SearchProducts(r.Context(), client.SearchProductsQuery{
		Q: shown.words, Paging: client.Paging{Page: max(number, 1), Limit: perPage},
	})
	if err != nil && !page.Is(err, "invalid") {
		return err
	}
	if len(shown.found.Items) == 0 {
		popular, err := r.API.ListProducts(r.Context(), client.ListProductsQuery{Paging: client.Paging{Limit: maxOthers}, InStockOnly: true})
		if err != nil {
			return err
		}
		shown.popular = popular.Items
	}
	return r.Show(searchPage(r.View, shown))
}

// suggestions are called by the script of the search box while a visitor types.
func suggestions(r *page.Request) error {
	words := r.URL.Query().Get("q")
	if words == "" {
		return r.Show(suggestionList(nil))
	}
	found, err := r.API.SuggestProducts(r.Context(), client.SuggestProductsQuery{Q: words})
	if err != nil && !page.Is(err, "invalid") {
		return err
	}
	return r.Show(suggestionList(found.Items))
}

// next returns the address of the next page.
func (s results) next() string {
	return "/search?q=" + url.QueryEscape(s.words) + "&page=" + strconv.FormatInt(s.found.Page.Page+1, 10)
}
