package pgbatch

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Reader runs each query in a transaction of its own that starts with a head, in one round trip.
type Reader struct {
	Pool *pgxpool.Pool
	Head []Statement
}

// Query returns the rows of a query.
func (r Reader) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := r.send(ctx, Statement{SQL: sql, Args: args})
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

// QueryRow returns the row of a query.
func (r Reader) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := r.send(ctx, Statement{SQL: sql, Args: args})
	return &lastRow{results: results, err: err}
}

// send sends the head and a query in one message, which Postgres executes as one transaction, and reads the head's
// rows.
func (r Reader) send(ctx context.Context, query Statement) (pgx.BatchResults, error) {
	conn, err := Acquire(ctx, r.Pool)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	for _, s := range r.Head {
		s.addTo(batch)
	}
	query.positional().addTo(batch)
	results := &releasing{conn.SendBatch(ctx, batch), conn}
	for _, s := range r.Head {
		if err := s.read(results); err != nil {
			_ = results.Close() // repeats the error of the head
			return nil, err
		}
	}
	return results, nil
}

// releasing releases the connection when the batch is closed.
type releasing struct {
	pgx.BatchResults
	conn *pgxpool.Conn
}

// Close closes the batch and releases its connection.
func (r *releasing) Close() error {
	err := r.BatchResults.Close()
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
	return err
}
