package cloudevent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

const javascript = "../../tools/cloudevents-js"

// installJavaScript installs the JavaScript SDK once, in the user's cache, and returns where.
func installJavaScript(t *testing.T) (dir string) {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(javascript, "package-lock.json"))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	hash := sha256.Sum256(lock)
	dir = filepath.Join(cache, "popup", "cloudevents-js-"+hex.EncodeToString(hash[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	making, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	require.NoError(t, err)
	defer os.RemoveAll(making)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(javascript, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(making, name), text, 0o644))
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = making
	out, err := npm.CombinedOutput()
	require.NoError(t, err, "%s", out)
	if err := os.Rename(making, dir); err != nil { // another test was first
		require.DirExists(t, dir)
	}
	return dir
}

// request is a request as the JavaScript SDK reads it.
type request struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// binary returns an event as it is posted.
func binary(t *testing.T, m cloudevent.Message) request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://broker.test", nil)
	require.NoError(t, err)
	require.NoError(t, m.WriteRequest(r, "https://shop.test"))
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	headers := map[string]string{}
	for name := range r.Header {
		headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	return request{headers, string(body)}
}

// structured returns an event as one JSON document.
func structured(t *testing.T, m cloudevent.Message) request {
	t.Helper()
	body, err := json.Marshal(m.CloudEvent("https://shop.test"))
	require.NoError(t, err)
	return request{map[string]string{"content-type": "application/cloudevents+json"}, string(body)}
}

// accept runs the JavaScript SDK over requests and returns what it reports.
func accept(t *testing.T, requests []request) (accepted, rejected string, err error) {
	t.Helper()
	var lines, out, problems bytes.Buffer
	for _, r := range requests {
		require.NoError(t, json.NewEncoder(&lines).Encode(r))
	}
	dir := installJavaScript(t)
	script, err := os.ReadFile(filepath.Join(javascript, "accept.mjs"))
	require.NoError(t, err)
	node := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval", string(script))
	node.Dir, node.Stdin, node.Stdout, node.Stderr = dir, &lines, &out, &problems
	err = node.Run()
	return out.String(), problems.String(), err
}

// N3: over HTTP, in binary and in structured mode.
// API-99.
func TestTheJavaScriptSDKAcceptsEveryEvent(t *testing.T) {
	t.Parallel()
	var requests []request
	for _, zero := range events.All() {
		sample, err := os.ReadFile(filepath.Join("../../events/testdata", zero.EventType()+".json"))
		require.NoError(t, err)
		e, err := events.Read(zero.EventType(), sample)
		require.NoError(t, err)
		m, err := eventstore.NewMessage(uuid.NewString(), "place-order", uuid.NewString(), cloudevent.NewTrace(), e)
		require.NoError(t, err)
		m.Delayed, m.Version = true, 12 // all attributes
		requests = append(requests, binary(t, m), structured(t, m))
	}
	accepted, rejected, err := accept(t, requests)
	require.NoError(t, err, rejected)
	require.Empty(t, rejected)
	require.Equal(t, len(requests), strings.Count(accepted, "with data"), accepted)
}

// The SDK is strict: the test above could fail.
func TestTheJavaScriptSDKRejectsWhatIsNotConforming(t *testing.T) {
	t.Parallel()
	m := cloudevent.Message{
		ID: "1", Type: "order.placed", Source: "/functions/place-order", Time: time.Now(), Data: []byte(`{}`),
	}
	relative := structured(t, m)
	relative.Body = strings.Replace(relative.Body, "https://shop.test/schemas", "/schemas", 1)
	_, rejected, err := accept(t, []request{relative})
	require.Error(t, err)
	require.Contains(t, rejected, "dataschema")
}
