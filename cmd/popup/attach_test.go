package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// TRM-36, N15: with --attach a function's events go to a process that a person started with the settings in the folder, and the
// order goes on as ever.
func TestAttachedProcessGetsTheEventsOfItsFunction_TRM_36(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	p := newProgram(t, "--attach", "reserve-stock=http://127.0.0.1:"+port)
	p.start()
	placed, err := p.shop().PlaceOrder(t.Context(), cup(), client.Wait(time.Second))
	require.NoError(t, err)
	require.Equal(t, "pending", placed.Status, "its stock is reserved by a process that does not run yet")

	settings, err := os.ReadFile(filepath.Join(p.dir, "attach-reserve-stock.env"))
	require.NoError(t, err)
	attached := exec.Command(filepath.Join(p.bin, "reserve-stock"))
	attached.Env = append(append(os.Environ(), strings.Split(strings.TrimSpace(string(settings)), "\n")...),
		"SERVER_HOST=127.0.0.1", "PORT="+port)
	require.NoError(t, attached.Start())
	t.Cleanup(func() {
		_ = attached.Process.Signal(syscall.SIGTERM)
		_ = attached.Wait()
	})
	p.completed(placed.ID, 2*time.Minute)
	out, err := p.popup("check", "--rebuild")
	require.NoError(t, err, out)
}

// TRM-36: an event by hand reaches its consumers like one of a function, once for each id.
func TestEventSentByHandIsDelivered_TRM_36(t *testing.T) {
	p := newProgram(t)
	p.start()
	send := func(event string) (string, error) {
		file := filepath.Join(t.TempDir(), "event.json")
		require.NoError(t, os.WriteFile(file, []byte(event), 0o600))
		return p.popup("events", "send", file)
	}
	const housekeeping = `{"specversion": "1.0", "id": "019c1159-7000-7000-8000-000000000000", "source": "/me",
		"type": "shop.popup.housekeeping.due", "data": {"housekeeping_id": "019c1159-7000-7000-8000-000000000000", "day": "2026-01-31"}}`
	out, err := send(housekeeping)
	require.NoError(t, err, out)
	require.Contains(t, out, "housekeeping.due 019c1159-7000-7000-8000-000000000000 will be delivered to 1 functions")
	require.Eventually(t, func() bool {
		return p.update(`SELECT FROM bus.inbox WHERE event_id = '019c1159-7000-7000-8000-000000000000' AND consumer = 'tidy-shop'`) == 1
	}, 90*time.Second, 200*time.Millisecond, "%s", &p.log)
	out, err = send(housekeeping)
	require.NoError(t, err, out)
	require.Contains(t, out, "to 0 functions")
	for event, want := range map[string]string{
		`{`: "is not a CloudEvent as JSON",
		`{"specversion": "0.3", "type": "order.placed"}`:                              "specversion must be 1.0",
		`{"specversion": "1.0", "type": "order.palced"}`:                              `did you mean "order.placed"?`,
		`{"specversion": "1.0"}`:                                                      "unknown type of event",
		`{"specversion": "1.0", "type": "housekeeping.due", "id": "7", "data": {}}`:   `id "7" must be a UUID`,
		`{"specversion": "1.0", "type": "housekeeping.due", "data": {"dya": "2026"}}`: `unknown field "dya"`,
		`{"specversion": "1.0", "type": "housekeeping.due", "data": {"day": 2026}}`:   "data of housekeeping.due",
	} {
		out, err := send(event)
		require.Error(t, err, out)
		require.Contains(t, out, want)
	}
	out, err = p.popup("check")
	require.NoError(t, err, out)
}
