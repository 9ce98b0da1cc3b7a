package main_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// engine is a shop that the scenario runs against: in one process, as processes, or on a cluster.
type engine struct {
	shop  *client.Client
	popup func(args ...string) (string, error)
}

// openEngine opens the shop of an engine. That of a cluster is at SCENARIO_ADDRESS, with SCENARIO_HOST as its host name;
// SCENARIO_POPUP is how the command popup is run there.
func openEngine(t *testing.T, name string) engine {
	t.Helper()
	if name == "cluster" {
		return cluster(t)
	}
	p := newProgram(t)
	if name == "processes" {
		p.flags = append(p.flags, "--processes", "--idle", "30s", "--bin", p.bin)
	}
	p.start()
	return engine{p.shop(), p.popup}
}

func cluster(t *testing.T) engine {
	t.Helper()
	address, err := url.Parse(os.Getenv("SCENARIO_ADDRESS"))
	require.NoError(t, err)
	ingress := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(address)
		r.Out.Host = os.Getenv("SCENARIO_HOST")
	}})
	t.Cleanup(ingress.Close)
	command := strings.Fields(os.Getenv("SCENARIO_POPUP"))
	return engine{client.New(ingress.URL), func(args ...string) (string, error) {
		out, err := exec.Command(command[0], slices.Concat(command[1:], args)...).CombinedOutput()
		return string(out), err
	}}
}

// trace returns what an order's events were: the type of each, the type of its cause, and the function that emitted it.
func (e engine) trace(t *testing.T, order string) []string {
	t.Helper()
	out, err := e.popup("events", "tail", "--order", order, "--json")
	require.NoError(t, err, out)
	type event struct {
		ID, Type, Source string
		CausationID      string `json:"causation_id"`
	}
	var all []event
	types := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var m event
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		all, types[m.ID] = append(all, m), m.Type
	}
	var lines []string
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("%s, because of %s, by %s", m.Type, cmp.Or(types[m.CausationID], "a request or a schedule"), m.Source))
	}
	slices.Sort(lines)
	return lines
}

// quietFor is for how many seconds nothing more happens to an order that is at its end.
const quietFor = 5

// ends waits until an order has such an event, and nothing more happens to it.
func (e engine) ends(t *testing.T, order, with string) []string {
	t.Helper()
	var last []string
	same := 0
	for until := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		require.True(t, time.Now().Before(until), "order %s has no %s:\n%s", order, with, strings.Join(last, "\n"))
		now := e.trace(t, order)
		same++
		if !slices.Equal(now, last) {
			same = 0
		}
		if same >= quietFor && strings.Contains(strings.Join(now, "\n"), with) {
			return now
		}
		last = now
	}
}

func (e engine) place(t *testing.T, key string, quantity int64, sku string) client.PlaceOrderAnswer {
	t.Helper()
	order := cup()
	order.Lines = []client.Item{{SKU: sku, Quantity: quantity}}
	placed, err := e.shop.PlaceOrder(t.Context(), order, client.Key(key+fmt.Sprint(time.Now().UnixNano())), client.Wait(0))
	require.NoError(t, err)
	return placed
}

// cancelled places orders until one is cancelled before it is shipped, and returns it. The others are completed.
func (e engine) cancelled(t *testing.T) string {
	t.Helper()
	for range 20 {
		placed := e.place(t, "cancelled", 1, "MUG-ENAMEL")
		_, err := e.shop.CancelOrder(t.Context(), placed.ID, client.CancelOrderRequest{}, client.OrderToken(placed.OrderToken))
		if err == nil {
			return placed.ID
		}
		require.Equal(t, http.StatusConflict, status(err), "%v", err)
		e.ends(t, placed.ID, "order.completed")
	}
	require.Fail(t, "no order could be cancelled")
	return ""
}

// FUN-01: every engine leaves the same events.
func TestScenarioLeavesTheSameEventsOnEveryEngine(t *testing.T) {
	engines := []string{"one process", "processes"}
	if os.Getenv("SCENARIO_ADDRESS") != "" {
		engines = []string{"cluster"}
	}
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t, name)
			var text strings.Builder
			write := func(title string, lines []string) {
				fmt.Fprintf(&text, "## %s\n%s\n\n", title, strings.Join(lines, "\n"))
			}
			write("completed", e.ends(t, e.place(t, "completed", 1, "MUG-ENAMEL").ID, "order.completed, "))
			write("out of stock", e.ends(t, e.place(t, "short", 99, "PLATE-03").ID, "order.rejected, "))
			e.ends(t, e.cancelled(t), "order.cancelled") // how far it came depends on chance
			out, err := e.popup("check", "--rebuild")
			require.NoError(t, err, out)
			want, err := os.ReadFile("testdata/scenario.txt")
			if os.Getenv("SCENARIO_UPDATE") != "" {
				require.NoError(t, os.WriteFile("testdata/scenario.txt", []byte(text.String()), 0o644))
				return
			}
			require.NoError(t, err)
			require.Equal(t, string(want), text.String())
		})
	}
}
