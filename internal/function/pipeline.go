package function

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statement is one that waits to be sent, and what is done with its row or with the number of rows it changed.
type statement struct {
	sql  string
	args []any
	row  func(pgx.Row) error
	tag  func(pgconn.CommandTag) error
}

// pipeline is the pgx.Tx that handlers get: a transaction that sends what need not be answered at once together with what
// comes next. Its beginning travels with the handler's first question and its end with the handler's last words, so a
// handler that asks one question costs two round trips, and so does one that asks none.
type pipeline struct {
	pgx.Tx  // nil: what a handler has no business with panics
	link    link
	waiting []statement
	err     error // of a statement that waited: the transaction is lost, whatever the handler makes of it
}

// link is what a pipeline sends over: a connection, or a company's.
type link interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// begin sends nothing yet.
func begin(conn *pgxpool.Conn, head ...statement) *pipeline {
	return &pipeline{link: conn, waiting: append([]statement{{sql: "BEGIN"}}, head...)}
}

// Queue sends a statement whose result no decision needs: with the next question or with COMMIT. When it fails, so does
// the transaction. It must change as many rows as rows says, or any number if that is negative.
func Queue(ctx context.Context, tx pgx.Tx, rows int64, sql string, args ...any) error {
	changed := func(tag pgconn.CommandTag) error {
		if rows >= 0 && tag.RowsAffected() != rows {
			return fmt.Errorf("%d rows instead of %d", tag.RowsAffected(), rows)
		}
		return nil
	}
	if p, is := tx.(*pipeline); is {
		sql, args = positional(sql, args)
		s := statement{sql: sql, args: args}
		if rows >= 0 {
			s.tag = changed
		}
		p.waiting = append(p.waiting, s)
		return nil
	}
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	return changed(tag)
}

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	sql, args = positional(sql, args)
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
	sql, args = positional(sql, args)
	results, err := p.send(ctx, statement{sql: sql, args: args})
	return &lastRow{results: results, err: err}
}

func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	sql, args = positional(sql, args)
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

func (p *pipeline) send(ctx context.Context, then ...statement) (pgx.BatchResults, error) {
	return p.sendBatch(ctx, batchOf(then))
}

func batchOf(statements []statement) *pgx.Batch {
	batch := &pgx.Batch{}
	for _, s := range statements {
		batch.Queue(s.sql, s.args...)
	}
	return batch
}

// sendBatch sends what waits and what follows it in one message, and reads the results of what waited.
func (p *pipeline) sendBatch(ctx context.Context, then *pgx.Batch) (pgx.BatchResults, error) {
	waited := p.waiting
	p.waiting = nil
	batch := batchOf(waited)
	batch.QueuedQueries = append(batch.QueuedQueries, then.QueuedQueries...)
	results := p.link.SendBatch(ctx, batch)
	for _, s := range waited {
		if _, p.err = s.read(results); p.err != nil {
			_ = results.Close() // repeats the first error
			return nil, p.err
		}
	}
	return results, nil
}

// refusable says that a statement can be refused by us alone: the database would go on to COMMIT.
func (s statement) refusable() bool { return s.row != nil || s.tag != nil }

// flush sends what waits, if anything does, to learn whether it is refused.
func (p *pipeline) flush(ctx context.Context) {
	if len(p.waiting) == 0 {
		return
	}
	if results, err := p.send(ctx); err == nil {
		p.err = results.Close()
	}
}

// end sends the last statements and COMMIT in one message, once nothing that waits can be refused any more. An error leaves
// the outcome unknown.
func (p *pipeline) end(ctx context.Context, last ...statement) error {
	if p.err != nil {
		return p.err
	}
	if slices.ContainsFunc(p.waiting, statement.refusable) {
		if p.flush(ctx); p.err != nil {
			return p.err
		}
	}
	p.waiting = append(p.waiting, last...)
	results, err := p.send(ctx, statement{sql: "COMMIT"})
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("the transaction was rolled back")
	}
	if err != nil {
		_ = results.Close() // repeats the error of the statement
		return err
	}
	return results.Close()
}

func (s statement) read(results pgx.BatchResults) (tag pgconn.CommandTag, err error) {
	if s.row != nil {
		return tag, s.row(results.QueryRow())
	}
	if tag, err = results.Exec(); err == nil && s.tag != nil {
		err = s.tag(tag)
	}
	return tag, err
}

// rollback gives up what was done on a connection, if anything was sent. A connection that can't is closed.
func rollback(conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), publishEach)
	defer cancel()
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Conn().Close(ctx)
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

// numbered is a statement whose named arguments were numbered.
type numbered struct {
	sql   string
	names []string
}

// known are the statements of the program: the library would read each one's text again at every call.
var known sync.Map

// positional numbers named arguments. What has none, or what the library will complain about, is left to the library.
func positional(sql string, args []any) (string, []any) {
	if len(args) != 1 {
		return sql, args
	}
	named, is := args[0].(pgx.NamedArgs)
	if !is {
		return sql, args
	}
	found, is := known.Load(sql)
	if !is {
		asked := make(pgx.NamedArgs, len(named))
		for name := range named {
			asked[name] = name
		}
		text, names, err := asked.RewriteQuery(context.Background(), nil, sql, nil)
		if err != nil {
			return sql, args
		}
		n := numbered{sql: text}
		for _, name := range names {
			text, _ := name.(string) // a name that was not given stays empty, and its argument NULL
			n.names = append(n.names, text)
		}
		known.Store(sql, n)
		found = n
	}
	n := found.(numbered)
	values := make([]any, len(n.names))
	for i, name := range n.names {
		values[i] = named[name]
	}
	return n.sql, values
}
