package pgbatch_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// countedPool returns a pool with a counter.
func countedPool(t *testing.T) (*pgxpool.Pool, *pgbatch.Counter) {
	t.Helper()
	settings := dbtest.DB(t).Config()
	settings.ConnConfig.Tracer = &pgbatch.Counter{}
	pool, err := pgxpool.NewWithConfig(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool, pgbatch.CounterOf(pool)
}

func TestACounterCountsStatementsAndRoundTrips(t *testing.T) {
	t.Parallel()
	pool, c := countedPool(t)
	var n int
	for what, test := range map[string]struct {
		do                     func() error
		statements, roundTrips int64
	}{
		"a query of the pool": {func() error {
			return pool.QueryRow(t.Context(), `SELECT 1`).Scan(&n)
		}, 1, 1},
		"a query of a reader, with its head": {func() error {
			reader := pgbatch.Reader{Pool: pool, Head: []pgbatch.Statement{{SQL: `SELECT 1`}}}
			return reader.QueryRow(t.Context(), `SELECT 2`).Scan(&n)
		}, 2, 1},
		"a transaction of BEGIN and a query, two queued, COMMIT": {func() error {
			return pgbatch.Transact(t.Context(), pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
				if err := tx.QueryRow(t.Context(), `SELECT 1`).Scan(&n); err != nil {
					return nil, err
				}
				return []pgbatch.Statement{{SQL: `SELECT 2`}}, pgbatch.Enqueue(t.Context(), tx, -1, `SELECT 3`)
			})
		}, 5, 2},
		"a transaction that fails, with its ROLLBACK": {func() error {
			err := pgbatch.Transact(t.Context(), pool, nil, func(tx *pgbatch.Tx) ([]pgbatch.Statement, error) {
				if err := tx.QueryRow(t.Context(), `SELECT 1`).Scan(&n); err != nil {
					return nil, err
				}
				return nil, pgx.ErrNoRows
			})
			require.ErrorIs(t, err, pgx.ErrNoRows)
			return nil
		}, 3, 2},
	} {
		t.Run(what, func(t *testing.T) {
			statements, roundTrips := c.Statements(), c.RoundTrips()
			require.NoError(t, test.do())
			require.Equal(t, test.statements, c.Statements()-statements, "statements")
			require.Equal(t, test.roundTrips, c.RoundTrips()-roundTrips, "round trips")
		})
	}
}

func TestAPoolWithoutACounterCountsNothing(t *testing.T) {
	t.Parallel()
	pool := dbtest.DB(t)
	require.NoError(t, pool.Ping(t.Context()))
	require.Zero(t, pgbatch.CounterOf(pool).Statements())
}
