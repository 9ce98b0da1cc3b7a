package pgbatch

import "github.com/jackc/pgx/v5"

// lastRows are the rows of the last statement of a batch; closing them closes the batch.
type lastRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

// Next reports whether there is another row.
func (r *lastRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close closes the rows and the batch.
func (r *lastRows) Close() {
	r.Rows.Close()
	if r.results != nil {
		r.err = r.results.Close()
		r.results = nil
	}
}

// Err returns the error of the rows or of the batch.
func (r *lastRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// lastRow is the row of the last statement of a batch; reading it closes the batch.
type lastRow struct {
	results pgx.BatchResults
	err     error
}

// Scan reads the row.
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
