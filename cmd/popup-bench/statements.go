package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statementFlags have Postgres count statements, those in triggers too.
var statementFlags = []string{
	"--postgres=shared_preload_libraries=pg_stat_statements", "--postgres=pg_stat_statements.track=all",
}

// resetStatements begins to count anew.
func (b *bench) resetStatements(ctx context.Context) error {
	_, err := b.pool.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public`)
	if err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	_, err = b.pool.Exec(ctx, `SELECT public.pg_stat_statements_reset()`)
	return err
}

// statement is a kind of statement, with what an order takes of it.
type statement struct {
	SQL     string
	Top     bool // sent by the shop, and not run by a function or a trigger
	Calls   float64
	Rows    float64
	Time    float64 // in milliseconds
	WALSize float64
}

// rareStatement is how many calls an order are too few to be listed.
const rareStatement = 0.01

// listStatements returns the statements of an order, the most frequent first, and below those that triggers run.
// Postgres counts BEGIN, COMMIT and SET once per connection, and takes what a deferred trigger runs for sent.
func (b *bench) listStatements(ctx context.Context, orders int) (string, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT regexp_replace(query, '\s+', ' ', 'g') AS sql, toplevel AS top, sum(calls)::float8 / $1 AS calls, sum(rows)::float8 / $1 AS rows,
			sum(total_exec_time) / $1 AS time, sum(wal_bytes)::float8 / $1 AS wal_size
		FROM public.pg_stat_statements
		GROUP BY 1, 2
		ORDER BY top DESC, calls DESC`, float64(max(orders, 1)))
	if err != nil {
		return "", fmt.Errorf("list statements: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[statement])
	if err != nil {
		return "", fmt.Errorf("list statements: %w", err)
	}
	var w strings.Builder
	w.WriteString("| calls | rows | ms | WAL bytes | sent by | statement |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range all {
		if s.Calls < rareStatement {
			continue
		}
		by := "shop"
		if !s.Top {
			by = "trigger"
		}
		fmt.Fprintf(&w, "| %.3f | %.2f | %.3f | %.0f | %s | `%s` |\n", s.Calls, s.Rows, s.Time, s.WALSize, by, shorten(s.SQL))
	}
	return w.String(), nil
}

// shorten cuts a statement so that it fits in a line.
func shorten(sql string) string {
	const most = 160
	if len(sql) > most {
		sql = sql[:most] + " …"
	}
	return strings.ReplaceAll(strings.TrimSpace(sql), "|", `\|`)
}
