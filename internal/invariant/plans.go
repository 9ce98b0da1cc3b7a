package invariant

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// smallTable is how many rows a table may have that is read from end to end.
const smallTable = 1000

// Plans answers questions and looks at how: it collects the statements that read a table of more than a few rows from
// end to end.
type Plans struct {
	pool  *pgxpool.Pool
	Seen  int
	Scans []string // table and statement
}

// NewPlans looks at a database.
func NewPlans(pool *pgxpool.Pool) *Plans { return &Plans{pool: pool} }

// Query answers.
func (p *Plans) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := p.explain(ctx, sql, args); err != nil {
		return nil, err
	}
	return p.pool.Query(ctx, sql, args...)
}

// QueryRow answers with one row.
func (p *Plans) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := p.explain(ctx, sql, args); err != nil {
		return failed{err}
	}
	return p.pool.QueryRow(ctx, sql, args...)
}

type failed struct{ error }

func (f failed) Scan(...any) error { return f.error }

// explain asks for the plan that a function gets: one for all values.
func (p *Plans) explain(ctx context.Context, sql string, args []any) error {
	if len(args) == 1 {
		if named, is := args[0].(pgx.NamedArgs); is {
			var err error
			if sql, args, err = named.RewriteQuery(ctx, nil, sql, nil); err != nil {
				return err
			}
		}
	}
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	execute := "EXECUTE looked"
	if len(args) > 0 {
		execute += "(" + strings.TrimPrefix(strings.Repeat(", NULL", len(args)), ", ") + ")"
	}
	var text []byte
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE looked AS "+sql,
			pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+execute,
			pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DEALLOCATE looked")
		return err
	})
	if err != nil {
		return fmt.Errorf("explain %.60s: %w", strings.TrimSpace(sql), err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(text, &plans); err != nil {
		return err
	}
	p.Seen++
	return p.walk(ctx, plans[0].Plan, sql)
}

type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []node
}

func (p *Plans) walk(ctx context.Context, n node, sql string) error {
	if n.Type == "Seq Scan" {
		var rows float64
		if err := p.pool.QueryRow(ctx, `SELECT max(reltuples) FROM pg_class WHERE relname = $1`,
			n.Relation).Scan(&rows); err != nil {
			return err
		}
		if rows > smallTable {
			p.Scans = append(p.Scans, n.Relation+": "+strings.Join(strings.Fields(sql), " "))
		}
	}
	for _, below := range n.Plans {
		if err := p.walk(ctx, below, sql); err != nil {
			return err
		}
	}
	return nil
}
