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
	"slices"
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

// within does something while a shop is open in which every payment succeeds.
func within(do func() int) (code int, err error) {
	opened, stop, err := openShop(context.Background(), 1)
	if err != nil {
		return 1, err
	}
	defer stop()
	shop, site = opened.Shop, opened.site
	return do(), nil
}

// openedShop is a shop and its address.
type openedShop struct {
	*local.Shop
	site string
}

// openShop opens a shop with demo goods, in which payments succeed with a chance.
func openShop(ctx context.Context, success float64) (opened openedShop, stop func(), err error) {
	var closers []func()
	stop = func() {
		for _, each := range slices.Backward(closers) {
			each()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	dir, err := os.MkdirTemp("", "popup-browser-")
	if err != nil {
		return opened, stop, err
	}
	closers = append(closers, func() { _ = os.RemoveAll(dir) })
	settings, err := config.Read[functions.Settings]()
	if err := errors.Join(err, os.Chmod(dir, 0o755)); err != nil { // Postgres runs as another user when this program runs as root
		return opened, stop, err
	}
	server := httptest.NewUnstartedServer(nil)
	opened.site = "http://" + server.Listener.Addr().String()
	settings.SimulatedSuccess, settings.Shipping, settings.RateLimit, settings.StaffRateLimit, settings.PublicURL = success, "manual", 0, 0, opened.site
	settings.TokenKeys, settings.TokenPublicKeys = keys()
	opened.Shop, err = local.Open(ctx, local.Options{
		Dir: dir, Profile: jetstream.Spec, Connections: 16, Address: opened.site,
		Postgres: map[string]string{"fsync": "off"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return opened, stop, err
	}
	closers = append(closers, opened.Close)
	settings.SMTP, settings.Pictures, settings.Payments = opened.SMTP, opened.Pictures(), opened.Simulator.Settings(settings.Payments)
	settings.PaymentMethods = payment.Codes()
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	put := picture.Open(opened.Pictures()).Put
	if err := errors.Join(err, seed.Demo(ctx, opened.Pool), seed.Showcase(ctx, opened.Pool), seed.Pictures(ctx, opened.Pool, put)); err != nil {
		return opened, stop, err
	}
	gateway := servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})
	if err := opened.Start(ctx, functions.All(settings), triggers, local.Gateway{Name: "serve-gateway", Within: gateway}); err != nil {
		return opened, stop, err
	}
	front := opened.Handler()
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		front.ServeHTTP(w, r)
	})
	server.Start()
	closers = append(closers, server.Close)
	return opened, stop, nil
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
