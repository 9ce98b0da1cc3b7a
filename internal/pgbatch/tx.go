// Package pgbatch saves round trips to Postgres. A Tx sends a statement whose result is not needed yet together with
// the next one that is: BEGIN and the head of a transaction travel with its first query, queued writes and the tail
// with COMMIT. A Batcher collects jobs while the batch before them runs, so that they share one transaction.
//
//	tx := pgbatch.Begin(conn)
//	_ = pgbatch.Enqueue(ctx, tx, 1, `UPDATE accounts SET ...`)   // sends nothing
//	row := tx.QueryRow(ctx, `SELECT ...`)                        // sends BEGIN, UPDATE and SELECT at once
//	err := tx.Commit(ctx)
package pgbatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTimeout bounds a ROLLBACK; a connection that takes longer is closed.
const rollbackTimeout = time.Second

// Statement is a statement that waits to be sent. Row reads its one row, Rows all of them, and Tag checks how many rows
// it changed; at most one of the three is set.
type Statement struct {
	SQL  string
	Args []any
	Row  func(pgx.Row) error
	Rows func(pgx.Rows) error
	Tag  func(pgconn.CommandTag) error
}

// Tx is a transaction that handlers use like any pgx.Tx. It can query and execute; begin, commit and rollback are its
// owner's.
type Tx struct {
	pgx.Tx // nil: the methods that handlers have no use for panic
	conn   *pgxpool.Conn
	queued []Statement
	err    error // of a queued statement: the transaction has failed, whatever the handler returns
}

// Begin returns a transaction that starts with head. It sends nothing yet.
func Begin(conn *pgxpool.Conn, head ...Statement) *Tx {
	return &Tx{conn: conn, queued: append([]Statement{{SQL: "BEGIN"}}, head...)}
}

// Enqueue adds a statement whose result no decision needs; it is sent with the next query or with COMMIT. The
// transaction fails when the statement does, or when it changes another number of rows than rows, unless that is
// negative.
func Enqueue(ctx context.Context, tx pgx.Tx, rows int64, sql string, args ...any) error {
	changed := func(tag pgconn.CommandTag) error {
		if rows >= 0 && tag.RowsAffected() != rows {
			return fmt.Errorf("%d rows changed instead of %d", tag.RowsAffected(), rows)
		}
		return nil
	}
	queue, ok := tx.(*Tx)
	if !ok {
		tag, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return err
		}
		return changed(tag)
	}
	s := Statement{SQL: sql, Args: args}
	if rows >= 0 {
		s.Tag = changed
	}
	queue.queued = append(queue.queued, s.positional())
	return nil
}

// Query returns the rows of a query, after everything queued has been executed.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := tx.send(ctx, Statement{SQL: sql, Args: args})
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // repeats the error of the query
		return nil, err
	}
	return &lastRows{Rows: rows, results: results}, nil
}

// QueryRow returns the row of a query, after everything queued has been executed.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := tx.send(ctx, Statement{SQL: sql, Args: args})
	return &lastRow{results: results, err: err}
}

// Exec executes a statement, after everything queued.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	results, err := tx.send(ctx, Statement{SQL: sql, Args: args})
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

// Flush executes everything queued.
func (tx *Tx) Flush(ctx context.Context) error {
	if tx.err != nil || len(tx.queued) == 0 {
		return tx.err
	}
	results, err := tx.send(ctx)
	if err == nil {
		tx.err = results.Close()
	}
	return tx.err
}

// CommitWith executes everything queued, the tail and COMMIT in one message. What a row or a tag can refuse is executed
// before, since the database would go on to COMMIT. After an error the outcome is unknown.
func (tx *Tx) CommitWith(ctx context.Context, tail ...Statement) error {
	if slices.ContainsFunc(tx.queued, Statement.checked) {
		_ = tx.Flush(ctx) // kept in tx.err
	}
	if tx.err != nil {
		return tx.err
	}
	tx.queued = append(tx.queued, tail...)
	results, err := tx.send(ctx, Statement{SQL: "COMMIT"})
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

// Rollback ends what was started on a connection, if anything was sent. A connection that can't be rolled back is
// closed.
func Rollback(conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = conn.Conn().Close(ctx)
	}
}

// send sends everything queued and what follows it in one message, and reads the results of what was queued.
func (tx *Tx) send(ctx context.Context, then ...Statement) (pgx.BatchResults, error) {
	queued := tx.queued
	tx.queued = nil
	batch := &pgx.Batch{}
	for _, s := range queued {
		s.addTo(batch)
	}
	for _, s := range then {
		s.positional().addTo(batch)
	}
	results := tx.conn.SendBatch(ctx, batch)
	for _, s := range queued {
		if tx.err = s.read(results); tx.err != nil {
			_ = results.Close() // repeats the first error
			return nil, tx.err
		}
	}
	return results, nil
}

func (s Statement) addTo(batch *pgx.Batch) { batch.Queue(s.SQL, s.Args...) }

// checked reports whether our code decides if the statement succeeded.
func (s Statement) checked() bool { return s.Row != nil || s.Rows != nil || s.Tag != nil }

func (s Statement) read(results pgx.BatchResults) error {
	switch {
	case s.Row != nil:
		return s.Row(results.QueryRow())
	case s.Rows != nil:
		rows, err := results.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		return s.Rows(rows)
	}
	tag, err := results.Exec()
	if err == nil && s.Tag != nil {
		err = s.Tag(tag)
	}
	return err
}
