package function

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Scope is the statement that whatever is done for a caller begins with: it says who calls, so that the database shows only
// what is theirs. Its row is looked at before anything else: an error ends all that follows. The zero value is no scope.
type Scope struct {
	SQL  string
	Args []any
	Row  func(pgx.Row) error
}

func (s Scope) head() []statement {
	if s.SQL == "" {
		return nil
	}
	return []statement{{sql: s.SQL, args: s.Args, row: s.Row}}
}

// View reads for a caller. Each question is a transaction of its own, in one round trip with its scope.
type View struct {
	pool  *pgxpool.Pool
	scope Scope
}

// View is how a caller sees the database.
func (rt *Runtime) View(scope Scope) View { return View{rt.Pool, scope} }

// Query asks for rows.
func (v View) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := v.send(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // repeats the error of the statement
		return nil, err
	}
	return &lastRows{Rows: rows, results: results}, nil
}

// QueryRow asks for a row.
func (v View) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := v.send(ctx, sql, args)
	return &lastRow{results: results, err: err}
}

// send sends scope and question in one message, which Postgres takes for one transaction, and reads the scope's row.
func (v View) send(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	conn, err := acquire(ctx, v.pool)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	for _, s := range v.scope.head() {
		batch.Queue(s.sql, s.args...)
	}
	sql, args = positional(sql, args)
	batch.Queue(sql, args...)
	results := &released{conn.SendBatch(ctx, batch), conn}
	for _, s := range v.scope.head() {
		if _, err := s.read(results); err != nil {
			_ = results.Close() // repeats the error of the scope
			return nil, err
		}
	}
	return results, nil
}

// released gives the connection back when the batch is closed.
type released struct {
	pgx.BatchResults
	conn *pgxpool.Conn
}

func (r *released) Close() error {
	err := r.BatchResults.Close()
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
	return err
}
