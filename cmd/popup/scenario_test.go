package main_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/local/postgres"
)

// engine is a shop that the scenario runs against: in one process, as processes, or on a cluster.
type engine struct {
	shop       *client.Client
	popup      func(args ...string) (string, error)
	sql        func(statement string) (string, error) // executes it and returns the one text that it gives, if any
	kill       func(function string) error            // ends the program of a function without warning
	loseBroker func() error                           // ends the broker and deletes what it stored
	patience   time.Duration                          // the sweeper publishes again within it
}

// openEngine opens the shop of an engine. That of a cluster is at SCENARIO_ADDRESS, with SCENARIO_HOST as its host name;
// SCENARIO_POPUP is how the command popup is run there, and SCENARIO_FAULT how it is disturbed.
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
	kill := func(string) error { p.kill(); p.start(); return nil }
	if name == "processes" {
		kill = p.killFunction
	}
	return engine{p.shop(), p.popup, p.sql, kill, p.loseBroker, 3 * time.Minute}
}

// sql executes a statement in the private database.
func (p *program) sql(statement string) (text string, err error) {
	data, err := postgres.Find(filepath.Join(p.dir, "postgres"))
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(p.t.Context(), data.URL())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	err = conn.QueryRow(p.t.Context(), statement).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return text, err
}

// killFunction ends the process of a function, if it runs.
func (p *program) killFunction(name string) error {
	programs, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return err
	}
	for _, link := range programs {
		if at, err := os.Readlink(link); err != nil || at != filepath.Join(p.bin, name) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(link, "/proc/%d/exe", &pid); err != nil {
			return err
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), fmt.Sprintf(" %d ", p.cmd.Process.Pid)) {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return nil
}

// loseBroker ends the shop as a power cut would, deletes what its broker stored, and starts it again.
func (p *program) loseBroker() error {
	p.kill()
	defer p.start()
	return os.RemoveAll(filepath.Join(p.dir, "broker"))
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
	run := func(variable string, args ...string) (string, error) {
		command := slices.Concat(strings.Fields(os.Getenv(variable)), args)
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	fault := func(args ...string) (string, error) { return run("SCENARIO_FAULT", args...) }
	return engine{
		shop:       client.New(ingress.URL),
		popup:      func(args ...string) (string, error) { return run("SCENARIO_POPUP", args...) },
		sql:        func(statement string) (string, error) { return fault("sql", statement) },
		kill:       func(function string) error { _, err := fault("kill", function); return err },
		loseBroker: func() error { _, err := fault("lose-broker"); return err },
		patience:   5 * time.Minute,
	}
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
	require.NoError(t, json.Unmarshal([]byte(out), &all), out)
	for _, m := range all {
		types[m.ID] = m.Type
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

// withoutMails leaves out what a kill in the middle of sending may cost: whether such a mail went out is unknown, and a person
// decides whether it is sent again.
func withoutMails(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "mail.") })
}

// disturbed places a few orders, does something to the shop while they are under way, and waits until each has left the events of
// one that nothing happened to, apart from mails.
func (e engine) disturbed(t *testing.T, key string, undisturbed []string, fault func() error) {
	t.Helper()
	const orders = 4
	var all []client.PlaceOrderAnswer
	for i := range orders {
		all = append(all, e.place(t, key, 1, "MUG-ENAMEL"))
		if i == orders/2 {
			require.NoError(t, fault())
		}
	}
	for _, placed := range all {
		whole := func() bool {
			text, err := e.sql("SELECT count(*)::text FROM bus.event WHERE type NOT LIKE 'mail.%' AND order_id = '" + placed.ID + "'")
			return err == nil && text == fmt.Sprint(len(withoutMails(undisturbed)))
		}
		for until := time.Now().Add(e.patience); !whole() && time.Now().Before(until); {
			time.Sleep(time.Second)
		}
		require.Equal(t, withoutMails(undisturbed), withoutMails(e.trace(t, placed.ID)), "%s: order %s", key, placed.ID)
	}
}

// deadLetters returns the dead letters of an event.
func (e engine) deadLetters(t *testing.T, event string) (found []deadLetter) {
	t.Helper()
	out, err := e.popup("deadletters", "list", "--json")
	require.NoError(t, err, out)
	var open []deadLetter
	require.NoError(t, json.Unmarshal([]byte(out), &open), out)
	for _, p := range open {
		if p.EventID == event {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b deadLetter) int { return strings.Compare(a.Function, b.Function) })
	return found
}

type deadLetter struct {
	ID             int64
	EventID        string `json:"event_id"`
	Type           string
	Function, Kind string
}

// poisoned stores an event that its functions can't read, and returns its dead letters; then it has one tried again, and discards
// all.
func (e engine) poisoned(t *testing.T) (lines []string) {
	t.Helper()
	event, order := uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
	_, err := e.sql(fmt.Sprintf(`
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data)
		VALUES ('%s', 'stock.reserved', '/functions/reserve-stock', '%s', '%s', gen_random_uuid(), 0, '{"order_id": 7}')`, event, order, order))
	require.NoError(t, err)
	var found []deadLetter
	until := func(n int, what string) {
		t.Helper()
		e.place(t, what, 1, "MUG-ENAMEL") // the next one is handled, and an idle shop sweeps again
		require.Eventually(t, func() bool { found = e.deadLetters(t, event); return len(found) == n }, e.patience, time.Second, what)
	}
	until(2, "each of its functions has a dead letter")
	for _, p := range found {
		lines = append(lines, fmt.Sprintf("%s of %s, %s", p.Kind, p.Function, p.Type))
	}
	out, err := e.popup("deadletters", "redrive", fmt.Sprint(found[0].ID))
	require.NoError(t, err, out)
	until(2, "it is a dead letter again")
	lines = append(lines, fmt.Sprintf("redriven, %s of %s again", found[0].Kind, found[0].Function))
	for _, p := range found {
		out, err := e.popup("deadletters", "discard", fmt.Sprint(p.ID))
		require.NoError(t, err, out)
	}
	require.Empty(t, e.deadLetters(t, event))
	return append(lines, "discarded")
}

// refused returns how an order of something that is not sold is refused.
func (e engine) refused(t *testing.T) string {
	t.Helper()
	order := cup()
	order.Lines[0].SKU = "NO-SUCH-SKU"
	_, err := e.shop.PlaceOrder(t.Context(), order, client.Key(uuid.NewString()), client.Wait(0))
	problem := (*client.Problem)(nil)
	require.ErrorAs(t, err, &problem)
	return fmt.Sprintf("%d %s", problem.Status, problem.Kind())
}

// FUN-01: every engine leaves the same events. Poison, a killed function and a lost broker take minutes: make scenario and
// make test-cluster try them.
func TestScenarioLeavesTheSameEventsOnEveryEngine(t *testing.T) {
	full := os.Getenv("SCENARIO_FULL") != ""
	engines := []string{"one process", "processes"}
	if os.Getenv("SCENARIO_ADDRESS") != "" {
		engines = []string{"cluster"}
	}
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t, name)
			var text strings.Builder
			began := time.Now()
			write := func(title string, lines []string) {
				t.Logf("%s: after %s", title, time.Since(began).Round(time.Second))
				fmt.Fprintf(&text, "## %s\n%s\n\n", title, strings.Join(lines, "\n"))
			}
			completed := e.ends(t, e.place(t, "completed", 1, "MUG-ENAMEL").ID, "order.completed, ")
			write("completed", completed)
			write("out of stock", e.ends(t, e.place(t, "short", 99, "PLATE-03").ID, "order.rejected, "))
			write("refused", []string{e.refused(t)})
			e.ends(t, e.cancelled(t), "order.cancelled") // how far it came depends on chance
			want, err := os.ReadFile("testdata/scenario.txt")
			require.NoError(t, err)
			if !full {
				out, err := e.popup("check", "--rebuild")
				require.NoError(t, err, out)
				require.True(t, strings.HasPrefix(string(want), text.String()), text.String())
				return
			}
			write("poison", e.poisoned(t))
			e.disturbed(t, "killed function", completed, func() error { return e.kill("reserve-stock") })
			write("killed function", []string{"as completed"})
			e.disturbed(t, "lost broker", completed, e.loseBroker)
			write("lost broker", []string{"as completed"})
			out, err := e.popup("check", "--rebuild")
			require.NoError(t, err, out)
			if os.Getenv("SCENARIO_UPDATE") != "" {
				require.NoError(t, os.WriteFile("testdata/scenario.txt", []byte(text.String()), 0o644))
				return
			}
			require.Equal(t, string(want), text.String())
		})
	}
}
