package seed_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/seed"
)

// What is written past the triggers is what they would have written.
func TestAMadeUpCatalogueIsAsWholeAsOneThatWasMadeByHand(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	require.NoError(t, seed.Demo(t.Context(), pool))
	require.NoError(t, seed.Catalogue(t.Context(), pool, 1000))
	one := func(sql string) (n int64) {
		t.Helper()
		require.NoError(t, pool.QueryRow(t.Context(), sql).Scan(&n), sql)
		return n
	}
	require.EqualValues(t, 1008, one(`SELECT count(*) FROM catalogue.products`))
	require.EqualValues(t, 204, one(`SELECT count(*) FROM catalogue.variants`))
	require.EqualValues(t, 1212, one(`SELECT count(*) FROM catalogue.skus`))

	const counted = `
		SELECT store_id, category, tag, count(*)
		FROM catalogue.products p, unnest(catalogue.counted_in(p.category_id)) AS category, unnest(array_append(tags, '')) AS tag GROUP BY 1, 2, 3`
	require.Zero(t, one(`SELECT count(*) FROM (SELECT * FROM catalogue.counts WHERE products <> 0 EXCEPT (`+counted+`)) d`))
	require.Zero(t, one(`SELECT count(*) FROM ((`+counted+`) EXCEPT SELECT * FROM catalogue.counts) d`))
	const words = `
		SELECT word, count(*) FROM (
			SELECT DISTINCT product_id, regexp_split_to_table(lower(concat_ws(' ', name, array_to_string(tags, ' '), description)), '[^a-z]+') AS word
			FROM catalogue.products) w WHERE length(word) BETWEEN 3 AND 30 GROUP BY 1`
	require.Zero(t, one(`SELECT count(*) FROM (SELECT word, products FROM catalogue.dictionary WHERE products <> 0 EXCEPT (`+words+`)) d`))
	require.Zero(t, one(`SELECT count(*) FROM ((`+words+`) EXCEPT SELECT word, products FROM catalogue.dictionary) d`))

	rows, err := invariant.Check(t.Context(), pool, false)
	require.NoError(t, err)
	for _, row := range rows {
		require.Zero(t, row.Broken, row.Promise)
	}
	require.EqualValues(t, one(`SELECT count(*) FROM pg_indexes WHERE schemaname = 'catalogue' AND tablename = 'products'`), 13)
	require.ErrorContains(t, seed.Catalogue(t.Context(), pool, 1000), "already")

	again := dbtest.DB(t)
	require.NoError(t, seed.Catalogue(t.Context(), again, 1000))
	var a, b string
	const digest = `SELECT md5(string_agg((to_jsonb(p) - 'place')::text, '' ORDER BY product_id)) FROM catalogue.products p WHERE sku LIKE 'MADE-%'`
	require.NoError(t, pool.QueryRow(t.Context(), digest).Scan(&a))
	require.NoError(t, again.QueryRow(t.Context(), digest).Scan(&b))
	require.Equal(t, a, b, "the same at each call")
}

func TestEveryProductOfTheDemoShopHasAPicture(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	require.NoError(t, seed.Demo(t.Context(), pool))
	_, err := pool.Exec(t.Context(), `UPDATE catalogue.products SET name = 'Changed by staff' WHERE sku = 'CAP-NAVY'`)
	require.NoError(t, err)
	kept := map[string]int{}
	for range 2 {
		require.NoError(t, seed.Demo(t.Context(), pool))
		require.NoError(t, seed.Pictures(t.Context(), pool, func(_ context.Context, name string, content []byte) error {
			kept[name] = len(content)
			return nil
		}))
	}
	var shown []string
	require.NoError(t, pool.QueryRow(t.Context(),
		`SELECT array_agg(i) FROM catalogue.products, unnest(images) AS i`).Scan(&shown))
	require.Len(t, shown, 7, "all but the one that staff has changed")
	for _, name := range shown {
		require.Contains(t, kept, name)
	}
}
