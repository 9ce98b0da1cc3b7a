package local_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/local/postgres"
)

const pgbouncer = "/usr/sbin/pgbouncer"

// startPgbouncer starts a pgbouncer in transaction mode before a server, with fewer connections than the shop has, and returns its
// address.
func startPgbouncer(t *testing.T, server *postgres.Server) string {
	t.Helper()
	require.FileExists(t, pgbouncer, "make needs installs it")
	to, err := url.Parse(server.URL())
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "popup-pgbouncer")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	var users strings.Builder
	for _, f := range functions.All(functions.Settings{}) {
		fmt.Fprintf(&users, "%q \"\"\n", f.Name)
	}
	fmt.Fprintf(&users, "%q \"\"\n", postgres.Superuser)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "users"), []byte(users.String()), 0o644))
	settings := fmt.Sprintf(`
[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
`, to.Query().Get("host"), to.Query().Get("port"), port, filepath.Join(dir, "users"))
	file := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o644))
	command := exec.Command(pgbouncer, file)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: postgresUser(t)}
	var log bytes.Buffer
	command.Stderr = &log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "pgbouncer listens")
	return address
}

// postgresUser is who a private Postgres runs as: root may not run it, nor pgbouncer.
func postgresUser(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	require.NoError(t, err)
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// C8: orders are completed through a pooler in transaction mode, with more connections of functions than of Postgres.
func TestOrdersAreCompletedThroughAPoolerInTransactionMode(t *testing.T) {
	var address string
	s := open(t, func(o *local.Options, _ *functions.Settings) {
		o.Pooler = func(server *postgres.Server) string {
			address = startPgbouncer(t, server)
			return "postgres://" + postgres.Superuser + "@" + address + "/" + postgres.Superuser
		}
	})
	s.sell(40, 16)
	s.settle(time.Minute)
	s.check()
	require.Positive(t, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`))

	pool, err := config.Database{
		URL: "postgres://reserve-stock@" + address + "/" + postgres.Superuser, Pool: 1, Pooler: config.PoolerTransaction,
	}.Open(t.Context())
	require.NoError(t, err)
	defer pool.Close()
	for name, value := range config.Session() {
		if name == "application_name" { // the client's own
			continue
		}
		var set string
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&set))
		require.Equal(t, value, set, name)
	}
}

// Without DB_POOLER such a pooler refuses the first connection: no transaction runs without its timeouts.
func TestAPoolerThatIsNotDeclaredIsRefused(t *testing.T) {
	s := open(t)
	pool, err := config.Database{URL: "postgres://reserve-stock@" + startPgbouncer(t, s.Postgres) + "/" + postgres.Superuser, Pool: 1}.Open(t.Context())
	require.NoError(t, err)
	defer pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.ErrorContains(t, pgx.BeginFunc(ctx, pool, func(pgx.Tx) error { return nil }), "unsupported startup parameter")
}
