package local_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/logging"
)

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the lines with a message.
func (l *logBuffer) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line), text)
		if line["msg"] == message {
			found = append(found, line)
		}
	}
	return found
}

func requireFields(t *testing.T, line map[string]any, fields ...string) {
	t.Helper()
	for _, field := range fields {
		require.Contains(t, line, field, line)
	}
}

// OPS-48: one line per call or event; an error shows its cause once; no personal data.
func TestTheLogHasALinePerCallAndEventAndNoPersonalData(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	s := open(t, func(o *local.Options, _ *functions.Settings) { o.Log = logging.NewJSON(log, slog.LevelInfo) })
	placed := s.place(orderOf(1, "TEE-DROP-01"))
	s.settle(time.Minute)

	calls := log.lines(t, "call")
	require.NotEmpty(t, calls)
	requireFields(t, calls[0], "time", "function", "method", "route", "status", "ms", "request", "order", "trace_id", "span_id", "version")
	require.Equal(t, []any{"/v1/orders", placed.ID}, []any{calls[0]["route"], calls[0]["order"]})
	handled := slices.DeleteFunc(log.lines(t, "event handled"), func(line map[string]any) bool { return line["order"] != placed.ID })
	require.NotEmpty(t, handled)
	requireFields(t, handled[0], "time", "function", "type", "event", "order", "ms", "trace_id", "span_id", "version")
	require.Equal(t, calls[0]["trace_id"], handled[0]["trace_id"])

	const person = "secret.person@example.test"
	s.send(http.MethodPost, "/v1/users/login", `{"email": "`+person+`", "password": "wrong"}`)
	s.send(http.MethodPost, "/v1/users/register", `{"email": "`+person+`"}`)
	s.send(http.MethodGet, "/v1/customers/"+person, "")
	s.send(http.MethodGet, "/"+person+"?email="+person, "")
	s.send(person, "/v1/products", "")
	_, err := s.Pool.Exec(t.Context(), `
		CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', NEW.email; END $$`)
	require.NoError(t, err)
	_, err = s.Pool.Exec(t.Context(), `CREATE TRIGGER refuse BEFORE INSERT ON accounts.users FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
	require.NoError(t, err)
	whole := `{"email": "` + person + `", "password": "correct horse battery", "name": "Ada Byron", "phone": "+49 40 1234567"}`
	require.Equal(t, http.StatusInternalServerError, s.send(http.MethodPost, "/v1/users/register", whole))

	failed := log.lines(t, "request failed")
	require.Len(t, failed, 1, "the cause, once")
	requireFields(t, failed[0], "function", "request", "trace_id", "span_id", "version")
	require.Contains(t, failed[0]["error"], "no [e-mail]")
	require.NotContains(t, strings.ToLower(log.String()), "secret.person")
	require.NotContains(t, log.String(), "/[e-mail]", "a route, not the path of a caller")
}

// send makes a request and returns the status of the response.
func (s *shop) send(method, path, body string) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if request.Method = method; strings.Contains(method, "@") {
		request.Method = strings.ReplaceAll(method, "@", "-") // no method has an @
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	_ = response.Body.Close()
	return response.StatusCode
}
