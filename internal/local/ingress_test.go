package local_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local"
)

// The laptop's ingress knows a function by the names that a cluster's does, and by no other.
func TestAFunctionIsReachedByItsNameInItsNamespaceOnly(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/serve-orders", "../../cmd/popup").CombinedOutput()
	require.NoError(t, err, "%s", out)
	programs := &local.Processes{
		Bin: bin, Functions: []string{"serve-orders"}, Env: func(string) []string { return nil },
		Idle: time.Minute, Log: slog.New(slog.DiscardHandler), Out: io.Discard,
	}
	t.Cleanup(programs.StopAll)
	ingress := httptest.NewServer(programs)
	t.Cleanup(ingress.Close)
	for host, want := range map[string]int{
		"serve-orders.shop": http.StatusOK, "serve-orders.shop:80": http.StatusOK, "Serve-Orders.shop": http.StatusOK,
		"serve-orders.shop.svc": http.StatusOK, "serve-orders.shop.svc.cluster.local": http.StatusOK,
		"serve-orders": http.StatusNotFound, "serve-orders.other": http.StatusNotFound, "serve-orders.shop.example.com": http.StatusNotFound,
		"popup.shop": http.StatusNotFound, "unknown.shop": http.StatusNotFound, ".shop": http.StatusNotFound, "127.0.0.1": http.StatusNotFound,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ingress.URL+"/health", nil)
		require.NoError(t, err)
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, want, response.StatusCode, host)
	}
}
