package editcatalogue_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func variant(sku string) shoptest.Body {
	return shoptest.Body{"name": "red, M", "sku": sku, "attributes": map[string]any{"size": "M", "colour": "red"}}
}

// CAT-16.
func TestAVariantHasItsAttributesAndAPriceOfItsOwn(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1"))
	own := d.must(http.MethodPost, path+"/variants", variant("HAT-1-RED").With("price", euros(3100))).Body
	require.Equal(t, []any{"HAT-1-RED", "red, M", euros(3100.0), map[string]any{"size": "M", "colour": "red"}},
		[]any{own["sku"], own["name"], own["price"], own["attributes"]})
	d.must(http.MethodPost, path+"/variants", shoptest.Body{"name": "plain", "sku": "HAT-1-PLAIN"})
	items := func() []any { return get(t, d.Shop, path+"/variants").Body["items"].([]any) }
	require.Len(t, items(), 2)
	require.Equal(t, own, items()[0])
	require.Equal(t, euros(2900.0), items()[1].(map[string]any)["price"], "that of the product")

	to := "/v1/variants/" + own["id"].(string)
	changed := d.must(http.MethodPut, to, shoptest.Body{
		"name": "赤", "sku": "HAT-1-AKA", "attributes": map[string]any{"色": "赤"},
	}).Body
	require.Equal(t, []any{own["id"], "赤", "HAT-1-AKA", euros(2900.0)},
		[]any{changed["id"], changed["name"], changed["sku"], changed["price"]})
	require.Equal(t, http.StatusNoContent, d.call(http.MethodDelete, to, nil).Status)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodDelete, to, nil).Status)
	require.Len(t, items(), 1)
	require.Len(t, d.emitted(), 5, "each change of a variant is one of its product")
	require.Equal(t, []string{"price.amount_minor"},
		d.call(http.MethodPost, path+"/variants", variant("X").With("price", euros(-1))).Fields())
}

func TestAProductIsSavedWithAllItsVariants(t *testing.T) {
	t.Parallel()
	d := sit(t)
	body := product("HAT-1").With("variants", []any{variant("R"), variant("G"), variant("B")})
	path := d.add(body)
	list := func() (all []string) {
		for _, each := range get(t, d.Shop, path+"/variants").Body["items"].([]any) {
			v := each.(map[string]any)
			all = append(all, v["sku"].(string)+" "+v["id"].(string))
		}
		return all
	}
	first := list()
	d.must(http.MethodPut, path, product("HAT-1").With("name", "Other hat"))
	require.Equal(t, first, list(), "without variants they stay as they are")
	d.must(http.MethodPut, path, product("HAT-1").With("variants", []any{variant("B"), variant("N")}))
	require.Equal(t, first[2], list()[0], "what has the SKU is the same variant")
	require.Len(t, list(), 2)
	d.must(http.MethodPut, path, body)
	require.Equal(t, first, list(), "and those that were gone come back")
	d.must(http.MethodPut, path, body.With("variants", []any{}))
	require.Empty(t, list())
}

// CAT-13.
func TestFiveHundredVariantsAreSavedAndListedInTime(t *testing.T) {
	d := sit(t)
	variants := make([]any, 500)
	for i := range variants {
		variants[i] = variant(fmt.Sprintf("HAT-1-%03d", i))
	}
	began := time.Now()
	path := d.add(product("HAT-1").With("variants", variants))
	saved := time.Since(began)
	began = time.Now()
	items := get(t, d.Shop, path+"/variants").Body["items"].([]any)
	listed := time.Since(began)
	t.Logf("saved in %s, listed in %s", saved, listed)
	require.Len(t, items, 500)
	require.Equal(t, "HAT-1-499", items[499].(map[string]any)["sku"])
	require.Less(t, saved, 2*time.Second)
	require.Less(t, listed, shoptest.InFull(100*time.Millisecond, 500*time.Millisecond),
		"100 ms, where others do not use the machine")
}
