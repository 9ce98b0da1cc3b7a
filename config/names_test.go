package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
)

// OPS-31
func TestMisspeltSettingIsNamed(t *testing.T) {
	t.Parallel()
	for name, meant := range map[string]string{
		"HOLD_TMIE": "HOLD_TIME", "HOLDTIME": "HOLD_TIME", "HOLD_TIMES": "HOLD_TIME", "SHIPING": "SHIPPING", "PAYTIME": "PAY_TIME",
		"DATABSE_URL": "DATABASE_URL", "RATE_LIMITS": "RATE_LIMIT", "SIMULATED_SUCESS": "SIMULATED_SUCCESS", "ADMIN_PASSWROD": "ADMIN_PASSWORD",
		"hold_time": "",
	} {
		err := config.CheckNames([]string{"PATH=/bin", name + "=3s"})
		if meant == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, name+": ", name)
		require.ErrorContains(t, err, meant, name)
		require.NotContains(t, err.Error(), "3s", "a value may be secret")
	}
}

// OPS-31: variables of other programs are no settings of the shop.
func TestOtherVariablesAreIgnored(t *testing.T) {
	t.Parallel()
	others := []string{
		"PATH=", "HOME=", "USER=", "LANG=", "SHELL=", "TMPDIR=", "HOSTNAME=", "LOGNAME=", "EDITOR=", "DISPLAY=", "PGHOST=", "PGPORT=", "GOPATH=",
		"GOFLAGS=", "CGO_ENABLED=", "KUBERNETES_SERVICE_HOST=", "KUBERNETES_PORT=", "SERVE_GATEWAY_PORT=", "POSTGRES_PORT=", "POSTGRES_PASSWORD=",
		"S3_ENDPOINT=", "AWS_REGION=", "OTEL_SERVICE_NAME=", "OTEL_EXPORTER_OTLP_PROTOCOL=", "OTEL_EXPORTER_OTLP_INSECURE=", "DB_URL=", "LOG_FORMAT=",
		"GOMEMLIMIT=", "GOMAXPROCS=", "K_CONFIGURATION=", "SSH_TTY=", "XDG_DATA_HOME=", "TERM_PROGRAM=", "DOCKER_HOST=", "NO_PROXY=", "HTTP_PROXY=",
	}
	require.NoError(t, config.CheckNames(others))
	for _, name := range config.Names() {
		require.NoError(t, config.CheckNames([]string{name + "=x"}))
	}
}
