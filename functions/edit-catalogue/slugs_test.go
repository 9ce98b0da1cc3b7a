package editcatalogue_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// slug adds a product and returns its slug.
func (d desk) slug(body shoptest.Body) string {
	d.t.Helper()
	return d.must(http.MethodGet, d.add(body), nil).Body["slug"].(string)
}

// CAT-36.
func TestSlugsAreMadeFromNames_CAT_36(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for sku, c := range map[string][2]string{
		"A": {"Summer Hat", "summer-hat"},
		"B": {" Crème  brûlée! ", "creme-brulee"},
		"C": {"浴衣「朝顔」", "浴衣-朝顔"},
		"D": {"ﾀｵﾙ 2枚", "タオル-2枚"},
		"E": {"हिन्दी चाय", "हिन्दी-चाय"},
		"F": {"Größe 38 / 39", "grosse-38-39"},
		"G": {"§$%", "g"},
		"H": {"Search", "search-h"},
		"I": {"<script>x</script>", "script-x-script"},
	} {
		require.Equal(t, c[1], d.slug(product(sku).With("name", c[0])), c[0])
	}
	long := d.slug(product("LONG").With("name", "a very long name of a product that nobody would ever type into the line of addresses of a browser"))
	require.LessOrEqual(t, len(long), 80)
}

// CAT-36.
func TestProductsOfOneNameHaveDifferentSlugs(t *testing.T) {
	t.Parallel()
	d := sit(t)
	require.Equal(t, "hat", d.slug(product("HAT-1").With("name", "Hat")))
	require.Equal(t, "hat-hat-2", d.slug(product("HAT-2").With("name", "Hat")))
	require.Equal(t, "own-words", d.slug(product("HAT-3").With("name", "Hat").With("slug", "Own words!")))
	taken := d.call(http.MethodPost, "/v1/products", product("HAT-4").With("slug", "hat"))
	require.Equal(t, conflict("slug-taken"), constraintProblem(taken))
	blank := d.call(http.MethodPost, "/v1/products", product("HAT-5").With("slug", "--"))
	require.Equal(t, []string{"slug"}, blank.Fields())
}

// CAT-36: each old slug leads to the current one, also after several changes and back.
func TestOldSlugsLeadToTheCurrentOne_CAT_36(t *testing.T) {
	t.Parallel()
	d := sit(t)
	body := product("HAT-1").With("name", "Straw hat")
	path := d.add(body)
	d.must(http.MethodPut, path, body.With("name", "麦わら帽子"))
	d.must(http.MethodPut, path, body.With("name", "Sun hat"))
	for _, old := range []string{"straw-hat", "麦わら帽子", "Sun-Hat"} {
		for _, part := range []string{"", "/variants"} {
			a := get(t, d.Shop, "/v1/products/"+url.PathEscape(old)+part)
			require.Equal(t, http.StatusMovedPermanently, a.Status, a.Raw)
			require.Equal(t, "/v1/products/sun-hat"+part, a.Header.Get("Location"))
		}
	}
	require.Equal(t, "HAT-1", get(t, d.Shop, "/v1/products/sun-hat").Body["sku"])
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, "/v1/products/moon-hat").Status)
	require.Equal(t, "straw-hat-hat-2", d.slug(product("HAT-2").With("name", "Straw hat")), "not given away while it leads on")

	d.must(http.MethodPut, path, body.With("name", "Straw hat"))
	require.Equal(t, "HAT-1", get(t, d.Shop, "/v1/products/straw-hat").Body["sku"], "a name of before has its slug again")
	own := d.must(http.MethodPut, path, body.With("name", "Straw hat").With("slug", "hats")).Body
	renamed := d.must(http.MethodPut, path, body.With("name", "Rush hat")).Body
	require.Equal(t, []any{"hats", "hats"}, []any{own["slug"], renamed["slug"]}, "one that staff chose stays")
}

// CAT-36, CAT-43.
func TestSlugOfADeletedProductIsFree(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1").With("name", "Hat"))
	d.must(http.MethodDelete, path, nil)
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, "/v1/products/hat").Status)
	require.Equal(t, "hat", d.slug(product("HAT-2").With("name", "Hat")))
	require.Equal(t, "hat-hat-1", d.must(http.MethodPost, path+"/restore", nil).Body["slug"])
	require.Equal(t, "HAT-2", get(t, d.Shop, "/v1/products/hat").Body["sku"])
}

// CAT-36: an inactive product is not found by its old slug either.
func TestSlugsOfWhatIsNotOnSaleAreNotShown(t *testing.T) {
	t.Parallel()
	d := sit(t)
	body := product("HAT-1").With("name", "Secret hat")
	path := d.add(body)
	d.must(http.MethodPut, path, body.With("name", "Hidden hat").With("active", false))
	for _, slug := range []string{"secret-hat", "hidden-hat"} {
		require.Equal(t, http.StatusNotFound, get(t, d.Shop, "/v1/products/"+slug).Status, slug)
	}
}

// CAT-36.
func TestCategoriesHaveSlugs_CAT_36(t *testing.T) {
	t.Parallel()
	d := sit(t)
	id := d.category("Tea & Cups", "")
	require.Equal(t, id, get(t, d.Shop, "/v1/categories/tea-cups").Body["id"])
	require.Equal(t, "tea-cups-2", get(t, d.Shop, "/v1/categories/"+d.category("Tea, cups", "")).Body["slug"])
	d.must(http.MethodPut, "/v1/categories/"+id, shoptest.Body{"name": "器"})
	a := get(t, d.Shop, "/v1/categories/tea-cups")
	require.Equal(t, []any{http.StatusMovedPermanently, "/v1/categories/" + url.PathEscape("器")}, []any{a.Status, a.Header.Get("Location")})
	taken := d.call(http.MethodPost, "/v1/categories", shoptest.Body{"name": "X", "slug": "器"})
	require.Equal(t, conflict("slug-taken"), constraintProblem(taken))
	d.must(http.MethodDelete, "/v1/categories/"+id, nil)
	require.Equal(t, "器", get(t, d.Shop, "/v1/categories/"+d.category("器", "")).Body["slug"])
}
