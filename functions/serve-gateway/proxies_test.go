package servegateway_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/dbtest"
)

// behind returns the address of a proxy in front of another address. It listens on its own loopback address, from which
// it also connects, and adds its caller's address to X-Forwarded-For, as Knative's ingress, activator and queue-proxy
// do.
func behind(t *testing.T, address, own string) string {
	t.Helper()
	to, err := url.Parse(address)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(own)}}
	proxy.Transport = &http.Transport{DialContext: dialer.DialContext}
	l, err := net.Listen("tcp", own+":0")
	require.NoError(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: proxy}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// from sends a request from a loopback address and returns the status.
func from(t *testing.T, visitor, address string, headers ...string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

// As on Knative: three proxies, the last of which is queue-proxy in the gateway's own pod. TRUSTED_HOPS is 3.
func TestClientAddressIsKnownBehindThreeProxies(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, nil, config.Gateway{TrustedHops: 3}, echo("any"))
	ingress := behind(t, behind(t, behind(t, gateway, "127.0.0.1"), "127.0.0.12"), "127.0.0.11")
	source := func(forged ...string) string {
		headers := []string{}
		for _, f := range forged {
			headers = append(headers, "X-Forwarded-For", f)
		}
		return got(t, "GET", ingress+"/v1/products", "", headers...).Header.Get("X-Forwarded-For")
	}
	require.Equal(t, "127.0.0.1", source(), "the caller of the ingress")
	require.Equal(t, "127.0.0.1", source("6.6.6.6"))
	require.Equal(t, "127.0.0.1", source("6.6.6.6, 7.7.7.7, 8.8.8.8, 9.9.9.9"))
}

// API-08: requests are counted by client address, whatever the client sends in X-Forwarded-For.
func TestRateLimitIsPerClientBehindThreeProxies(t *testing.T) {
	t.Parallel()
	gateway := copyOf(t, dbtest.DB(t), config.Gateway{TrustedHops: 3, RateLimit: 5, StaffRateLimit: 5}, echo("any"))
	ingress := behind(t, behind(t, behind(t, gateway, "127.0.0.1"), "127.0.0.12"), "127.0.0.11") + "/v1/products"
	refused := func(visitor string, forged func(i int) string) (n int) {
		for i := range 20 {
			if from(t, visitor, ingress, "X-Forwarded-For", forged(i)) == http.StatusTooManyRequests {
				n++
			}
		}
		return n
	}
	forging := refused("127.0.0.66", func(i int) string { return net.IPv4(6, 6, 6, byte(i)).String() })
	require.GreaterOrEqual(t, forging, 10, "a minute may end in between") // 20 calls, 5 a minute
	require.NotEqual(t, http.StatusTooManyRequests, from(t, "127.0.0.77", ingress, "X-Forwarded-For", "127.0.0.66"), "another visitor has its own limit")
}
