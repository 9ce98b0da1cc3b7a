// Package browser tests the pages of the shop in a real Chromium, as visitors see them. `make test-browser` runs it.
package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/seed"
)

// enabled is whether the suite runs: it needs a Chromium, and minutes.
var enabled = os.Getenv("POPUP_BROWSER") != ""

// shop is the one that all tests visit, with demo goods. While away is set, it does not answer.
var (
	shop *local.Shop
	away atomic.Bool
	site string // its address
)

func TestMain(m *testing.M) {
	if !enabled {
		fmt.Println("skipped: make test-browser runs these tests")
		return
	}
	code, err := within(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "open a shop:", err)
		code = 1
	}
	os.Exit(code)
}

// within does something while a shop is open.
func within(do func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "popup-browser-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	settings, err := config.Read[functions.Settings]()
	if err := errors.Join(err, os.Chmod(dir, 0o755)); err != nil { // Postgres runs as another user when this program runs as root
		return 1, err
	}
	server := httptest.NewUnstartedServer(nil)
	site = "http://" + server.Listener.Addr().String()
	settings.SimulatedSuccess, settings.Shipping, settings.RateLimit, settings.StaffRateLimit, settings.PublicURL = 1, "manual", 0, 0, site
	settings.TokenKeys, settings.TokenPublicKeys = keys()
	shop, err = local.Open(ctx, local.Options{
		Dir: dir, Profile: jetstream.Spec, Connections: 16, Address: site,
		Postgres: map[string]string{"fsync": "off"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 1, err
	}
	defer shop.Close()
	settings.SMTP, settings.Pictures, settings.Payments = shop.SMTP, shop.Pictures(), shop.Simulator.Settings(settings.Payments)
	settings.PaymentMethods = payment.Codes()
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	if err := errors.Join(err, seed.Demo(ctx, shop.Pool), seed.Showcase(ctx, shop.Pool), seed.Pictures(ctx, shop.Pool, picture.Open(shop.Pictures()).Put)); err != nil {
		return 1, err
	}
	gateway := servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})
	if err := shop.Start(ctx, functions.All(settings), triggers, local.Gateway{Name: "serve-gateway", Within: gateway}); err != nil {
		return 1, err
	}
	front := shop.Handler()
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		front.ServeHTTP(w, r)
	})
	server.Start()
	defer server.Close()
	return do(), nil
}

// keys returns a new key of tokens, as settings.
func keys() (secret, public []string) {
	s, p := config.NewKey()
	return []string{s}, []string{p}
}

// call calls the API and returns the body of its response, which must be a success.
func call(t testing.TB, method, path string, body any, header ...string) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, site+path, bytes.NewReader(text))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", uuid.NewString())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, http.StatusBadRequest, "%s %s: %s", method, path, content)
	answer := map[string]any{}
	_ = json.Unmarshal(content, &answer) // some have no body
	return answer
}

const password = "a long enough password"

// account makes an account of a role and returns its e-mail address and an access token.
func account(t testing.TB, role string) (email, access string) {
	t.Helper()
	email = role + "-" + uuid.NewString()[:8] + "@example.test"
	made := call(t, http.MethodPost, "/v1/users/register",
		map[string]any{"email": email, "name": "Ada Byron", "phone": "+49 40 1234567", "password": password})
	if role == "customer" {
		return email, made["access_token"].(string)
	}
	_, err := shop.Pool.Exec(t.Context(), `UPDATE accounts.users SET role = $2 WHERE user_id = $1`, made["id"], role)
	require.NoError(t, err)
	tokens := call(t, http.MethodPost, "/v1/users/login", map[string]any{"email": email, "password": password})
	return email, tokens["access_token"].(string)
}
