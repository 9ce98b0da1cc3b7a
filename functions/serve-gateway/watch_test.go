package servegateway_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/functiontest"
	"github.com/popup-shop/popup/internal/token"
)

// standing is what a gateway says of the shop: those that are away, and the status of the answer.
func standing(t testing.TB, gateway string) (away []string, code int) {
	t.Helper()
	response, text := call(t, "GET", gateway+"/v1/status", "")
	var s struct {
		Version      string
		Dependencies []struct {
			Name string
			OK   bool
			MS   *int64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &s), text)
	require.NotEmpty(t, s.Version)
	require.Greater(t, len(s.Dependencies), 5)
	for _, d := range s.Dependencies {
		require.NotNil(t, d.MS, d.Name)
		if !d.OK {
			away = append(away, d.Name)
		}
	}
	return away, response.StatusCode
}

// OPS-42: stop each in turn. Without the mail server the shop takes orders.
func TestStatusOfAShopNamesWhatWasStopped(t *testing.T) {
	t.Parallel()
	shop, address := openShop(t)
	gateway := "http://" + address
	away, code := standing(t, gateway)
	require.Equal(t, http.StatusOK, code)
	require.Empty(t, away)

	shop.Engine.StopBroker()
	away, code = standing(t, gateway)
	require.Equal(t, []any{http.StatusServiceUnavailable, []string{"broker"}}, []any{code, away})
	require.NoError(t, shop.Engine.StartBroker(t.Context()))
	_, code = standing(t, gateway)
	require.Equal(t, http.StatusOK, code)

	require.NoError(t, shop.Mailbox.Close())
	away, code = standing(t, gateway)
	require.Equal(t, []any{http.StatusOK, []string{"mail"}}, []any{code, away})

	require.NoError(t, shop.Postgres.Kill())
	away, code = standing(t, gateway)
	require.Equal(t, []any{http.StatusServiceUnavailable, []string{"postgres", "events", "dead-letters", "mail"}}, []any{code, away})
}

// OPS-42: who the settings name is shown too.
func TestStatusShowsWhomTheSettingsName(t *testing.T) {
	t.Parallel()
	shop := functiontest.Open(t, functions.All)
	bucket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gateway := copyOf(t, shop.Pool, config.Gateway{StatusOf: []string{"s3=" + bucket.Addr().String()}}, echo("any"))
	away, _ := standing(t, gateway)
	require.Empty(t, away)
	require.NoError(t, bucket.Close())
	away, code := standing(t, gateway)
	require.Equal(t, []any{http.StatusOK, []string{"s3"}}, []any{code, away})
}

// OPS-43: counted from the ledger, with the rights of the gateway alone.
func TestMetricsTellWhatFunctionsDid(t *testing.T) {
	t.Parallel()
	shop := functiontest.Open(t, functions.All)
	gateway := servegateway.Within(known())(func(name string) http.Handler { return echo(name) })
	server := httptest.NewServer(shop.Runtime(t, "serve-gateway").ServeMux(&gateway))
	t.Cleanup(server.Close)
	scraper := functiontest.Bearer(t, token.Claims{ID: uuid.NewString(), Role: token.Client, Scopes: []string{"metrics"}})
	tells := func(line string) func() bool {
		return func() bool {
			_, text := call(t, "GET", server.URL+"/metrics", "", "Authorization", scraper)
			return strings.Contains(text, "\n"+line+"\n")
		}
	}
	orders := func(n int) {
		for range n {
			shop.Place(t, functiontest.Order(functiontest.Of(functiontest.Cap, 1)))
		}
	}
	orders(2)
	require.Eventually(t, tells(`popup_events_total{function="place-order",type="order.placed"} 2`), 20*time.Second, 100*time.Millisecond)
	orders(1)
	require.Eventually(t, tells(`popup_events_total{function="place-order",type="order.placed"} 3`), 20*time.Second, 100*time.Millisecond)
	require.True(t, tells(`popup_orders_open{status="pending"} 3`)())
}
