package dbtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const tables = `SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`

func TestDatabasesAreMigratedAndApart(t *testing.T) {
	t.Parallel()
	one, other := DB(t), DB(t)
	_, err := one.Exec(t.Context(), `CREATE TABLE only_here (id int)`)
	require.NoError(t, err)

	var here, there int
	require.NoError(t, one.QueryRow(t.Context(), tables).Scan(&here))
	require.NoError(t, other.QueryRow(t.Context(), tables).Scan(&there))
	require.Equal(t, there+1, here)
	require.Greater(t, there, 1, "goose's own table is not all")
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) {
		url = URL(t)
		conn, err := pgx.Connect(t.Context(), url) // still connected when the test ends
		require.NoError(t, err)
		require.NoError(t, conn.Ping(t.Context()))
	})
	_, err := pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "does not exist")
}

func TestTransactionIsRolledBackWithItsTest(t *testing.T) {
	t.Parallel()
	for range 2 {
		t.Run("inner", func(t *testing.T) {
			_, err := Tx(t).Exec(t.Context(), `CREATE TABLE gone_again (id int)`)
			require.NoError(t, err)
		})
	}
}

func TestServerKeepsWhatWasCommittedWhenKilled(t *testing.T) {
	t.Parallel()
	s := Server(t)
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `CREATE TABLE kept (id int)`)
	require.NoError(t, err)
	require.NoError(t, s.Kill())
	require.Error(t, conn.Ping(t.Context()))

	require.NoError(t, s.Restart(t.Context()))
	conn, err = pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `SELECT FROM kept`)
	require.NoError(t, err)
}

func TestSweepRemovesOnlyOldUnlockedFolders(t *testing.T) {
	old := time.Now().Add(-time.Hour)
	t.Setenv("TMPDIR", t.TempDir())
	dead, young := mustMake(t), mustMake(t)
	require.NoError(t, os.WriteFile(filepath.Join(dead, "lock"), nil, 0o600))
	require.NoError(t, os.Chtimes(dead, old, old))

	sweep()
	require.NoDirExists(t, dead)
	require.DirExists(t, young)
}

func TestSweepSparesARunningCluster(t *testing.T) {
	t.Parallel()
	dir := mustMake(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	hold, err := os.Create(filepath.Join(dir, "lock"))
	require.NoError(t, err)
	defer hold.Close()
	require.NoError(t, flock(hold))
	require.False(t, abandoned(dir))
}

func mustMake(t *testing.T) string {
	t.Helper()
	dir, err := makeDir()
	require.NoError(t, err)
	return dir
}

func BenchmarkDB(b *testing.B) {
	Tx(b) // starts Postgres
	for b.Loop() {
		URL(b)
	}
}

func BenchmarkTx(b *testing.B) {
	Tx(b) // starts Postgres
	for b.Loop() {
		require.NoError(b, Tx(b).Rollback(b.Context()))
	}
}
