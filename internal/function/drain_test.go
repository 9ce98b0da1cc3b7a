package function_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// child makes this test program one that runs the function under test, as the shop's programs do.
const child = "POPUP_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		function.Main(handling(works))
		return
	}
	os.Exit(m.Run())
}

// start runs the function under test as a program of its own.
func start(t *testing.T, shop *shoptest.Shop) (url string, program *exec.Cmd) {
	t.Helper()
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request,
	) {
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(sink.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	program = exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), child+"=1", "DATABASE_URL="+shop.URL, "K_SINK="+sink.URL, "SERVER_HOST=127.0.0.1",
		"PORT="+port, "LOG_LEVEL=error")
	program.Stdout, program.Stderr = os.Stderr, os.Stderr
	require.NoError(t, program.Start())
	t.Cleanup(func() { _ = program.Process.Kill() }) // it may have ended
	require.Eventually(t, func() bool { return probe("http://"+address) == http.StatusOK }, 20*time.Second,
		10*time.Millisecond)
	return "http://" + address, program
}

// probe asks for health as the kubelet does; 0 is no answer.
func probe(url string) int {
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/health", nil)
	r.Header.Set("User-Agent", "kube-probe/1.33")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = a.Body.Close()
	return a.StatusCode
}

func TestAProgramThatIsStoppedFinishesItsRequests(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	url, program := start(t, shop)
	inHand, late := shop.Store(t, told()), shop.Store(t, told())
	holder := begin(t, shop) // the handling waits for the table
	_, err := holder.Exec(t.Context(), `LOCK TABLE test.effects`)
	require.NoError(t, err)
	answered := make(chan int, 1)
	go func() {
		status, _, _ := post(t, url, inHand.Data, binary(inHand)...)
		answered <- status
	}()
	require.Eventually(t, func() bool {
		return shoptest.Scalar[bool](t, shop, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'test.effects'::regclass)`)
	}, 10*time.Second, time.Millisecond)

	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return probe(url) == http.StatusServiceUnavailable }, 5*time.Second,
		time.Millisecond, "nobody sends it more")
	require.Empty(t, answered)
	require.NoError(t, holder.Rollback(t.Context()))
	require.Equal(t, http.StatusOK, <-answered)
	status, _, _ := post(t, url, late.Data, binary(late)...)
	require.Equal(t, http.StatusOK, status, "what was on its way is still taken")

	require.NoError(t, program.Wait(), "it ends as one that has done its work")
	require.EqualValues(t, 2, count(t, shop, "test.effects"))
	require.Zero(t, probe(url))
}
