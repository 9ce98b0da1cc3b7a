// Package provision creates the database roles and the subscriptions of functions from their declarations. popup
// migrate runs it.
package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
)

// shared are the rights and limits of every function.
const shared = `
	GRANT USAGE ON SCHEMA %[2]s TO %[1]s;
	GRANT SELECT ON ALL TABLES IN SCHEMA %[2]s TO %[1]s;
	ALTER ROLE %[1]s SET lock_timeout = '2s';
	ALTER ROLE %[1]s SET statement_timeout = '5s';
	ALTER ROLE %[1]s SET idle_in_transaction_session_timeout = '10s';`

// storing are the rights in the event store of every function that does more than read.
const storing = `
	GRANT INSERT ON bus.event, bus.inbox, bus.undelivered, bus.dead_letters, bus.idempotency TO %[1]s;
	GRANT UPDATE ON bus.undelivered, bus.dead_letters, bus.idempotency TO %[1]s;`

// GrantRoles makes a login role for each function, with the rights that its declaration asks for and no others: it
// reads everything, writes its own tables, and only adds to logs. An empty password is none: for a database that trusts
// its socket.
func GrantRoles(ctx context.Context, pool *pgxpool.Pool, functions []function.Function, password string) error {
	for try := 1; ; try++ {
		err := grantRoles(ctx, pool, functions, password)
		var pg *pgconn.PgError
		if err == nil || try == triesAtRoles || !errors.As(err, &pg) || !slices.Contains(clashes, pg.Code) {
			return err
		}
	}
}

// Roles belong to the whole server: another shop on it may create them at the same time, and no lock reaches across
// databases. On a conflict the statement is retried.
const triesAtRoles = 20

// changed at once, made at once (twice), waited for each other
var clashes = []string{"XX000", "23505", "42710", "40P01"}

// Lock makes a transaction the only one of the database that has a lock of this name. It waits for others as long as they take,
// whatever the timeouts of the session are.
func Lock(ctx context.Context, tx pgx.Tx, name string) error {
	_, err := tx.Exec(ctx, `
		SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)`)
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, name)
	}
	if err != nil {
		return fmt.Errorf("wait for lock %q: %w", name, err)
	}
	return nil
}

func grantRoles(ctx context.Context, pool *pgxpool.Pool, functions []function.Function, password string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := Lock(ctx, tx, "popup roles"); err != nil {
			return err
		}
		schemas, rights, err := readCatalogue(ctx, tx)
		if err != nil {
			return err
		}
		kept, err := readSecrets(ctx, tx)
		if err != nil {
			return err
		}
		for _, f := range functions {
			if err := grant(ctx, tx, f, schemas, rights, kept, password); err != nil {
				return fmt.Errorf("grant rights to %s: %w", f.Name, err)
			}
		}
		return nil
	})
}

// readCatalogue finds the schemas of the shop, and what can be done with tables that refuse something: some can only be
// added to, and of some nothing can be deleted.
func readCatalogue(ctx context.Context, tx pgx.Tx) (schemas []string, rights map[string]string, err error) {
	rows, err := tx.Query(ctx, `
		SELECT nspname FROM pg_namespace
		WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND nspname !~ '^pg_' ORDER BY 1`)
	if err != nil {
		return nil, nil, err
	}
	if schemas, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, nil, err
	}
	found, err := tx.Query(ctx, `
		SELECT tgrelid::regclass::text, bool_or(tgtype & 16 > 0)
		FROM pg_trigger
		WHERE tgfoid = 'bus.refuse_change'::regproc
		GROUP BY tgrelid`) // 16 is UPDATE
	if err != nil {
		return nil, nil, err
	}
	rights = map[string]string{}
	var table string
	var log bool
	_, err = pgx.ForEachRow(found, []any{&table, &log}, func() error {
		if rights[table] = "INSERT, UPDATE"; log {
			rights[table] = "INSERT"
		}
		return nil
	})
	return schemas, rights, err
}

func grant(ctx context.Context, tx pgx.Tx, f function.Function, schemas []string, rights map[string]string, kept []secret, password string) error {
	role := pgx.Identifier{f.Name}.Sanitize()
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`,
		f.Name).Scan(&exists); err != nil {
		return err
	}
	var sql strings.Builder
	if !exists {
		fmt.Fprintf(&sql, "CREATE ROLE %s LOGIN;", role)
	}
	if password != "" {
		fmt.Fprintf(&sql, "ALTER ROLE %s PASSWORD '%s';", role, strings.ReplaceAll(password, "'", "''"))
	}
	list := strings.Join(schemas, ", ")
	fmt.Fprintf(&sql, "REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM %s;", list, role)
	fmt.Fprintf(&sql, shared, role, list)
	if !f.ReadsOnly() {
		fmt.Fprintf(&sql, storing, role)
	}
	for _, s := range kept {
		sql.WriteString(s.grant(role, f.Writes))
	}
	sql.WriteString(stepping(role, f))
	for _, table := range f.Writes {
		fmt.Fprintf(&sql, "GRANT %s ON %s TO %s;", cmp.Or(rights[table], "INSERT, UPDATE, DELETE"), table, role)
	}
	for _, table := range f.Locks { // locking a row takes the right to change some column of it
		fmt.Fprintf(&sql, "GRANT UPDATE (updated_at) ON %s TO %s;", table, role)
	}
	if _, err := tx.Exec(ctx, sql.String()); err != nil {
		return err
	}
	return setSession(ctx, tx, f.Name)
}

// setSession gives a role the settings of a session, unless it has them: a pooler in transaction mode passes none on.
func setSession(ctx context.Context, tx pgx.Tx, role string) error {
	var have []string
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setrole = $1::regrole AND setdatabase = 0), '{}')`,
		pgx.Identifier{role}.Sanitize()).Scan(&have)
	if err != nil {
		return err
	}
	var sql strings.Builder
	settings := config.Session()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		if !slices.Contains(have, name+"="+value) {
			fmt.Fprintf(&sql, "ALTER ROLE %s SET %s = %s;", pgx.Identifier{role}.Sanitize(), name, literals(value))
		}
	}
	if sql.Len() == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, sql.String())
	return err
}

// literals returns a setting's value in SQL; that of a search path is a list.
func literals(value string) string {
	parts := strings.Split(value, ", ")
	for i, part := range parts {
		parts[i] = "'" + strings.ReplaceAll(part, "'", "''") + "'"
	}
	return strings.Join(parts, ", ")
}
