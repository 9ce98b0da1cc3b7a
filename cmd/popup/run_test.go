package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// build builds programs once for all tests of the package.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "popup-test-bin-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, "../...").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := build(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// program is `popup run` in a process of its own.
type program struct {
	t     *testing.T
	dir   string
	bin   string
	url   string
	flags []string
	env   []string // settings, beside those of every test
	cmd   *exec.Cmd
	log   bytes.Buffer
}

func newProgram(t *testing.T, flags ...string) *program {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	p := &program{
		t: t, dir: dir, bin: bin, url: "http://" + address,
		flags: append([]string{"run", "--dir", dir, "--listen", address}, flags...),
	}
	t.Cleanup(p.stop)
	return p
}

// start starts it and waits until it answers.
func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(filepath.Join(p.bin, "popup"), p.flags...)
	p.cmd.Env = slices.Concat(os.Environ(), []string{"SIMULATED_SUCCESS=1", "RATE_LIMIT=0", "MAILS_PER_DAY=0"}, p.env)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	require.NoError(p.t, p.cmd.Start())
	require.Eventually(p.t, func() bool {
		_, err := p.shop().ListProducts(p.t.Context(), client.ListProductsQuery{})
		return err == nil
	}, time.Minute, 20*time.Millisecond, "the shop did not open: %s", &p.log)
}

func (p *program) stop() {
	if p.cmd != nil && p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	}
}

// kill ends it as a power cut would end a process.
func (p *program) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// popup runs another command of the program on the same shop.
func (p *program) popup(args ...string) (string, error) {
	out, err := exec.Command(filepath.Join(p.bin, "popup"), append(args, "--dir", p.dir)...).CombinedOutput()
	return string(out), err
}

// shop calls it once for each call.
func (p *program) shop() *client.Client { return client.New(p.url, client.Patience(0)) }

// order posts an order and returns its id, "" when it was not answered with one.
func (p *program) order(key string, wait time.Duration) string {
	placed, _ := p.shop().PlaceOrder(p.t.Context(), cup(), client.Key(key), client.Wait(wait))
	return placed.ID
}

// cup is an order of one cup.
func cup() client.PlaceOrderRequest {
	return client.PlaceOrderRequest{
		Lines: []client.Item{{SKU: "MUG-ENAMEL", Quantity: 1}}, PaymentMethod: "simulated",
		Address: &client.Address{
			Name: "Ada", Phone: "+49 40 123456", Country: "DE", PostalCode: "20457", City: "Hamburg", AddressLine1: "Kai 1",
		},
		Contact: &client.Contact{Name: "Ada", Email: "ada@example.com", Phone: "+49 40 123456"},
	}
}

// completed waits until an order has come to its end.
func (p *program) completed(id string, within time.Duration) {
	p.t.Helper()
	var out string
	require.Eventually(p.t, func() bool {
		var err error
		out, err = p.popup("events", "--order", id)
		return err == nil && strings.Contains(out, "order.completed")
	}, within, 300*time.Millisecond, "order %s did not come to its end\n%s\n%s", id, &out, &p.log)
}

// ORD-10, ORD-28.
func TestKilledTenTimesInMidFlowTheShopLosesNothing(t *testing.T) {
	p := newProgram(t)
	answered := map[string]string{}
	for round := range 10 {
		p.start()
		var mu sync.Mutex
		var customers sync.WaitGroup
		for c := range 4 {
			customers.Go(func() {
				for i := range 10 { // there are 500 pieces: none is refused
					key := fmt.Sprintf("%d-%d-%d", round, c, i)
					id := p.order(key, 0)
					if id == "" {
						return // killed
					}
					mu.Lock()
					answered[key] = id
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(100+40*round) * time.Millisecond)
		p.kill()
		customers.Wait()
	}
	p.start()
	require.NotEmpty(t, answered)
	t.Logf("%d orders were answered", len(answered))
	seen := map[string]bool{}
	for key, id := range answered {
		require.False(t, seen[id], "order %s twice", id)
		seen[id] = true
		require.Equal(t, id, p.order(key, 0), "the same key gives the same order")
		p.completed(id, 90*time.Second)
	}
	out, err := p.popup("check", "--rebuild")
	require.NoError(t, err, out)
}

func TestProgramsApartStartAndStopAndLeaveTheSameTrace(t *testing.T) {
	together, apart := newProgram(t), newProgram(t, "--processes", "--idle", "3s")
	apart.flags = append(apart.flags, "--bin", apart.bin)
	var traces []string
	for _, p := range []*program{together, apart} {
		p.start()
		id := p.order("one", 10*time.Second)
		require.NotEmpty(t, id, "%s", &p.log)
		p.completed(id, 90*time.Second)
		require.Eventually(t, func() bool {
			answer, err := http.Get(p.url + "/mailbox.json")
			if err != nil {
				return false
			}
			defer answer.Body.Close()
			var mails []struct{ Text string }
			return json.NewDecoder(answer.Body).Decode(&mails) == nil && len(mails) == 2 && strings.Contains(mails[0].Text, p.url+"/o/")
		}, 30*time.Second, 100*time.Millisecond, "two mails that lead to the shop")
		out, err := p.popup("check", "--rebuild")
		require.NoError(t, err, out)
		traces = append(traces, p.trace(id))
	}
	require.Equal(t, traces[0], traces[1])
	require.Eventually(t, func() bool { return apart.children() == 1 }, 2*time.Minute, 500*time.Millisecond,
		"only Postgres is left once all functions are idle, not %d programs", apart.children())
}

// trace returns the emitted events with their functions, sorted: their order of arrival does not matter.
func (p *program) trace(id string) string {
	p.t.Helper()
	out, err := p.popup("events", "--order", id, "--json")
	require.NoError(p.t, err)
	var emitted []struct{ Type, Source string }
	require.NoError(p.t, json.Unmarshal([]byte(out), &emitted), out)
	counts := map[string]int{}
	for _, e := range emitted {
		counts[e.Type+" "+e.Source]++
	}
	text, err := json.Marshal(counts)
	require.NoError(p.t, err)
	return string(text)
}

// children counts the processes that the shop has started and that still run.
func (p *program) children() int {
	out, _ := exec.Command("pgrep", "-P", fmt.Sprint(p.cmd.Process.Pid)).Output() // exit 1 when there are none
	return len(strings.Fields(string(out)))
}
