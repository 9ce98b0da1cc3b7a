package main_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	popup "github.com/popup-shop/popup/cmd/popup"
)

// noJSON are the commands that print no data.
var noJSON = []string{"help", "completion"}

// servers run until they are interrupted, and print one JSON object when they are ready.
var servers = []string{"run", "mailbox"}

// printed runs popup … --json as a person, and returns what it printed. Only checks may fail, after they printed.
func (a person) printed(stdin string, args ...string) (value any) {
	a.t.Helper()
	cmd := exec.Command(filepath.Join(a.p.bin, "popup"), append(args, "--json")...)
	cmd.Env = append(os.Environ(), "POPUP_DIR="+a.p.dir, "XDG_CONFIG_HOME="+a.home)
	cmd.Stdin = strings.NewReader(stdin)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(a.t, err, "%s: %s", args, &problems)
	require.NoError(a.t, json.Unmarshal(out, &value), "%s: %s", args, out)
	requireSnakeCase(a.t, strings.Join(args, " "), value)
	return value
}

// requireSnakeCase requires a list of objects or an object, with names such as created_at.
func requireSnakeCase(t *testing.T, command string, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			require.IsType(t, map[string]any{}, item, command)
			requireSnakeCase(t, command, item)
		}
	case map[string]any:
		for name := range v {
			require.Regexp(t, `^[a-z][a-z0-9_]*$`, name, command)
		}
	default:
		require.Fail(t, "neither a list nor an object", "%s: %v", command, value)
	}
}

// field returns a text of a JSON object.
func field(t *testing.T, value any, name string) string {
	t.Helper()
	text, ok := value.(map[string]any)[name].(string)
	require.True(t, ok, "%s in %v", name, value)
	return text
}

// TRM-31, TRM-32, TRM-33: every command prints JSON, takes the names that people know, and finds the shop of its folder. A command
// that is not tried here fails the test.
func TestEveryCommandPrintsJSON_TRM_31(t *testing.T) {
	p := newProgram(t)
	p.env = []string{"SHIPPING=manual"}
	p.start()
	opened := shownAdmin.FindStringSubmatch(p.log.String())
	require.NotNil(t, opened, "%s", &p.log)
	admin, ada := p.person(t), p.person(t)
	tried := append(slices.Clone(noJSON), servers...)
	do := func(who person, stdin, command string, args ...string) any {
		t.Helper()
		tried = append(tried, command)
		return who.printed(stdin, append(strings.Fields(command), args...)...)
	}
	do(admin, opened[1]+"\n", "user login", "admin@popup.example")
	do(ada, "correct horse battery\n", "user signup", "ada@example.test", "--name=Ada", "--phone=+49 40 1234567")
	for _, command := range []string{"user me", "user sessions", "user token"} {
		do(ada, "", command)
	}
	do(ada, "correct horse battery\nthe next secret\n", "user password")
	do(admin, "", "user list", "ada")
	do(admin, "", "points adjust", "ada@example.test", "--points=50", "--reason=a late parcel")
	do(admin, "", "points adjust", "ada@example.test", "--points=-20", "--reason=a mistake")
	require.EqualValues(t, 30, do(ada, "", "points show").(map[string]any)["available"])
	require.Len(t, do(admin, "", "points list", "ADA@example.test"), 2)
	do(admin, "", "user role", "ada@example.test", "staff")
	reset := do(admin, "", "user reset", "ADA@example.test")
	require.NotEmpty(t, field(t, reset, "password"))
	do(ada, field(t, reset, "password")+"\n", "user login", "ada@example.test")
	do(ada, "", "user logout")

	do(admin, "", "category add", "Boats", "--parent=To wear")
	do(admin, "", "category edit", "To wear > Boats", "--name=Ships")
	do(admin, "", "category list")
	do(admin, "", "category delete", "To wear > Ships")
	do(admin, "", "store add", "Quay", "--location=Bremen")
	do(admin, "", "store edit", "Quay", "--location=Kiel", "--no-participating")
	do(admin, "", "store list")
	do(admin, "", "store delete", "quay", "--confirm")
	do(admin, "", "product add", "HAT-1", "Hat", "--price=25.00", "--store=Tide & Thread")
	hat := do(admin, "", "product edit", "HAT-1", "--price=1999", "--currency=JPY")
	require.Equal(t, map[string]any{"amount_minor": 1999.0, "currency": "JPY"}, hat.(map[string]any)["price"])
	do(admin, "", "product list", "hat")
	do(admin, "", "product show", "HAT-1")
	file := filepath.Join(t.TempDir(), "table.csv")
	do(admin, "", "product export", file)
	do(admin, "", "product import", file)
	do(admin, "", "product delete", "HAT-1")
	do(admin, "", "warehouse add", "Barge")
	do(admin, "", "warehouse change", "Barge", "--location=Elbe")
	do(admin, "", "warehouse list")
	do(admin, "", "stock receive", "CAP-NAVY", "7", "--new", "--warehouse=Barge")
	do(admin, "", "stock set", "CAP-NAVY", "5", "--warehouse=Barge")
	do(admin, "", "stock take", "CAP-NAVY", "1", "--warehouse=Barge", "--reason=torn")
	do(admin, "", "stock move", "CAP-NAVY", "4", "--from=Barge", "--to=Harbour")
	do(admin, "", "stock log", "CAP-NAVY", "--warehouse=Barge")
	do(admin, "", "stock list", "CAP-NAVY")
	do(admin, "", "warehouse delete", "Barge")
	held := do(admin, "", "stock hold", "CAP-NAVY=1")
	do(admin, "", "stock release", field(t, held, "reservation_id"))

	order := func(key string) string {
		placed, err := p.shop().PlaceOrder(t.Context(), cup(), client.Key(key), client.Wait(10*time.Second))
		require.NoError(t, err)
		require.Equal(t, "confirmed", placed.Status)
		return placed.Number
	}
	number := order("one")
	require.Len(t, do(admin, "", "order list", number), 1)
	do(admin, "", "order note", number, "call before delivery")
	require.Len(t, do(admin, "", "order notes", strings.ToLower(number)), 1)
	do(admin, "", "order ship", number, "--carrier=DHL")
	do(admin, "", "order status", number, "in_transit")
	require.Equal(t, number, field(t, do(admin, "", "order show", number), "order_number"))
	do(admin, "", "order status", number, "delivered")
	require.Eventually(t, func() bool { return field(t, do(admin, "", "order show", number), "status") == "completed" }, 20*time.Second, 100*time.Millisecond)
	do(admin, "", "order refund", number, "--amount=1.00", "--reason=a scratch")
	require.Eventually(t, func() bool {
		return field(t, do(admin, "", "payment refunds", number).([]any)[0], "status") == "refunded"
	}, 20*time.Second, 100*time.Millisecond)
	const refused = "019c1363-49c0-73ee-b7e9-6e59ce40f9cb"
	p.update(`
		INSERT INTO payments.refunds (refund_id, payment_id, order_id, amount_minor, currency, reason, by, status)
		SELECT '` + refused + `', payment_id, order_id, 1, currency, reason, by, 'failed' FROM payments.refunds`)
	do(admin, "", "payment retry", refused)
	require.Equal(t, "paid", field(t, do(admin, "", "payment show", number), "status"))
	require.GreaterOrEqual(t, len(do(admin, "", "payment entries", number).([]any)), 3, "created, captured, refunded")
	require.Len(t, do(admin, "", "payment list", "--status=paid"), 1)
	require.Empty(t, do(admin, "", "payment suspense"))
	require.Empty(t, do(admin, "", "payment reconciliations", "--differ"))
	do(admin, "", "order cancel", order("two"), "--reason=changed my mind")
	require.NotEmpty(t, do(admin, "", "events tail", "--order", number))
	require.NotEmpty(t, do(admin, "", "trace", number))
	require.Eventually(t, func() bool { return len(do(admin, "", "mail list", "--status=sent").([]any)) > 0 },
		20*time.Second, 100*time.Millisecond)
	require.NotEmpty(t, do(admin, "", "mail show", number))
	p.update(`UPDATE mail.mails SET status = 'failed' WHERE kind = 'payment_paid'`)
	do(admin, "", "mail send", number)

	do(admin, "", "events send", "testdata/event.json")
	do(admin, "", "events replay", "send-email", "--since=2026-01-31T00:00:00Z")
	tried = append(tried, "events drop") // there is no month that could be dropped
	do(admin, "", "deadletters list")
	p.update(makeDeadLetters())
	letters := do(admin, "", "deadletters list").([]any)
	require.Len(t, letters, 2)
	do(admin, "", "deadletters show", "1")
	do(admin, "", "deadletters redrive", "1")
	do(admin, "", "deadletters discard", "2")
	do(admin, "", "check", "stock") // the dead letter that is tried again is open
	for _, command := range []string{"status", "books", "migrate", "seed", "key", "env", "version"} {
		do(admin, "", command)
	}
	all, err := popup.Commands()
	require.NoError(t, err)
	for _, command := range all {
		require.Contains(t, tried, command)
	}
}

// makeDeadLetters returns a statement that makes two dead letters of an event.
func makeDeadLetters() string {
	return `
		INSERT INTO bus.dead_letters (event_id, consumer, type, source, kind, reason, attempts, event)
		SELECT event_id, consumer, type, source, 'poison', 'it is broken', 3, '{}'::bytea
		FROM bus.event, (VALUES ('send-email'), ('record-insight')) AS c (consumer)
		WHERE type = 'order.placed'
		LIMIT 2`
}

// TRM-31: servers print where they are.
func TestServersPrintJSON_TRM_31(t *testing.T) {
	bin, err := build()
	require.NoError(t, err)
	for _, args := range [][]string{
		{"run", "--listen=127.0.0.1:0"}, {"mailbox", "--smtp=127.0.0.1:0", "--listen=127.0.0.1:0"},
	} {
		cmd := exec.Command(filepath.Join(bin, "popup"), append(args, "--json", "--dir", t.TempDir())...)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var ready map[string]any
		require.NoError(t, json.NewDecoder(out).Decode(&ready), args)
		requireSnakeCase(t, args[0], ready)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		rest, err := io.ReadAll(out)
		require.NoError(t, err)
		require.Empty(t, strings.TrimSpace(string(rest)))
		require.NoError(t, cmd.Wait())
	}
}
