package serveaccounts_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// audited has changes of every table whose changes are audited. The audit log names the object.
var audited = []struct{ table, object, change string }{
	{"accounts.users", "user", `INSERT INTO accounts.users (user_id, email) VALUES (gen_random_uuid(), 'eve@example.test')`},
	{"accounts.clients", "client", `UPDATE accounts.clients SET name = 'another'`},
	{"catalogue.products", "product", `UPDATE catalogue.products SET price_minor = price_minor + 1 WHERE sku = 'CAP-NAVY'`},
	{"catalogue.stores", "store", `UPDATE catalogue.stores SET participating = false WHERE name = 'Tide & Thread'`},
	{"catalogue.categories", "category", `INSERT INTO catalogue.categories (category_id, name) VALUES (gen_random_uuid(), 'C')`},
	{"catalogue.categories", "category", `UPDATE catalogue.categories SET name = 'another' WHERE name = 'Hats'`},
	{"catalogue.categories", "category", `DELETE FROM catalogue.categories WHERE name = 'Hats'`},
	{"catalogue.variants", "variant", `
		INSERT INTO catalogue.variants (variant_id, product_id, sku, name)
		SELECT gen_random_uuid(), product_id, 'CAP-NAVY-S', 'S' FROM catalogue.products WHERE sku = 'CAP-NAVY'`},
	{"catalogue.settings", "settings", `UPDATE catalogue.settings SET name = 'another'`},
	{"catalogue.texts", "text", `INSERT INTO catalogue.texts (kind, language, description) VALUES ('terms', 'en', 'T')`},
	{"catalogue.texts", "text", `UPDATE catalogue.texts SET description = 'another'`},
	{"catalogue.texts", "text", `DELETE FROM catalogue.texts`},
	{"bus.dead_letter_actions", "dead", `
		INSERT INTO bus.dead_letter_actions (dead_letter_id, action, by, note) SELECT dead_letter_id, 'discard', 'staff', 'N' FROM bus.dead_letters`},
	{"points.entries", "points", `
		INSERT INTO points.entries (customer_id, kind, points, reason, by) SELECT owner_id, 'adjust', 5, 'R', 'staff' FROM accounts.clients`},
	{"stock.warehouses", "warehouse", `UPDATE stock.warehouses SET priority = 7 WHERE warehouse_id = '` + shoptest.Harbour + `'`},
	{"stock.holds", "hold", `INSERT INTO stock.holds (hold_id, by, expires_at) VALUES (gen_random_uuid(), 'staff', now())`},
	{"stock.levels", "stock", `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		VALUES ('01900000-0000-7000-8000-000000000203', 'inbound', 1, 'staff')`},
	{"orders.orders", "order", `UPDATE orders.orders SET status = 'cancelling', version = version + 1`},
	{"orders.orders", "order", `UPDATE orders.orders SET customer_id = (SELECT owner_id FROM accounts.clients), version = version + 1`},
}

// ACC-24: each change by staff, an admin or a client is one entry with the caller, and a change by others is none.
func TestEachChangeByStaffIsAudited_ACC_24(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.SignIn(t, "client", "stock")
	shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.Exec(t, `INSERT INTO catalogue.categories (category_id, name) VALUES (gen_random_uuid(), 'Hats')`)
	shop.Exec(t, `INSERT INTO catalogue.texts (kind, language, description) VALUES ('imprint', 'en', 'I')`)
	shop.Exec(t, `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event) VALUES ('x', 'y', 'z', 'track-order', 'poison', '', '')`)
	for _, c := range audited {
		for role, want := range map[string]int{"staff": 1, "admin": 1, "client": 1, "customer": 0, "": 0} {
			entries := entriesOf(t, shop, role, c.change)
			require.Len(t, entries, want, "%s by %q", c.change, role)
			for _, entry := range entries {
				require.Equal(t, []string{c.object, role, "PUT /test"}, entry, c.change)
			}
		}
	}
}

// entriesOf returns the object's kind, role and act of the audit entries that a change by a role leaves. The change is
// rolled back.
func entriesOf(t *testing.T, shop *shoptest.Shop, role, change string) (entries [][]string) {
	t.Helper()
	tx, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	caller := uuid.NewString()
	_, err = tx.Exec(t.Context(), `
		SELECT set_config('popup.caller', $1, true), set_config('popup.role', $2, true), set_config('popup.act', 'PUT /test', true)`,
		caller, role)
	require.NoError(t, err)
	tag, err := tx.Exec(t.Context(), change)
	require.NoError(t, err, change)
	require.EqualValues(t, 1, tag.RowsAffected(), change)
	rows, err := tx.Query(t.Context(), `
		SELECT ARRAY[split_part(object, ' ', 1), role, act] FROM bus.audit
		WHERE by = $1 AND before IS DISTINCT FROM after`, caller)
	require.NoError(t, err)
	entries, err = pgx.CollectRows(rows, pgx.RowTo[[]string])
	require.NoError(t, err)
	return entries
}

// ACC-24: the tables above are all that are audited: a new one is added to them.
func TestChangesOfAllAuditedTablesAreTested_ACC_24(t *testing.T) {
	t.Parallel()
	shop := open(t)
	tables := map[string]bool{}
	for _, c := range audited {
		tables[c.table] = true
	}
	found := shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(DISTINCT tgrelid::regclass::text) FROM pg_trigger WHERE tgfoid = 'bus.note_change'::regproc`)
	require.Len(t, found, len(tables))
	for _, table := range found {
		require.True(t, tables[table], table)
	}
}
