package servegateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/seed"
)

// holder is the environment variable that makes this test program hold connections, so that their two ends are in two
// processes.
const holder = "POPUP_TEST_HOLD"

func TestMain(m *testing.M) {
	if asked := os.Getenv(holder); asked != "" {
		hold(asked)
		return
	}
	os.Exit(m.Run())
}

// hold opens connections and keeps them open until its input ends. Every second one sends a request first.
func hold(asked string) {
	var address string
	var n int
	_, _ = fmt.Sscan(asked, &address, &n)
	kept := make([]net.Conn, 0, n)
	for i := range n {
		c, err := net.Dial("tcp", address)
		if err == nil && i%2 == 1 {
			_, _ = io.WriteString(c, "GET /health HTTP/1.1\r\nHost: shop\r\n\r\n")
			_, err = http.ReadResponse(bufio.NewReader(c), nil)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		kept = append(kept, c)
	}
	fmt.Println("held", len(kept))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// many returns how many idle connections a program may have on this machine, up to ten thousand.
func many(t *testing.T) int {
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if spare := uint64(1500); limit.Cur < 10_000+spare {
		n := int(limit.Cur-min(limit.Cur, spare)) / 2 * 2
		t.Logf("only %d connections: a program may have %d files", n, limit.Cur)
		return n
	}
	return 10_000
}

// keepOpen starts a process that holds connections, and returns a function that ends it.
func keepOpen(t *testing.T, address string, n int) (release func()) {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", holder, address, n))
	in, err := program.StdinPipe()
	require.NoError(t, err)
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("held %d\n", n), line)
	return func() {
		_ = in.Close()
		require.NoError(t, program.Wait())
	}
}

// openShop opens a whole shop as popup run does, in which placed orders stay pending, and returns its address.
func openShop(t *testing.T) (shop *local.Shop, address string) {
	t.Helper()
	settings, err := config.Read[functions.Settings]()
	require.NoError(t, err)
	settings.RateLimit, settings.StockCheckDelay = 0, time.Hour
	log := slog.New(slog.DiscardHandler)
	shop, err = local.Open(t.Context(), local.Options{
		Dir: t.TempDir(), Profile: jetstream.Spec, Connections: 16, Tick: time.Second,
		Postgres: map[string]string{"fsync": "off"}, Out: io.Discard, Log: log,
	})
	require.NoError(t, err)
	t.Cleanup(shop.Close)
	require.NoError(t, seed.Demo(t.Context(), shop.Pool))
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	require.NoError(t, err)
	within := servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})
	require.NoError(t, shop.Start(context.WithoutCancel(t.Context()), functions.All(settings), triggers, local.Gateway{Name: "serve-gateway", Within: within}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- shop.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-served) })
	return shop, l.Addr().String()
}

var statusLine = regexp.MustCompile(`HTTP/1\.1 (\d+) `)

// slowly sends a beginning at once and then a byte per second, until the server closes the connection. It returns the
// statuses of the responses, and how long the connection lasted.
func slowly(t *testing.T, address, begin string) (answer string, took time.Duration) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return "", 0
	}
	defer c.Close()
	began := time.Now()
	_, _ = io.WriteString(c, begin)
	ended := make(chan struct{})
	go func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ended:
				tick.Stop()
				return
			case <-tick.C:
				_, _ = io.WriteString(c, "a")
			}
		}
	}()
	_ = c.SetReadDeadline(began.Add(30 * time.Second))
	text, _ := io.ReadAll(c) // ends with a reset where bytes of ours were on their way
	close(ended)
	var all []string
	for _, found := range statusLine.FindAllSubmatch(text, -1) {
		all = append(all, string(found[1]))
	}
	return strings.Join(all, " "), time.Since(began)
}

// connections counts the goroutines that serve a connection.
func connections(t *testing.T) (n int) {
	t.Helper()
	var all bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&all, 1))
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if found := regexp.MustCompile(`(?m)^(\d+) @`).FindStringSubmatch(stack); found != nil && strings.Contains(stack, "net/http.(*conn).serve") {
			of, err := strconv.Atoi(found[1])
			require.NoError(t, err)
			n += of
		}
	}
	return n
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// attacks are requests that are slow, too large or malformed, with the expected responses.
var attacks = map[string]struct {
	begin  string
	answer string        // the statuses of the responses
	within time.Duration // the connection is closed
}{
	"a head that comes a byte a second":   {"GET /v1/products HTTP/1.1\r\nHost: shop\r\nX-", "400", 11 * time.Second},
	"a first byte and no more":            {"G", "400", 11 * time.Second},
	"a body that comes a byte a second":   {"POST /v1/orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{", "408", 12 * time.Second},
	"a body that the handler ignores":     {"GET /v1/products HTTP/1.1\r\nHost: shop\r\nContent-Length: 5000\r\n\r\n", "200", 13 * time.Second},
	"a body for an unknown route":         {"POST /nothing HTTP/1.1\r\nHost: shop\r\nContent-Length: 5000\r\n\r\n", "404", 13 * time.Second},
	"one and a half pipelined requests":   {"GET /v1/products HTTP/1.1\r\nHost: shop\r\n\r\nGET /v1/products HTTP/1.1\r\nHo", "200 400", 12 * time.Second},
	"a head of 1 MiB":                     {"GET /v1/products HTTP/1.1\r\nHost: shop\r\nX-Long: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "431", 5 * time.Second},
	"a head of 1 MiB in many lines":       {"GET /v1/products HTTP/1.1\r\nHost: shop\r\n" + strings.Repeat("X-Line: a\r\n", 100_000) + "\r\n", "431", 5 * time.Second},
	"a large body with a call at its end": {"POST /v1/orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n" + strings.Repeat(" ", 64<<10+256<<10) + "GET /v1/products HTTP/1.1\r\nHost: shop\r\n\r\n", "413", 5 * time.Second},
	"broken chunks":                       {"POST /v1/orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n{}\r\n", "400", 5 * time.Second},
}

// Idle connections and slow or oversized requests neither delay other callers nor stay open.
func TestSlowClientsDoNotDelayOthers(t *testing.T) { // not parallel: it counts goroutines
	_, address := openShop(t)
	n := many(t)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 15 * time.Second}
	products := func() (took time.Duration) {
		began := time.Now()
		answer, err := client.Get("http://" + address + "/v1/products")
		if err != nil {
			t.Error(err)
			return 0
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("an ordinary request got status %d", answer.StatusCode)
		}
		return time.Since(began)
	}
	products()
	client.CloseIdleConnections()
	require.Eventually(t, func() bool { return connections(t) == 0 }, 5*time.Second, 10*time.Millisecond)
	goroutines, before := runtime.NumGoroutine(), memory()

	release := keepOpen(t, address, n)
	require.Eventually(t, func() bool { return connections(t) >= n }, 5*time.Second, 10*time.Millisecond)
	grown := memory() - min(before, memory())
	t.Logf("%d connections take %d KiB each", n, grown/uint64(n)>>10)
	require.Less(t, grown, uint64(n)*(48<<10))

	var attacking sync.WaitGroup
	for name, a := range attacks {
		for range 20 {
			attacking.Go(func() {
				answer, took := slowly(t, address, a.begin)
				if answer != a.answer || took > a.within+2*time.Second {
					t.Errorf("%s: %q after %s", name, answer, took)
				}
			})
		}
	}
	attacking.Go(func() { waitOut(t, client, address) })
	over := make(chan struct{})
	go func() { attacking.Wait(); close(over) }()
	var asked, slowest atomic.Int64
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-tick.C:
			asked.Add(1)
			slowest.Store(max(slowest.Load(), int64(products())))
			continue
		case <-over:
			tick.Stop()
		}
		break
	}
	t.Logf("%d ordinary calls meanwhile, the slowest in %s", asked.Load(), time.Duration(slowest.Load()))
	require.Less(t, time.Duration(slowest.Load()), 3*time.Second)
	require.Less(t, memory(), before+uint64(n)*(48<<10), "memory does not grow with time")
	client.CloseIdleConnections()
	require.Eventually(t, func() bool { return connections(t) <= n/2 }, 5*time.Second, 50*time.Millisecond, "connections without a request are closed")

	release()
	require.Eventually(t, func() bool { return connections(t) == 0 }, 10*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+10 }, 10*time.Second, 50*time.Millisecond, "no goroutine is left")
}

// waitOut sends a legitimate request that waits for its response as long as allowed.
func waitOut(t *testing.T, client *http.Client, address string) {
	body := `{"lines":[{"sku":"CAP-NAVY","quantity":1}],"payment_method":"simulated","contact":{"name":"Ada","email":"ada@example.test","phone":"+49 40 1234567"},
		"address":{"name":"Ada","phone":"+49 40 1234567","country":"DE","postal_code":"20095","city":"Hamburg","address_line1":"Kai 1"}}`
	request, _ := http.NewRequest(http.MethodPost, "http://"+address+"/v1/orders", strings.NewReader(body))
	request.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {uuid.NewString()}, "Prefer": {"wait=10"}}
	answer, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusAccepted {
		t.Errorf("a request that waits for 10 s got status %d: %s", answer.StatusCode, text)
	}
}

// A malformed body does not open the circuit breaker of a function.
func TestBrokenBodyDoesNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	behind := httptest.NewServer(echo("any"))
	t.Cleanup(behind.Close)
	gateway := apart(t, config.Gateway{Upstream: behind.URL})
	for range 6 {
		status, _ := slowly(t, strings.TrimPrefix(gateway, "http://"), attacks["broken chunks"].begin)
		require.Equal(t, "400", status)
	}
	require.Equal(t, "{}", got(t, http.MethodPost, gateway+"/v1/orders", "{}").Body)
}
