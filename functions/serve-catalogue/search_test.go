package servecatalogue_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

func search(t *testing.T, shop *shoptest.Shop, q, more string) shoptest.Response {
	t.Helper()
	a := get(t, shop, "/v1/products/search?q="+url.QueryEscape(q)+more)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	return a
}

// CAT-20.
func TestAProductIsFoundByAnyOfItsWords(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	shop.Exec(t, `UPDATE catalogue.products SET tags = '{rarity}' WHERE sku = $1`, shoptest.Tee)
	for q, want := range map[string][]string{
		"T-shirt": {shoptest.Tee}, "organic": {shoptest.Tee}, "rarity": {shoptest.Tee}, "tee-drop-01": {shoptest.Tee}, "organ": {shoptest.Tee},
		"新月": {"YUNOMI-01"}, "信楽": {"YUNOMI-01"}, "湯": {"YUNOMI-01"}, "%": nil, "'": nil, "cap tote": nil,
	} {
		require.Equal(t, want, skus(search(t, shop, q, "")), q)
	}
}

// CAT-21.
func TestATypingErrorIsCorrectedAndReported(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 400)
	a := search(t, shop, "keybaord", "")
	require.Equal(t, "keyboard", a.Body["did_you_mean"])
	require.NotEmpty(t, skus(a))
	for _, item := range a.Body["items"].([]any) {
		require.Contains(t, item.(map[string]any)["name"], "keyboard")
	}
	two := search(t, shop, "woolen kyeboard", "")
	require.Equal(t, "wool keyboard", strings.ReplaceAll(two.Body["did_you_mean"].(string), "woven", "wool"),
		"each word by itself")
	require.NotContains(t, search(t, shop, "keyboard", "").Body, "did_you_mean", "nothing was wrong")
	nothing := search(t, shop, "xylophone", "")
	require.Empty(t, skus(nothing))
	require.NotContains(t, nothing.Body, "did_you_mean")
}

// CAT-22.
func TestAtMostFiveNamesAreSuggestedTheBestFirst(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 400)
	for q, like := range map[string]string{"key": "key", "keybaord": "keyboard", "linen key": "linen", "湯": "湯"} {
		items := get(t, shop, "/v1/products/suggestions?q="+url.QueryEscape(q)).Body["items"].([]any)
		require.NotEmpty(t, items, q)
		require.LessOrEqual(t, len(items), 5, q)
		names := map[string]bool{}
		for _, item := range items {
			name := item.(map[string]any)["name"].(string)
			require.Contains(t, strings.ToLower(name), like, q)
			names[name] = true
		}
		require.Len(t, names, len(items), "each once")
	}
	require.Empty(t, get(t, shop, "/v1/products/suggestions?q=xylophone").Body["items"])
}

// CAT-23.
func TestPagesOfASearchNeitherRepeatNorLeaveOut(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 1000)
	for _, sort := range []string{"relevance", "newest", "name", "price_asc", "price_desc"} {
		seen := map[string]bool{}
		var total float64
		for page := range 3 {
			a := search(t, shop, "mug", "&limit=5&sort="+sort+"&page="+string(rune('1'+page)))
			total = a.Body["total"].(float64)
			for _, sku := range skus(a) {
				require.False(t, seen[sku], "%s: %s twice", sort, sku)
				seen[sku] = true
			}
		}
		require.Len(t, seen, min(15, int(total)), sort)
	}
	byName := search(t, shop, "mug", "&sort=relevance").Body["items"].([]any)
	require.Contains(t, byName[0].(map[string]any)["name"], "mug", "a word in the name counts most")
}

func TestFacetsCountWhatWasFound(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 600)
	a := search(t, shop, "mug", "&limit=100")
	facets := a.Body["facets"].(map[string]any)
	for kind, sql := range map[string]string{
		"categories": `SELECT json_object_agg(category_id, n) FROM (SELECT category_id, count(*) AS n FROM found WHERE category_id IS NOT NULL GROUP BY 1) f`,
		"stores":     `SELECT json_object_agg(store_id, n) FROM (SELECT store_id, count(*) AS n FROM found GROUP BY 1) f`,
		"tags":       `SELECT json_object_agg(tag, n) FROM (SELECT unnest(tags) AS tag, count(*) AS n FROM found GROUP BY 1) f`,
	} {
		want := shoptest.Scalar[map[string]any](t, shop, `
			WITH found AS (SELECT * FROM catalogue.products WHERE active AND name || ' ' || description ~* '\mmugs?\M') `+sql)
		got := map[string]any{}
		for _, facet := range facets[kind].([]any) {
			f := facet.(map[string]any)
			got[f["id"].(string)] = f["count"]
		}
		require.Equal(t, want, got, kind)
	}
	first := facets["tags"].([]any)[0].(map[string]any)
	require.Equal(t, first["count"], search(t, shop, "mug", "&tag="+first["id"].(string)).Body["total"],
		"choosing one shows as many")
}

// CAT-24.
func TestSearchesAreCountedWithoutPersonalData(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	ada := shop.SignIn(t, "customer")
	for _, q := range []string{"Cap", " cap ", "CAP", "xylophone"} {
		shop.Call(t, "serve-catalogue", "GET", "/v1/products/search?q="+url.QueryEscape(q), nil, "Authorization", ada.Bearer)
	}
	require.Equal(t, map[string]any{"cap": "3/0", "xylophone": "1/1"}, shoptest.Scalar[map[string]any](t, shop, `
		SELECT json_object_agg(words, searches || '/' || without_result) FROM catalogue.searches`))
}

// CAT-38: words are compared without marks, by their compatible form and in any case, on both sides.
func TestSearchIgnoresMarksWidthAndCase_CAT_38(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	spellings := map[string][]string{
		"Zürich mug":         {"zurich", "ZÜRICH", "Zu\u0308rich", "Ｚｕｒｉｃｈ", "züric", "zurihc"},
		"Crème brûlée torch": {"creme brulee", "CRÈME BRÛLÉE", "cre\u0300me", "brulée"},
		"Straße bag":         {"strasse", "STRASSE", "straße"},
		"Ｆｕｌｌ ｗｉｄｔｈ":         {"full width", "ｆｕｌｌ"},
		"ｶﾞﾗｽのｺｯﾌﾟ":          {"ガラス", "ｶﾞﾗｽ", "カ\u3099ラス", "コップ"},
		"Smørrebrød board":   {"smorrebrod", "SMØRREBRØD"},
		"Łódź scarf":         {"lodz", "Łódź"},
		"ΆΛΦΑ lamp":          {"αλφα", "άλφα"},
	}
	for name := range spellings {
		shop.Exec(t, `
			INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
			VALUES (gen_random_uuid(), $1, $2, $2, 1, 'EUR')`, shoptest.TheStore, name)
	}
	for name, queries := range spellings {
		for _, q := range queries {
			require.Equal(t, []string{name}, skus(search(t, shop, q, "")), q)
			suggested := get(t, shop, "/v1/products/suggestions?q="+url.QueryEscape(q)).Body["items"].([]any)
			require.Len(t, suggested, 1, q)
			require.Equal(t, name, suggested[0].(map[string]any)["name"], q)
		}
	}
	require.Empty(t, skus(search(t, shop, "カラス", "")), "a mark of kana makes another letter")
}

// CAT-38: a product is found by the SKU of a variant as by its own, from its beginning on, until the variant is deleted.
func TestProductIsFoundByItsVariants_CAT_38(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	_, variant := shop.AddVariant(t, shoptest.Cap, "QX7731AZ", "red", 0, 1, shoptest.Harbour)
	version := func() int {
		return shoptest.Scalar[int](t, shop, `SELECT version FROM catalogue.products WHERE sku = $1`, shoptest.Cap)
	}
	before := version()
	for _, q := range []string{"QX7731AZ", "qx7731az", "qx773", "ｑｘ７７３１ａｚ", "cap qx7731az"} {
		require.Equal(t, []string{shoptest.Cap}, skus(search(t, shop, q, "")), q)
	}
	shop.Exec(t, `UPDATE catalogue.variants SET sku = 'NEWSKU9' WHERE variant_id = $1`, variant)
	require.Equal(t, []string{shoptest.Cap}, skus(search(t, shop, "newsku9", "")))
	require.Empty(t, skus(search(t, shop, "qx7731az", "")))
	shop.Exec(t, `UPDATE catalogue.variants SET deleted_at = now() WHERE variant_id = $1`, variant)
	require.Empty(t, skus(search(t, shop, "newsku9", "")))
	require.Equal(t, before, version(), "it is no version of the product")
}
