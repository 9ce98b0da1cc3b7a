package function_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
)

// A broker that can be connected to and stores nothing is not available.
func TestAProbeFindsABrokerThatStoresNothing(t *testing.T) {
	t.Parallel()
	server, err := jetstream.StartServer(t.TempDir())
	require.NoError(t, err)
	broker, err := jetstream.Open(t.Context(), server.Conn, jetstream.Stream{Name: "shop"})
	require.NoError(t, err)
	ingress := httptest.NewServer(jetstream.Ingress(func(*http.Request) (*jetstream.Broker, error) { return broker, nil }))
	t.Cleanup(ingress.Close)
	sink := cloudevent.HTTPSink{URL: ingress.URL, Shop: "https://shop.example", Client: http.DefaultClient}
	require.NoError(t, function.ProbeCheck(sink, "serve-gateway")(t.Context()))
	server.Close()
	require.NoError(t, function.DialCheck(ingress.Listener.Addr().String())(t.Context()))
	require.Error(t, function.ProbeCheck(sink, "serve-gateway")(t.Context()))
}
