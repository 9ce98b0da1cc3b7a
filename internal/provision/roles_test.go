package provision_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/provision"
)

// Programs that migrate at the same time wait for each other, whatever the timeouts of their sessions are.
func TestLockIsWaitedForBeyondTheTimeouts(t *testing.T) {
	t.Parallel()
	settings := dbtest.DB(t).Config()
	settings.ConnConfig.RuntimeParams["lock_timeout"] = "20ms"
	settings.ConnConfig.RuntimeParams["statement_timeout"] = "20ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	first, err := pool.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, provision.Lock(t.Context(), first, "x"))
	waited := make(chan error, 1)
	go func() {
		waited <- pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return provision.Lock(t.Context(), tx, "x") })
	}()
	select {
	case err := <-waited:
		t.Fatal("it did not wait", err)
	case <-time.After(200 * time.Millisecond):
	}
	require.NoError(t, first.Rollback(t.Context()))
	require.NoError(t, <-waited)
}
