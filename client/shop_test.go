package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/seed"
)

// address is that of the shop that the examples call: a whole one, with its own Postgres and broker.
var address string

func TestMain(m *testing.M) {
	code, err := within(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "open a shop:", err)
		code = 1
	}
	os.Exit(code)
}

// within does something while a shop is open.
func within(do func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "popup-client-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	settings, err := config.Read[functions.Settings]()
	if err := errors.Join(err, os.Chmod(dir, 0o755)); err != nil { // Postgres runs as another user when this program runs as root
		return 1, err
	}
	settings.SimulatedSuccess, settings.Shipping = 1, "manual"
	s, err := local.Open(ctx, local.Options{
		Dir: dir, Profile: jetstream.Spec, Connections: 16, Postgres: map[string]string{"fsync": "off"}, Out: io.Discard, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 1, err
	}
	defer s.Close()
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	if err := errors.Join(err, seed.Demo(ctx, s.Pool)); err != nil {
		return 1, err
	}
	gateway := servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})
	if err := s.Start(ctx, functions.All(settings), triggers, local.Gateway{Name: "serve-gateway", Within: gateway}); err != nil {
		return 1, err
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	address = server.URL
	return do(), nil
}
