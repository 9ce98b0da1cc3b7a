package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/mailbox"
)

// refusedStart runs popup run, which must end by itself, and returns what it printed.
func refusedStart(t *testing.T, p *program, within time.Duration) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, "popup"), p.flags...)
	cmd.Env = slices.Concat(os.Environ(), p.env)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Less(t, time.Since(began), within, string(out))
	return string(out)
}

// N18: a shop on a busy port ends at once, and leaves nothing behind.
func TestBusyPortEndsTheStartAtOnce(t *testing.T) {
	p := newProgram(t)
	busy, err := net.Listen("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = busy.Close() })
	require.Contains(t, refusedStart(t, p, 3*time.Second), "address already in use")
	left, err := os.ReadDir(p.dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// OPS-31: an unknown setting stops the start, in one process and in a function's own.
func TestMisspeltSettingEndsTheStart(t *testing.T) {
	p := newProgram(t)
	p.env = []string{"HOLD_TMIE=3s"}
	require.Contains(t, refusedStart(t, p, 3*time.Second), "HOLD_TMIE: there is no such setting; do you mean HOLD_TIME?")
	cmd := exec.Command(filepath.Join(p.bin, "track-order"))
	cmd.Env = append(os.Environ(), "HOLD_TMIE=3s")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "HOLD_TMIE")
}

// R28: SERVER_PORT moves the shop, as `popup env` lists it.
func TestServerPortMovesTheShop(t *testing.T) {
	p := newProgram(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	at := slices.Index(p.flags, "--listen")
	p.flags = slices.Delete(p.flags, at, at+2)
	p.env = []string{"SERVER_PORT=" + port}
	p.start()
	require.Contains(t, p.log.String(), p.url)
}

// OPS-57: with SMTP_URL mails go there and stay on the page.
func TestMailsGoToTheServerOfTheSettings(t *testing.T) {
	for _, how := range []string{"one process", "processes"} {
		t.Run(how, func(t *testing.T) {
			box, err := mailbox.Open(t.TempDir())
			require.NoError(t, err)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			go func() { _ = box.Serve(l) }()
			t.Cleanup(func() { require.NoError(t, box.Close()) })
			p := newProgram(t)
			p.env = []string{"SMTP_URL=smtp://" + l.Addr().String()}
			if how == "processes" {
				p.flags = append(p.flags, "--processes", "--bin", p.bin)
			}
			p.start()
			p.completed(p.order("mails", 5*time.Second), time.Minute)
			require.Eventually(t, func() bool { return p.mailsAt(p.url) > 0 }, 20*time.Second, 100*time.Millisecond)
			there := http.Server{Handler: box.Handler()}
			page, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			go func() { _ = there.Serve(page) }()
			t.Cleanup(func() { _ = there.Close() })
			require.Eventually(t, func() bool { return p.mailsAt("http://"+page.Addr().String()) >= p.mailsAt(p.url) }, 10*time.Second, 100*time.Millisecond)
		})
	}
}

// mailsAt returns how many mails a page lists.
func (p *program) mailsAt(url string) int {
	p.t.Helper()
	response, err := http.Get(url + "/mailbox.json")
	require.NoError(p.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return strings.Count(string(text), `"subject"`)
}

// C5: the shop goes on when no process reads its log.
func TestLogThatIsNotReadStopsNoShop(t *testing.T) {
	for _, how := range []string{"one process", "processes"} {
		t.Run(how, func(t *testing.T) {
			p := newProgram(t)
			if how == "processes" {
				p.flags = append(p.flags, "--processes", "--bin", p.bin)
			}
			r, w, err := os.Pipe()
			require.NoError(t, err)
			t.Cleanup(func() { _, _ = r.Close(), w.Close() })
			p.cmd = exec.Command(filepath.Join(p.bin, "popup"), p.flags...)
			p.cmd.Env = append(os.Environ(), "RATE_LIMIT=0", "LOG_LEVEL=info")
			p.cmd.Stderr = w
			require.NoError(t, p.cmd.Start())
			ask := &http.Client{Timeout: 10 * time.Second}
			require.Eventually(t, func() bool {
				response, err := ask.Get(p.url + "/v1/products")
				if err == nil {
					_ = response.Body.Close()
				}
				return err == nil && response.StatusCode == http.StatusOK
			}, time.Minute, 50*time.Millisecond)
			for i := range 2000 { // more than a pipe holds
				response, err := ask.Get(fmt.Sprintf("%s/v1/products?q=%d", p.url, i))
				require.NoError(t, err, i)
				require.Equal(t, http.StatusOK, response.StatusCode, i)
				_ = response.Body.Close()
			}
		})
	}
}
