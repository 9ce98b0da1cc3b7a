package shop

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

const (
	perPage  = 24
	tagsMost = 12
)

// list is what a list of products shows.
type list struct {
	path     string     // of the list, without filters
	query    url.Values // the filters, as in the address
	crumbs   []ui.Crumb
	title    string
	tree     []client.Category // one level: those below the category, or beside it
	slugs    map[string]string // paths of all categories, by id
	facets   client.GetFacetsAnswer
	found    client.Page[client.Product]
	currency string
}

// sorts are the orders of a list, by the API's names.
var sorts = []string{"newest", "name", "price_asc", "price_desc"}

func products(r *page.Request) error {
	l := list{path: "/products", title: r.View.T("frame.products")}
	return l.show(r, "")
}

// category lists the products of a category and all below it. Its path has the names from the top.
func category(r *page.Request) error {
	_, last, _ := cutLast(strings.Trim(r.PathValue("path"), "/"), "/")
	chosen, err := r.API.GetCategory(r.Context(), last)
	if isMissing(err) {
		return page.NotFound()
	}
	if err != nil {
		return err
	}
	tree, err := r.API.GetCategories(r.Context())
	if err != nil {
		return err
	}
	paths := CategoryPaths(tree.Items)
	if r.URL.EscapedPath() != paths[chosen.ID] {
		return r.SeeOther(paths[chosen.ID])
	}
	l := list{path: paths[chosen.ID], title: chosen.Name, crumbs: crumbsOf(r.View, tree.Items, paths, chosen)}
	return l.show(r, chosen.ID)
}

// cutLast splits a text at the last separator; all of it is after a separator that is not there.
func cutLast(text, separator string) (before, after string, ok bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return "", text, false
	}
	return text[:at], text[at+len(separator):], true
}

// show reads what the list shows, and shows it.
func (l *list) show(r *page.Request, categoryID string) error {
	l.query = r.URL.Query()
	query := l.filters(categoryID, r.Settings().Currency)
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		l.found, err = r.API.ListProducts(ctx, query)
		return err
	})
	calls.Go(func() error {
		tree, err := r.API.GetCategories(ctx)
		l.slugs = CategoryPaths(tree.Items)
		l.tree = below(tree.Items, categoryID)
		return err
	})
	calls.Go(func() (err error) {
		l.facets, err = r.API.GetFacets(ctx, client.GetFacetsQuery{CategoryID: categoryID, Tag: query.Tag})
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	if l.crumbs == nil {
		l.crumbs = []ui.Crumb{{Path: "/", Label: r.Settings().Name}, {Path: l.path, Label: l.title}}
	}
	return r.Show(listPage(r.View, l))
}

// filters returns the query of the API for the filters of the address.
func (l *list) filters(categoryID, currency string) client.ListProductsQuery {
	number, _ := strconv.ParseInt(l.query.Get("page"), 10, 32)
	q := client.ListProductsQuery{
		Paging:     client.Paging{Page: max(number, 1), Limit: perPage},
		CategoryID: categoryID, Tag: l.query.Get("tag"), InStockOnly: l.query.Get("stock") != "", Sort: "newest",
	}
	if slices.Contains(sorts, l.query.Get("sort")) {
		q.Sort = l.query.Get("sort")
	}
	l.currency = l.query.Get("currency")
	if _, ok := money.Exponent(l.currency); !ok {
		l.currency = currency
	}
	for field, value := range map[string]*int64{"min": &q.MinPrice, "max": &q.MaxPrice} {
		if a, err := money.Parse(strings.TrimSpace(l.query.Get(field)), l.currency); err == nil {
			*value, q.Currency = a.Minor, l.currency
		}
	}
	return q
}

// with returns the address of the list with another value of a filter; "" removes it.
func (l *list) with(name, value string) string {
	query := url.Values{}
	for n, values := range l.query {
		if n != "page" && len(values) > 0 && values[0] != "" {
			query.Set(n, values[0])
		}
	}
	query.Del(name)
	if value != "" {
		query.Set(name, value)
	}
	if len(query) == 0 {
		return l.path
	}
	return l.path + "?" + query.Encode()
}

// counts reports whether the numbers of the facets are those of the list: they know nothing of prices and stock.
func (l *list) counts() bool {
	return l.query.Get("min") == "" && l.query.Get("max") == "" && l.query.Get("stock") == ""
}

// inCategory returns how many products of the list are in a category.
func (l *list) inCategory(id string) int64 {
	for _, f := range l.facets.Categories {
		if f.CategoryID == id {
			return f.Count
		}
	}
	return 0
}

// tags returns the most frequent tags, and the chosen one.
func (l *list) tags() []client.Tag {
	chosen := l.query.Get("tag")
	all := l.facets.Tags[:min(len(l.facets.Tags), tagsMost)]
	if chosen == "" || slices.ContainsFunc(all, func(t client.Tag) bool { return t.Tag == chosen }) {
		return all
	}
	return append(slices.Clone(all), client.Tag{Tag: chosen, Count: l.found.Total})
}

// within returns the address of a category with the tag that is chosen.
func (l *list) within(id string) string {
	if tag := l.query.Get("tag"); tag != "" {
		return l.slugs[id] + "?" + url.Values{"tag": {tag}}.Encode()
	}
	return l.slugs[id]
}

// next returns the address of the next page; ok is false on the last one.
func (l *list) next() (path string, ok bool) {
	if l.found.Page >= l.found.TotalPages {
		return "", false
	}
	return l.with("page", strconv.FormatInt(l.found.Page+1, 10)), true
}

// chosen lists the filters that are set.
func (l *list) chosen() (names []string) {
	for _, name := range []string{"tag", "min", "max", "stock"} {
		if l.query.Get(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// form returns the filters as a form.
func (l *list) form() *ui.Form { return &ui.Form{Values: l.query} }

// CategoryPaths returns the path of each category: /c/ and the words from the top.
func CategoryPaths(tree []client.Category) map[string]string {
	paths := map[string]string{}
	for _, c := range tree { // each comes after the one above it
		above, ok := paths[c.ParentID]
		if !ok {
			above = "/c"
		}
		paths[c.ID] = above + "/" + url.PathEscape(c.Slug)
	}
	return paths
}

// below returns the categories directly below one, or the top ones.
func below(tree []client.Category, id string) (children []client.Category) {
	for _, c := range tree {
		if c.ParentID == id {
			children = append(children, c)
		}
	}
	return children
}

func crumbsOf(v *ui.View, tree []client.Category, paths map[string]string, c client.Category) []ui.Crumb {
	crumbs := []ui.Crumb{{Path: paths[c.ID], Label: c.Name}}
	for above := c.ParentID; above != ""; {
		at := slices.IndexFunc(tree, func(c client.Category) bool { return c.ID == above })
		if at < 0 {
			break
		}
		crumbs = append(crumbs, ui.Crumb{Path: paths[above], Label: tree[at].Name})
		above = tree[at].ParentID
	}
	crumbs = append(crumbs, ui.Crumb{Path: "/products", Label: v.T("frame.products")})
	slices.Reverse(crumbs)
	return crumbs
}

// isProblem reports whether an error is a 404 of the API: for a malformed id, too.
func isMissing(err error) bool { return page.Is(err, "not-found", "invalid") }
