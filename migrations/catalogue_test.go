package migrations_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
)

// shelf is a store with a category and products, in a transaction of a test.
type shelf struct {
	pgx.Tx
	store, category string
}

func newShelf(t *testing.T) shelf {
	t.Helper()
	s := shelf{dbtest.Tx(t), uuid.NewString(), uuid.NewString()}
	warehouse := uuid.NewString()
	s.exec(t, `INSERT INTO stock.warehouses (warehouse_id, name) VALUES ($1, 'W')`, warehouse)
	s.exec(t, `INSERT INTO catalogue.stores (store_id, name, location, warehouse_id) VALUES ($1, 'S', 'L', $2)`, s.store,
		warehouse)
	s.exec(t, `INSERT INTO catalogue.categories (category_id, name) VALUES ($1, 'C')`, s.category)
	return s
}

func (s shelf) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := s.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func (s shelf) one(t *testing.T, sql string, args ...any) (value any) {
	t.Helper()
	require.NoError(t, s.QueryRow(t.Context(), sql, args...).Scan(&value))
	return value
}

func (s shelf) product(t *testing.T, sku, name, description string, tags ...string) (id string) {
	t.Helper()
	id = uuid.NewString()
	s.exec(t, `
		INSERT INTO catalogue.products (product_id, store_id, category_id, sku, name, description, price_minor, currency, tags)
		VALUES ($1, $2, $3, $4, $5, $6, 100, 'EUR', coalesce($7, '{}'::text[]))`, id, s.store, s.category, sku, name, description, tags)
	return id
}

func TestAProductIsFoundByItsWordsInAnyLanguage(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.product(t, "KEY-01", "Mechanical keyboards", "Clicks like rain on a tin roof", "desk", "wired")
	s.product(t, "YUNOMI-01", "湯呑み「新月」", "信楽の土、灰釉。東京都庁で展示。")
	for said, want := range map[string]string{
		"keyboard": "KEY-01", "KEYBOARDS": "KEY-01", "mech": "", "mech*": "KEY-01", "wired me*": "KEY-01", "tired me*": "", "rain tin": "KEY-01", "roof": "KEY-01", "desk": "KEY-01", "KEY-01": "KEY-01", "wiring": "KEY-01",
		"湯呑み": "YUNOMI-01", "新月": "YUNOMI-01", "灰釉": "YUNOMI-01", "東京": "YUNOMI-01", "京都庁": "YUNOMI-01", "土": "YUNOMI-01", "庁*": "YUNOMI-01", "都": "", "都*": "YUNOMI-01",
		"keyboard rainbow": "", "大阪": "", "%": "", "'": "", `\`: "", "the": "", ":*": "", "&|!": "", "keyboard's": "KEY-01",
	} {
		found := s.one(t, `SELECT coalesce(string_agg(sku, ' '), '') FROM catalogue.products WHERE store_id = $1 AND words @@ catalogue.query_of($2, $3)`,
			s.store, strings.TrimSuffix(said, "*"), strings.HasSuffix(said, "*"))
		require.Equal(t, want, found, said)
	}
}

func TestASlipOfTheFingerIsUnderstood(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.product(t, "A", "Keyboard", "A zebra on it")
	s.product(t, "B", "Mug", "Zeal for coffee")
	for said, want := range map[string]any{
		"keybaord": "keyboard", "kyeboard": "keyboard", "keybord": "keyboard", "keyboards": "keyboard", "mgu": "mug", "zebar": "zebra", "cofee": "coffee",
		"xylophone": nil, "ke": nil, "keyb": nil,
	} {
		require.Equal(t, want, s.one(t, `SELECT catalogue.meant($1)`, said), said)
	}
}

func TestCountsOfProductsFollowEveryChange(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a, b := s.product(t, "A", "One", "", "x", "y"), s.product(t, "B", "Two", "", "x")
	agree := func(when string) {
		t.Helper()
		for _, tag := range []string{"", "x", "y", "z"} {
			require.Equal(t, s.one(t, `
				SELECT count(*) FROM catalogue.products
				WHERE store_id = $1 AND category_id = $2 AND active AND deleted_at IS NULL AND ($3 = '' OR $3 = ANY (tags))`, s.store, s.category, tag),
				s.one(t, `SELECT coalesce(sum(products), 0)::bigint FROM catalogue.counts WHERE store_id = $1 AND category_id = $2 AND tag = $3`, s.store, s.category, tag), "%s: %q", when, tag)
		}
	}
	require.EqualValues(t, 2, s.one(t, `SELECT products FROM catalogue.counts WHERE store_id = $1 AND category_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' AND tag = ''`, s.store))
	agree("added")
	require.EqualValues(t, 1, s.one(t, `SELECT products FROM catalogue.dictionary WHERE word = 'two'`))
	s.exec(t, `UPDATE catalogue.products SET tags = '{y,z}', name = 'Three' WHERE product_id = $1`, b)
	agree("tagged anew")
	require.EqualValues(t, 0, s.one(t, `SELECT products FROM catalogue.dictionary WHERE word = 'two'`))
	s.exec(t, `UPDATE catalogue.products SET active = false WHERE product_id = $1`, a)
	agree("put aside")
	s.exec(t, `UPDATE catalogue.products SET category_id = NULL WHERE product_id = $1`, b)
	agree("moved")
	s.exec(t, `UPDATE catalogue.products SET deleted_at = now()`)
	agree("deleted")
}

func TestWhatHasATagFollowsEveryChange(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a, b := s.product(t, "A", "One", "", "x", "y"), s.product(t, "B", "Two", "", "x")
	agree := func(when string, rows int64) {
		t.Helper()
		const columns = `product_id, tag, store_id, category_id, name, price_minor, currency, created_at`
		require.EqualValues(t, 0, s.one(t, `
			WITH want AS (SELECT `+columns+` FROM catalogue.products, unnest(tags) AS tag WHERE active AND deleted_at IS NULL), got AS (SELECT `+columns+` FROM catalogue.tagged)
			SELECT count(*) FROM ((TABLE want EXCEPT TABLE got) UNION ALL (TABLE got EXCEPT TABLE want)) d`), when)
		require.EqualValues(t, rows, s.one(t, `SELECT count(*) FROM catalogue.tagged WHERE store_id = $1`, s.store), when)
	}
	agree("added", 3)
	s.exec(t, `UPDATE catalogue.products SET tags = '{y,z}', name = 'Three', price_minor = 5 WHERE product_id = $1`, b)
	agree("tagged anew", 4)
	s.exec(t, `UPDATE catalogue.products SET category_id = NULL`)
	agree("moved", 4)
	s.exec(t, `UPDATE catalogue.products SET active = false WHERE product_id = $1`, a)
	agree("put aside", 2)
	s.exec(t, `UPDATE catalogue.products SET deleted_at = now()`)
	agree("deleted", 0)
}

// CAT-19: what can be ordered is known without looking at levels, whatever becomes of them and of their SKUs.
func TestWhatCanBeOrderedFollowsEveryLevel(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a, b := s.product(t, "A", "One", ""), s.product(t, "B", "Two", "")
	s.exec(t, `INSERT INTO catalogue.variants (variant_id, product_id, sku, name) VALUES (gen_random_uuid(), $1, 'A-RED', 'red')`, a)
	for _, sku := range []string{"A", "A-RED", "B"} {
		s.exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) SELECT gen_random_uuid(), $1, warehouse_id FROM catalogue.stores WHERE store_id = $2`, sku, s.store)
	}
	move := func(sku, kind string, quantity int) {
		t.Helper()
		s.exec(t, `INSERT INTO stock.movements (level_id, kind, quantity, reference) SELECT level_id, $2, $3, 'test' FROM stock.levels WHERE sku = $1`, sku, kind, quantity)
	}
	hold := func(sku string, quantity int) {
		t.Helper()
		s.exec(t, `INSERT INTO stock.reservations (order_id, line, level_id, quantity) SELECT gen_random_uuid(), 1, level_id, $2 FROM stock.levels WHERE sku = $1`, sku, quantity)
	}
	agree := func(when string, levelsOfA, levelsOfB int64) {
		t.Helper()
		require.EqualValues(t, levelsOfA, s.one(t, `SELECT count(*) FROM stock.available WHERE product_id = $1`, a), when)
		require.EqualValues(t, levelsOfB, s.one(t, `SELECT count(*) FROM stock.available WHERE product_id = $1`, b), when)
	}
	agree("nothing came in", 0, 0)
	move("A", "inbound", 2)
	move("A-RED", "inbound", 1)
	move("B", "inbound", 1)
	agree("goods came in", 2, 1)
	hold("A", 1)
	agree("one of two is held", 2, 1)
	hold("A", 1)
	hold("B", 1)
	agree("the last ones are held", 1, 0)
	s.exec(t, `UPDATE stock.reservations SET status = 'released' WHERE level_id = (SELECT level_id FROM stock.levels WHERE sku = 'B')`)
	agree("one is given back", 1, 1)
	move("A-RED", "adjustment", -1)
	agree("one is lost", 0, 1)
	s.exec(t, `UPDATE catalogue.products SET sku = 'B-NEW' WHERE sku = 'B'`)
	agree("its goods have another name", 0, 0)
	s.exec(t, `UPDATE catalogue.products SET sku = 'B' WHERE product_id = $1`, a)
	agree("its name means another product", 1, 0)
}

func TestASKUMeansOneThing(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a := s.product(t, "A", "One", "")
	variant := uuid.NewString()
	s.exec(t, `INSERT INTO catalogue.variants (variant_id, product_id, sku, name) VALUES ($1, $2, 'A-RED', 'red')`,
		variant, a)
	require.Equal(t, [16]byte(uuid.MustParse(variant)),
		s.one(t, `SELECT variant_id FROM catalogue.skus WHERE sku = 'A-RED'`))
	for _, sql := range []string{
		`UPDATE catalogue.products SET sku = 'A-RED' WHERE sku = 'A'`,
		`UPDATE catalogue.variants SET sku = 'A' WHERE sku = 'A-RED'`,
		`INSERT INTO catalogue.variants (variant_id, product_id, sku, name) SELECT gen_random_uuid(), product_id, 'A', 'x' FROM catalogue.products`,
	} {
		inner, err := s.Begin(t.Context())
		require.NoError(t, err)
		_, err = inner.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "skus_pkey", sql)
		require.NoError(t, inner.Rollback(t.Context()))
	}
	s.exec(t, `UPDATE catalogue.products SET sku = 'B' WHERE sku = 'A'`)
	require.EqualValues(t, 0, s.one(t, `SELECT count(*) FROM catalogue.skus WHERE sku = 'A'`), "it may be used again")
}

func TestACategoryIsNeverBelowItself(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	child, grandchild := uuid.NewString(), uuid.NewString()
	s.exec(t, `INSERT INTO catalogue.categories (category_id, parent_id, name) VALUES ($1, $2, 'child'), ($3, $1, 'grandchild')`, child, s.category, grandchild)
	for _, parent := range []string{s.category, child, grandchild} {
		inner, err := s.Begin(t.Context())
		require.NoError(t, err)
		_, err = inner.Exec(t.Context(), `UPDATE catalogue.categories SET parent_id = $2 WHERE category_id = $1`, s.category,
			parent)
		require.ErrorContains(t, err, "categor", parent)
		require.NoError(t, inner.Rollback(t.Context()))
	}
	s.exec(t, `UPDATE catalogue.categories SET parent_id = NULL WHERE category_id = $1`, grandchild)
}

func TestAnOldPriceStaysOnRecord(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a := s.product(t, "A", "One", "")
	s.exec(t, `UPDATE catalogue.products SET price_minor = 200`)
	s.exec(t, `UPDATE catalogue.products SET name = 'Uno'`)
	require.Equal(t, "100 EUR", s.one(t, `SELECT string_agg(price_minor || ' ' || currency, ', ') FROM catalogue.prices WHERE product_id = $1`, a))
	require.EqualValues(t, 3, s.one(t, `SELECT version FROM catalogue.products WHERE product_id = $1`, a))
}
