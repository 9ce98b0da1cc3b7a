package function

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statement is one that waits to be sent, and what is done with its row.
type statement struct {
	sql  string
	args []any
	row  func(pgx.Row) error
}

// pipeline is a transaction whose beginning travels with the handler's first statement and whose end is one message, so
// that a handler of one statement costs two round trips. It is the pgx.Tx that handlers get.
type pipeline struct {
	pgx.Tx // nil: what a handler has no business with panics
	conn   *pgxpool.Conn
	head   []statement
	err    error // why the head was refused
}

// begin sends nothing yet.
func begin(conn *pgxpool.Conn, head ...statement) *pipeline {
	return &pipeline{conn: conn, head: append([]statement{{sql: "BEGIN"}}, head...)}
}

func (p *pipeline) Conn() *pgx.Conn { return p.conn.Conn() }

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if p.head == nil {
		return p.conn.Query(ctx, sql, args...)
	}
	results, err := p.send(ctx, statement{sql: sql, args: args})
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

func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if p.head == nil {
		return p.conn.QueryRow(ctx, sql, args...)
	}
	results, err := p.send(ctx, statement{sql: sql, args: args})
	return &lastRow{results: results, err: err}
}

func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if p.head == nil {
		return p.conn.Exec(ctx, sql, args...)
	}
	results, err := p.send(ctx, statement{sql: sql, args: args})
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if err != nil {
		_ = results.Close() // repeats the error of the statement
		return tag, err
	}
	return tag, results.Close()
}

// send sends the head and what follows it in one message, and reads the head's results.
func (p *pipeline) send(ctx context.Context, then ...statement) (pgx.BatchResults, error) {
	batch := &pgx.Batch{}
	for _, s := range append(p.head, then...) {
		batch.Queue(s.sql, s.args...)
	}
	results := p.conn.SendBatch(ctx, batch)
	head := p.head
	p.head = nil
	for _, s := range head {
		if s.row == nil {
			_, p.err = results.Exec()
		} else {
			p.err = s.row(results.QueryRow())
		}
		if p.err != nil {
			_ = results.Close() // repeats the first error
			return nil, p.err
		}
	}
	return results, nil
}

// end sends the last statements and COMMIT in one message. An error leaves the outcome unknown.
func (p *pipeline) end(ctx context.Context, last ...statement) error {
	if p.err != nil {
		return p.err
	}
	last = append(last, statement{sql: "COMMIT"})
	if p.head != nil {
		results, err := p.send(ctx, last...)
		if err != nil {
			return err
		}
		return readAll(results, last)
	}
	batch := &pgx.Batch{}
	for _, s := range last {
		batch.Queue(s.sql, s.args...)
	}
	return readAll(p.conn.SendBatch(ctx, batch), last)
}

func readAll(results pgx.BatchResults, sent []statement) error {
	for i, s := range sent {
		var err error
		var tag pgconn.CommandTag
		if s.row != nil {
			err = s.row(results.QueryRow())
		} else {
			tag, err = results.Exec()
		}
		if err == nil && i == len(sent)-1 && tag.String() != "COMMIT" {
			err = errors.New("the transaction was rolled back")
		}
		if err != nil {
			_ = results.Close()
			return err
		}
	}
	return results.Close()
}

// rollback gives up what was done, if anything was sent. A connection that can't is closed.
func (p *pipeline) rollback() {
	if p.conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), publishEach)
	defer cancel()
	if _, err := p.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = p.conn.Conn().Close(ctx)
	}
}

// lastRows are the rows of the last statement of a batch; closing them closes the batch.
type lastRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

func (r *lastRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *lastRows) Close() {
	r.Rows.Close()
	if r.results != nil {
		r.err = r.results.Close()
		r.results = nil
	}
}

func (r *lastRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

type lastRow struct {
	results pgx.BatchResults
	err     error
}

func (r *lastRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	if err := r.results.QueryRow().Scan(into...); err != nil {
		_ = r.results.Close() // repeats the error of the row
		return err
	}
	return r.results.Close()
}
