package shoptest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
)

// OpenPool opens a pool as functions do, and closes it with the test.
func OpenPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := config.Database{URL: url, Pool: 4}.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// CountOf asks a database for a number.
func CountOf(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}
