package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// quick turns off what only a power cut needs.
var quick = map[string]string{"fsync": "off"}

// folder returns a folder that any user may reach, which t.TempDir is not.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "popup-test-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o711))
	return dir
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Settings == nil {
		o.Settings = quick
	}
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func query[T any](t *testing.T, s *Server, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), sql)
	require.NoError(t, err)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return value
}

// write stores a row and returns how many there are.
func write(t *testing.T, s *Server) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS kept (at timestamptz NOT NULL DEFAULT now())`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO kept DEFAULT VALUES`)
	require.NoError(t, err)
	return query[int](t, s, `SELECT count(*) FROM kept`)
}

func TestClusterKeepsItsDataUnlessFresh(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, Options{Dir: dir})
	require.Equal(t, 1, write(t, first))
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()), "stopping again does nothing")
	require.Error(t, first.Restart(t.Context()), "a stopped server stays stopped")

	second := start(t, Options{Dir: dir})
	require.Equal(t, 2, write(t, second))
	require.NoError(t, second.Stop(t.Context()))

	third := start(t, Options{Dir: dir, Fresh: true})
	require.Equal(t, 1, write(t, third))
}

func TestClusterSurvivesKillAndRestart(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: folder(t)})
	url := s.URL()
	require.Equal(t, 1, write(t, s))

	require.NoError(t, s.Kill())
	require.Zero(t, s.Pid())
	_, err := s.CPUTime()
	require.Error(t, err)
	require.NoError(t, s.Restart(t.Context()))
	require.Equal(t, url, s.URL())
	require.Equal(t, 2, write(t, s))

	before := s.Pid()
	require.NoError(t, s.Restart(t.Context()))
	require.NotEqual(t, before, s.Pid())
	require.Equal(t, 3, write(t, s))
}

// C1: what has killed the first process of the cluster does not end the shop.
func TestClusterThatIsKilledFromOutsideIsRestarted(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: folder(t)})
	require.Equal(t, 1, write(t, s))
	for round := range 2 {
		killed := s.Pid()
		require.NoError(t, syscall.Kill(killed, syscall.SIGKILL))
		require.Eventually(t, func() bool { return s.Pid() != 0 && s.Pid() != killed }, 20*time.Second, 20*time.Millisecond)
		require.Equal(t, round+2, write(t, s))
	}
	require.Empty(t, s.Lost())
}

// C1
func TestClusterThatCannotBeRestartedIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: folder(t)})
	s.settings["shared_buffers"] = "nonsense"
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGKILL))
	select {
	case err := <-s.Lost():
		require.ErrorContains(t, err, "postgres ended by itself")
	case <-time.After(restartIn + 20*time.Second):
		t.Fatal("nothing is reported")
	}
}

// C4: a damaged page is an error and not the truth.
func TestClusterHasChecksums(t *testing.T) {
	t.Parallel()
	require.Equal(t, "on", query[string](t, start(t, Options{Dir: folder(t)}), `SHOW data_checksums`))
}

func TestSettingsOverrideDefaults(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: folder(t), Settings: map[string]string{"max_connections": "17"}})
	require.Equal(t, "17", query[string](t, s, `SHOW max_connections`))
	require.Equal(t, "on", query[string](t, s, `SHOW fsync`))
	require.Equal(t, "UTF8", query[string](t, s, `SHOW server_encoding`))
	require.Equal(t, "", query[string](t, s, `SHOW listen_addresses`))
}

func TestCPUTimeGrowsWithWork(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: folder(t)})
	before, err := s.CPUTime()
	require.NoError(t, err)
	query[int](t, s, `SELECT count(*) FROM generate_series(1, 1000000)`)
	after, err := s.CPUTime()
	require.NoError(t, err)
	require.Greater(t, after, before, "time of a session that has ended counts")
}

func TestFolderInUseIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Options{Dir: dir})
	_, err := Start(t.Context(), Options{Dir: dir, Fresh: true})
	require.ErrorContains(t, err, "another process is using it")
	require.Equal(t, 1, write(t, s))
}

func TestLongFolderWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("long/", 40), "with 'quotes' and spaces")
	require.Equal(t, 1, write(t, start(t, Options{Dir: dir})))
}

func TestFolderOnlyRootReachesIsServedFromElsewhere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}
	dir := filepath.Join(folder(t), "secret")
	require.NoError(t, os.Mkdir(dir, 0o700))
	s := start(t, Options{Dir: dir})
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(s.home.data)) })
	require.True(t, strings.HasPrefix(s.home.data, stateRoot))
	require.Equal(t, 1, write(t, s))
	require.NoError(t, s.Stop(t.Context()))

	s = start(t, Options{Dir: dir})
	require.Equal(t, 2, write(t, s))
	require.NoError(t, s.Stop(t.Context()))

	require.NoError(t, os.RemoveAll(dir))
	require.Equal(t, 1, write(t, start(t, Options{Dir: dir})), "removing the folder starts over")
}

func TestBadSettingEndsTheStartWithTheLog(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Dir: folder(t), Settings: map[string]string{"fsync": "off", "work_mem": "much"}})
	require.ErrorContains(t, err, `invalid value for parameter "work_mem"`)
}

func TestMissingBinariesNameThePackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("PG_BIN", "")
	_, err := findBinariesBelow(t.TempDir())
	require.ErrorContains(t, err, "apt-get install postgresql postgresql-contrib")
}

func TestNewestInstalledVersionIsTaken(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	t.Setenv("PG_BIN", "")
	for _, version := range []string{"9.6", "15", "17", "local"} {
		bin := filepath.Join(root, version, "bin")
		require.NoError(t, os.MkdirAll(bin, 0o755))
		for _, name := range []string{"initdb", "postgres"} {
			require.NoError(t, os.WriteFile(filepath.Join(bin, name), nil, 0o755))
		}
	}
	b, err := findBinariesBelow(root)
	require.NoError(t, err)
	require.Equal(t, "17", filepath.Base(filepath.Dir(filepath.Dir(b.postgres))))
}

// doomed is the environment variable that makes the test binary start a cluster and wait to be killed.
const doomed = "POPUP_TEST_DOOMED"

// startDoomed starts a cluster in another process and returns that process and the cluster's.
func startDoomed(t *testing.T, dir string) (parent *os.Process, pid int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDoomed$")
	cmd.Env = append(os.Environ(), doomed+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	return cmd.Process, pid
}

// TestDoomed is the other process.
func TestDoomed(t *testing.T) {
	dir := os.Getenv(doomed)
	if dir == "" {
		t.Skip("runs only as the process that is killed")
	}
	s := start(t, Options{Dir: dir})
	write(t, s)
	fmt.Println(s.Pid())
	select {}
}

func TestClusterEndsWithAKilledParent(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	parent, pid := startDoomed(t, dir)
	require.NoError(t, parent.Kill())
	require.Eventually(t, func() bool { return !runsOn(pid, filepath.Join(dir, "data")) },
		10*time.Second, 5*time.Millisecond)
	require.Equal(t, 2, write(t, start(t, Options{Dir: dir})))
}

func TestLeftOverOfAKilledParentIsStopped(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	parent, pid := startDoomed(t, dir)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP), "it cannot follow its parent yet")
	require.NoError(t, parent.Kill())
	go func() {
		time.Sleep(100 * time.Millisecond) // the start below waits for it meanwhile
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}()
	s := start(t, Options{Dir: dir})
	require.NotEqual(t, pid, s.Pid())
	require.Equal(t, 2, write(t, s))
}

func TestStalePidFileOfAnotherProgramIsForgotten(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, Options{Dir: dir})
	require.NoError(t, s.Stop(t.Context()))
	stale := fmt.Sprintf("%d\n%s\n", os.Getpid(), filepath.Join(dir, "data"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600))
	require.Equal(t, 1, write(t, start(t, Options{Dir: dir})))
}
