package editcatalogue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// category adds one and returns its id.
func (d desk) category(name, parent string) string {
	d.t.Helper()
	body := shoptest.Body{"name": name}
	if parent != "" {
		body["parent_id"] = parent
	}
	return d.must(http.MethodPost, "/v1/categories", body).Body["id"].(string)
}

func conflict(kind string) []any { return []any{http.StatusConflict, "/problems/" + kind} }

func constraintProblem(a shoptest.Response) []any { return []any{a.Status, a.Body["type"]} }

// CAT-14.
func TestCategoriesFormATree(t *testing.T) {
	t.Parallel()
	d := sit(t)
	before := len(get(t, d.Shop, "/v1/categories").Body["items"].([]any))
	top := d.category("器", "")
	middle := d.category("Cups", top)
	low := d.category("Tea cups", middle)
	tree := get(t, d.Shop, "/v1/categories").Body["items"].([]any)
	require.Len(t, tree, before+3)
	for level, id := range []string{top, middle, low} {
		c := get(t, d.Shop, "/v1/categories/"+id).Body
		require.EqualValues(t, level+1, c["level"])
		require.Contains(t, tree, any(c))
	}
	require.Equal(t, []any{middle}, get(t, d.Shop, "/v1/categories/"+top).Body["child_ids"])

	for _, parent := range []string{low, top} {
		a := d.call(http.MethodPut, "/v1/categories/"+top, shoptest.Body{"name": "器", "parent_id": parent})
		require.Equal(t, conflict("not-possible-now"), constraintProblem(a), "a category is never below itself")
	}
	moved := d.must(http.MethodPut, "/v1/categories/"+low, shoptest.Body{"name": "Yunomi", "parent_id": top}).Body
	require.Equal(t, []any{"Yunomi", 2.0, top}, []any{moved["name"], moved["level"], moved["parent_id"]})
	for field, body := range map[string]shoptest.Body{"name": {"name": " "}, "parent_id": {"name": "x", "parent_id": uuid.NewString()}} {
		require.Equal(t, []string{field}, d.call(http.MethodPost, "/v1/categories", body).Fields())
	}
	require.Equal(t, "category.changed updated", d.emitted()[3])
}

// CAT-14: what is in a category keeps it, unless it is hidden.
func TestACategoryIsDeletedWhenNothingIsInIt(t *testing.T) {
	t.Parallel()
	d := sit(t)
	top := d.category("Hats", "")
	low := d.category("Warm hats", top)
	path := d.add(product("HAT-1").With("category_id", low))
	counts := func(id string) []any {
		a := d.call(http.MethodDelete, "/v1/categories/"+id, nil)
		require.Equal(t, conflict("in-use"), constraintProblem(a), a.Raw)
		return []any{a.Body["products"], a.Body["children"]}
	}
	require.Equal(t, []any{0.0, 1.0}, counts(top))
	require.Equal(t, []any{1.0, 0.0}, counts(low))
	d.must(http.MethodDelete, path, nil)
	d.must(http.MethodDelete, "/v1/categories/"+low, nil)
	d.must(http.MethodDelete, "/v1/categories/"+top, nil)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodDelete, "/v1/categories/"+top, nil).Status)
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, "/v1/categories/"+top).Status)
}

// CAT-15.
func TestAProductIsFoundInAllCategoriesAboveItsOwn(t *testing.T) {
	t.Parallel()
	d := sit(t)
	top := d.category("Clothes", "")
	low := d.category("Warm hats", d.category("Hats", top))
	d.add(product("HAT-1").With("category_id", low))
	require.Equal(t, []string{"HAT-1"}, skus(get(t, d.Shop, "/v1/products?category_id="+top)))
	require.Empty(t, skus(get(t, d.Shop, "/v1/products?category_id="+d.category("Shoes", top))))
}

// CAT-17.
func TestATagIsOnAProductOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	hat, shoe := d.add(product("HAT-1")), d.add(product("SHOE-1"))
	var tags any
	for _, tag := range []string{"warm", "%E5%86%AC", "a%2Fb", "warm"} {
		tags = d.must(http.MethodPut, hat+"/tags/"+tag, nil).Body["tags"]
	}
	require.Equal(t, []any{"warm", "冬", "a/b"}, tags)
	d.must(http.MethodPut, shoe+"/tags/%20warm%20", nil)
	require.Len(t, d.emitted(), 6, "what changes nothing is not said")
	require.ElementsMatch(t, []string{"HAT-1", "SHOE-1"}, skus(get(t, d.Shop, "/v1/products?tag=warm")))
	counts := func() map[string]any {
		all := map[string]any{}
		for _, each := range get(t, d.Shop, "/v1/tags?limit=100").Body["items"].([]any) {
			all[each.(map[string]any)["tag"].(string)] = each.(map[string]any)["count"]
		}
		return all
	}
	require.Subset(t, counts(), map[string]any{"warm": 2.0, "冬": 1.0, "a/b": 1.0})
	d.must(http.MethodDelete, hat+"/tags/warm", nil)
	d.must(http.MethodDelete, hat+"/tags/warm", nil)
	require.Equal(t, []string{"SHOE-1"}, skus(get(t, d.Shop, "/v1/products?tag=warm")))
	require.Equal(t, 1.0, counts()["warm"])
	d.must(http.MethodDelete, shoe, nil)
	require.NotContains(t, counts(), "warm")
	require.Equal(t, []string{"tag"}, d.call(http.MethodPut, hat+"/tags/"+strings.Repeat("x", 51), nil).Fields())
}
