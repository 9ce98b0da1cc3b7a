package migrations_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/provision"
)

// OPS-02: each function's role may write its own tables and no others.
func TestEachFunctionWritesItsOwnTablesAndNoOthers(t *testing.T) {
	t.Parallel()
	db := filled(t)
	require.NoError(t, provision.GrantRoles(t.Context(), db, all(t), ""))
	tables := readTables(t, db)
	for _, f := range all(t) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			conn := as(t, db, f.Name)
			for table, columns := range tables {
				for act, sql := range writes(table, columns) {
					err := commit(t, conn, sql)
					if may(f, table, act) {
						require.Empty(t, code(err), "%s: %v", sql, err)
					} else {
						require.Equal(t, noRight, code(err), "%s: %v", sql, err)
					}
				}
				if err := commit(t, conn, `SELECT FROM `+table+` LIMIT 1`); slices.Contains(secrets, table) &&
					!slices.Contains(f.Writes, table) {
					require.Equal(t, noRight, code(err), "%s is secret", table)
				} else {
					require.NoError(t, err, "everybody reads %s", table)
				}
			}
		})
	}
}

// readTables reads all tables of the shop with those of their columns that are neither locked through nor made by
// Postgres.
func readTables(t testing.TB, db *pgxpool.Pool) map[string][]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `
		SELECT c.oid::regclass::text, array_agg(attname::text ORDER BY attnum)
		FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
		WHERE relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped AND attname <> 'updated_at' AND attidentity = '' AND attgenerated = ''
		AND relnamespace::regnamespace::text IN ('bus', 'catalogue', 'stock', 'orders', 'payments', 'delivery', 'mail', 'accounts', 'points')
		GROUP BY c.oid`)
	require.NoError(t, err)
	tables := map[string][]string{}
	var table string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
		tables[table] = slices.Clone(columns)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(tables), 20)
	return tables
}

// writes are statements that write a table and change no row of it.
func writes(table string, columns []string) map[string]string {
	list := strings.Join(columns, ", ")
	return map[string]string{
		"INSERT":   `INSERT INTO ` + table + ` (` + list + `) SELECT ` + list + ` FROM ` + table + ` WHERE false`,
		"UPDATE":   `UPDATE ` + table + ` SET ` + columns[0] + ` = ` + columns[0] + ` WHERE false`,
		"DELETE":   `DELETE FROM ` + table + ` WHERE false`,
		"TRUNCATE": `TRUNCATE ` + table + ` CASCADE`,
	}
}

// secrets are read by no role but their writers.
var secrets = []string{"accounts.passwords", "accounts.sessions", "accounts.spent_tokens", "accounts.clients", "accounts.throttles", "accounts.resets", "orders.token_keys"}

// logs can only be added to.
var logs = []string{"stock.movements", "orders.history", "orders.lines", "orders.notes", "orders.hidden", "payments.entries", "payments.attempts", "points.entries", "delivery.tracking", "bus.dead_letter_actions"}

// hidden are never deleted.
var hidden = []string{"catalogue.products"}

// shared are the rights in the event store of every function that does more than read.
var shared = map[string][]string{
	"bus.event": {"INSERT"}, "bus.inbox": {"INSERT"}, "bus.dead_letters": {"INSERT", "UPDATE"}, "bus.undelivered": {"INSERT", "UPDATE"}, "bus.idempotency": {"INSERT", "UPDATE"},
}

func may(f function.Function, table, act string) bool {
	switch {
	case f.ReadsOnly():
		return false
	case slices.Contains(shared[table], act):
		return true
	case !slices.Contains(f.Writes, table) || act == "TRUNCATE":
		return false
	}
	return act == "INSERT" || !slices.Contains(logs, table) && !(act == "DELETE" && slices.Contains(hidden, table))
}

// A role can lock the rows of a table that its function declares, and change nothing there.
func TestARoleLocksWhatItsFunctionDeclaresAndNothingElse(t *testing.T) {
	t.Parallel()
	db := filled(t)
	require.NoError(t, provision.GrantRoles(t.Context(), db, all(t), ""))
	lockable := []string{"orders.orders", "stock.levels"}
	for _, f := range all(t) {
		conn := as(t, db, f.Name)
		for _, table := range lockable {
			err := commit(t, conn, `SELECT FROM `+table+` FOR NO KEY UPDATE`)
			if slices.Contains(f.Locks, table) || slices.Contains(f.Writes, table) {
				require.NoError(t, err, "%s locks %s", f.Name, table)
			} else {
				require.Equal(t, noRight, code(err), "%s locks %s", f.Name, table)
			}
		}
	}
}

func TestRolesOfTwoShopsOnOneServerAreMadeAtTheSameTime(t *testing.T) {
	t.Parallel()
	made := make(chan error)
	for range 4 {
		db := dbtest.DB(t)
		go func() { made <- provision.GrantRoles(t.Context(), db, all(t), "") }()
	}
	for range 4 {
		require.NoError(t, <-made)
	}
}

func all(t testing.TB) []function.Function {
	t.Helper()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	return functions.All(settings)
}

// as is a connection to the same database for a function.
func as(t testing.TB, db *pgxpool.Pool, role string) *pgx.Conn {
	t.Helper()
	settings := db.Config().ConnConfig
	settings.User = role
	conn, err := pgx.ConnectConfig(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // it may be closed already
	return conn
}
