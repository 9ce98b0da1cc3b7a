package seed

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Catalogue makes a catalogue of so many products, the same at each call: stores, warehouses, a tree of categories,
// tags, variants, stock; one name in five is Japanese. It fills the tables by COPY with their triggers and the indexes
// of lists off, and writes what those would have written; so it wants the shop for itself.
func Catalogue(ctx context.Context, pool *pgxpool.Pool, products int) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		m := &made{tx: tx, products: products, random: rand.New(rand.NewPCG(1, 2))}
		for _, step := range []func(context.Context) error{
			m.begin, m.places, m.tree, m.goods, m.variants, m.levels, m.derive, m.index,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seed %d products: %w", products, err)
	}
	_, err = pool.Exec(ctx, `VACUUM (ANALYZE) catalogue.products, catalogue.variants, catalogue.skus, catalogue.counts, catalogue.dictionary, catalogue.tagged,
		stock.levels, stock.movements, stock.available`)
	return err
}

type made struct {
	tx       pgx.Tx
	products int
	random   *rand.Rand
	stores   []uuid.UUID
	leaves   []leaf
	indexes  []string // to make again
}

// leaf is a category without others below it, and what is sold there.
type leaf struct {
	id    uuid.UUID
	thing string
}

// kinds of rows, so that ids differ.
const (
	ofWarehouses = iota + 0x51
	ofStores
	ofCategories
	ofProducts
	ofVariants
	ofLevels
)

// idOf is the n-th id of a kind: it looks like a version 7.
func idOf(kind, n int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], 0x0195_0000_0000_7000|uint64(kind)<<32)
	binary.BigEndian.PutUint64(id[8:], 0x8000_0000_0000_0000|uint64(n))
	return id
}

// begin makes sure that nothing of all this is there yet, and lets triggers and indexes rest.
func (m *made) begin(ctx context.Context) error {
	var there bool
	if err := m.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM catalogue.stores WHERE store_id = $1)`,
		idOf(ofStores, 0)).Scan(&there); err != nil {
		return err
	}
	if there {
		return fmt.Errorf("there is a made-up catalogue already; popup run --fresh starts over")
	}
	rows, err := m.tx.Query(ctx, `
		SELECT pg_get_indexdef(indexrelid)
		FROM pg_index
		WHERE indrelid IN ('catalogue.products'::regclass, 'catalogue.tagged'::regclass) AND NOT indisunique`)
	if err != nil {
		return err
	}
	if m.indexes, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	for _, definition := range m.indexes {
		if _, err := m.tx.Exec(ctx, `DROP INDEX catalogue.`+strings.Fields(definition)[2]); err != nil {
			return err
		}
	}
	_, err = m.tx.Exec(ctx, `SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '512MB'; `+m.triggers("DISABLE"))
	return err
}

// triggers lets those of the tables that we fill rest, or work again.
func (m *made) triggers(state string) (sql string) {
	for _, table := range []string{"catalogue.products", "catalogue.variants", "catalogue.skus", "stock.levels", "stock.movements"} {
		sql += "ALTER TABLE " + table + " " + state + " TRIGGER USER; "
	}
	return sql
}

func (m *made) copy(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	_, err := m.tx.CopyFrom(ctx, pgx.Identifier(strings.Split(table, ".")), columns,
		pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

// places makes a store and its warehouse for every few thousand products, at least three.
func (m *made) places(ctx context.Context) error {
	n := min(max(3, m.products/5000), 50)
	err := m.copy(ctx, "stock.warehouses", []string{"warehouse_id", "name", "location", "priority"}, n, func(i int) []any {
		return []any{idOf(ofWarehouses, i), fmt.Sprintf("Depot %d", i+1), "Yard " + fmt.Sprint(i+1), 100 + i}
	})
	if err != nil {
		return err
	}
	return m.copy(ctx, "catalogue.stores", []string{"store_id", "name", "location", "warehouse_id"}, n, func(i int) []any {
		m.stores = append(m.stores, idOf(ofStores, i))
		return []any{
			idOf(ofStores, i), fmt.Sprintf("%s %s Store", looks[i%len(looks)], materials[(i*7)%len(materials)]),
			"Street " + fmt.Sprint(i+1), idOf(ofWarehouses, i),
		}
	})
}

// tree makes three levels of categories.
func (m *made) tree(ctx context.Context) error {
	var rows [][]any
	add := func(parent any, name string) uuid.UUID {
		id := idOf(ofCategories, len(rows))
		rows = append(rows, []any{id, parent, name})
		return id
	}
	for _, d := range departments {
		top := add(nil, d.name)
		for _, name := range d.order {
			group := add(top, name)
			for _, thing := range d.groups[name] {
				m.leaves = append(m.leaves, leaf{add(group, thing+"s"), thing})
			}
		}
	}
	return m.copy(ctx, "catalogue.categories", []string{"category_id", "parent_id", "name"}, len(rows),
		func(i int) []any { return rows[i] })
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// seeded is when the first of the made-up products appeared.
var seeded = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func (m *made) goods(ctx context.Context) error {
	columns := []string{"product_id", "store_id", "category_id", "sku", "slug", "name", "description", "price_minor", "currency", "tags", "created_at", "updated_at", "variant_skus"}
	r := m.random
	return m.copy(ctx, "catalogue.products", columns, m.products, func(i int) []any {
		at := pick(r, m.leaves)
		name := fmt.Sprintf("%s %s %s", pick(r, looks), strings.ToLower(pick(r, materials)), strings.ToLower(at.thing))
		description := fmt.Sprintf("%s in %s, %s.", at.thing, strings.ToLower(pick(r, materials)), pick(r, uses))
		price, currency := int64(500+r.IntN(300)*50), "EUR"
		if i%5 == 4 {
			name, description = pick(r, japaneseLooks)+pick(r, japaneseThings), pick(r, japaneseUses)
			price, currency = int64(800+r.IntN(200)*100), "JPY"
		}
		created := seeded.Add(time.Duration(i) * 30 * time.Second)
		return []any{
			idOf(ofProducts, i), m.stores[i%len(m.stores)], at.id, fmt.Sprintf("MADE-%07d", i), fmt.Sprintf("made-%07d", i), name, description, price,
			currency, m.tags(), created, created, m.variantSKUs(i),
		}
	})
}

// variantSKUs are those of the variants of a product: every twentieth has four.
func (m *made) variantSKUs(product int) string {
	if product%20 != 0 || product/20 >= m.products/20 {
		return ""
	}
	skus := make([]string, 4)
	for i := range skus {
		skus[i] = fmt.Sprintf("MADE-%07d-%d", product, i)
	}
	return strings.Join(skus, " ")
}

// tags are up to three different ones; the first of the list are frequent, the last are rare.
func (m *made) tags() []string {
	tags := []string{}
	for range m.random.IntN(4) {
		n := min(int(m.random.ExpFloat64()*4), len(tagWords)-1)
		if tag := tagWords[n]; !strings.Contains(" "+strings.Join(tags, " ")+" ", " "+tag+" ") {
			tags = append(tags, tag)
		}
	}
	return tags
}

// variants are in every twentieth product: two sizes in two colours.
func (m *made) variants(ctx context.Context) error {
	columns := []string{"variant_id", "product_id", "sku", "name", "attributes", "position"}
	return m.copy(ctx, "catalogue.variants", columns, m.products/20*4, func(i int) []any {
		product, position := i/4*20, i%4
		colour, size := colours[(i/4+position/2)%len(colours)], sizes[(i/4+position%2)%len(sizes)]
		return []any{
			idOf(ofVariants, i), idOf(ofProducts, product), fmt.Sprintf("MADE-%07d-%d", product, position), colour + " " + size,
			map[string]string{"colour": colour, "size": size},
			position,
		}
	})
}

// levels follow from their movements: one in twenty has run out.
func (m *made) levels(ctx context.Context) error {
	_, err := m.tx.Exec(ctx, `
		INSERT INTO stock.levels (level_id, sku, warehouse_id, on_hand)
		SELECT gen_random_uuid(), v.sku, s.warehouse_id, CASE WHEN hashtext(v.sku) % 20 = 0 THEN 0 ELSE 10 + abs(hashtext(v.sku)) % 500 END
		FROM (
			SELECT sku, store_id FROM catalogue.products WHERE sku LIKE 'MADE-%'
			UNION ALL
			SELECT v.sku, store_id FROM catalogue.variants v JOIN catalogue.products p USING (product_id) WHERE v.sku LIKE 'MADE-%'
		) v JOIN catalogue.stores s USING (store_id)`)
	if err != nil {
		return fmt.Errorf("fill stock.levels: %w", err)
	}
	_, err = m.tx.Exec(ctx, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference, reason, by)
		SELECT level_id, 'inbound', on_hand, 'seed', 'first stock', 'seed' FROM stock.levels WHERE sku LIKE 'MADE-%' AND on_hand > 0`)
	if err != nil {
		return fmt.Errorf("fill stock.movements: %w", err)
	}
	return nil
}

// derive writes what the triggers would have written.
func (m *made) derive(ctx context.Context) error {
	for _, sql := range []string{
		`INSERT INTO catalogue.skus (sku, product_id, variant_id)
		SELECT sku, product_id, NULL::uuid FROM catalogue.products WHERE sku LIKE 'MADE-%'
		UNION ALL SELECT sku, product_id, variant_id FROM catalogue.variants WHERE sku LIKE 'MADE-%'`,
		`INSERT INTO catalogue.slugs (kind, slug, owner_id)
		SELECT 'product', slug, product_id FROM catalogue.products WHERE sku LIKE 'MADE-%'`,
		`INSERT INTO catalogue.counts AS c (store_id, category_id, tag, products)
		SELECT store_id, category, tag, count(*)
		FROM catalogue.products p, unnest(catalogue.counted_in(p.category_id)) AS category, unnest(array_append(tags, '')) AS tag
		WHERE sku LIKE 'MADE-%'
		GROUP BY 1, 2, 3`,
		`INSERT INTO catalogue.dictionary AS d (word, products)
		SELECT word, sum(n)::bigint FROM (
			SELECT DISTINCT ON (text, word) text, word, n
			FROM (SELECT catalogue.fold(concat_ws(' ', name, array_to_string(tags, ' '), description)) AS text, count(*) AS n
				FROM catalogue.products WHERE sku LIKE 'MADE-%' GROUP BY 1) t,
				regexp_split_to_table(text, '[^a-z]+') AS word
			WHERE length(word) BETWEEN 3 AND 30) w
		GROUP BY 1
		ON CONFLICT (word) DO UPDATE SET products = d.products + excluded.products`,
		`INSERT INTO catalogue.tagged (product_id, tag, store_id, category_id, name, price_minor, currency, created_at)
		SELECT product_id, tag, store_id, category_id, name, price_minor, currency, created_at
		FROM catalogue.products, unnest(tags) AS tag
		WHERE sku LIKE 'MADE-%'`,
		`INSERT INTO stock.available (product_id, level_id)
		SELECT product_id, level_id FROM stock.levels JOIN catalogue.skus USING (sku) WHERE sku LIKE 'MADE-%' AND on_hand > reserved`,
	} {
		if _, err := m.tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("derive from products: %w", err)
		}
	}
	return nil
}

// index makes the indexes again, and lets the triggers work.
func (m *made) index(ctx context.Context) error {
	for _, definition := range m.indexes {
		if _, err := m.tx.Exec(ctx, definition); err != nil {
			return fmt.Errorf("make an index again: %w", err)
		}
	}
	_, err := m.tx.Exec(ctx, m.triggers("ENABLE"))
	return err
}
