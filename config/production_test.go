package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
)

// OPS-32: in production, the start fails with default passwords and with plain text, and the error names the setting and no password.
func TestProductionRefusesWhatIsForTryingOut_OPS_32(t *testing.T) {
	for _, c := range []struct{ setting, value, named string }{
		{"DATABASE_URL", "postgres://popup:gh5Ks9@db.example.org/popup?sslmode=disable", "DB_SSLMODE"},
		{"DATABASE_URL", "postgres://popup:gh5Ks9@db.example.org/popup?sslmode=prefer", "DB_SSLMODE"},
		{"DATABASE_URL", "postgres://popup:gh5Ks9@db.example.org/popup", "DB_SSLMODE"},
		{"DATABASE_URL", "postgres://popup:popup@db.example.org/popup?sslmode=require", "DB_PASSWORD"},
		{"DATABASE_URL", "postgres://gh5Ks9:gh5Ks9@db.example.org/popup?sslmode=verify-full", "DB_PASSWORD"},
		{"DATABASE_URL", "postgres://popup@db.example.org/popup?sslmode=require", "DB_PASSWORD"},
		{"DATABASE_URL", "postgres://popup:gh5Ks9@db.example.org/popup?sslmode=verify-full", ""},
		{"DATABASE_URL", "host=/var/run/postgresql user=popup dbname=popup", ""},
		{"DB_SSLMODE", "require", "DB_PASSWORD"},
		{"DB_PASSWORD", "gh5Ks9", "DB_SSLMODE"},
		{"K_SINK", "http://broker.example.org/shop", "K_SINK"},
		{"K_SINK", "https://broker.example.org/shop", ""},
		{"K_SINK", "http://broker-ingress.knative-eventing.svc.cluster.local/shop/shop", ""},
		{"CARD_URL", "http://gh5Ks9@cards.example.org", "CARD_URL"},
		{"TALER_URL", "https://taler.example.org", ""},
	} {
		t.Run(c.setting+"="+c.value, func(t *testing.T) {
			for _, production := range []string{"false", "true"} {
				t.Setenv("PRODUCTION", production)
				t.Setenv("DATABASE_URL", "postgres://popup:tE7w@db.example.org/popup?sslmode=verify-full")
				if c.setting[:3] == "DB_" {
					t.Setenv("DATABASE_URL", "")
				}
				t.Setenv(c.setting, c.value)
				err := readAll()
				if production == "false" || c.named == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, c.named)
				require.NotContains(t, err.Error(), "gh5Ks9")
			}
		})
	}
}

// readAll reads the settings that production checks.
func readAll() error {
	if _, err := config.Read[config.Database](); err != nil {
		return err
	}
	if _, err := config.Read[config.Process](); err != nil {
		return err
	}
	_, err := config.Read[config.Payments]()
	return err
}
