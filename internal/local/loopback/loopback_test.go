package loopback_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/loopback"
)

func TestOnlyThisMachineUnderItsOwnNameIsServed(t *testing.T) {
	t.Parallel()
	served := loopback.Only(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for name, c := range map[string]struct {
		remote, host string
		header       http.Header
		want         int
	}{
		"localhost":            {"127.0.0.1:5000", "localhost:8080", nil, 200},
		"localhost, no port":   {"127.0.0.1:5000", "LocalHost", nil, 200},
		"an address":           {"127.0.0.1:5000", "127.0.0.1:8080", nil, 200},
		"IPv6":                 {"[::1]:5000", "[::1]:8080", nil, 200},
		"IPv6, no port":        {"[::1]:5000", "[::1]", nil, 200},
		"IPv4 in IPv6":         {"[::ffff:127.0.0.1]:5000", "127.0.0.1:8080", nil, 200},
		"another machine":      {"192.168.1.20:5000", "localhost:8080", nil, 403},
		"another, by IPv6":     {"[fe80::1%eth0]:5000", "localhost:8080", nil, 403},
		"no address":           {"", "localhost:8080", nil, 403},
		"a foreign name":       {"127.0.0.1:5000", "evil.example:8080", nil, 403},
		"a name that begins":   {"127.0.0.1:5000", "localhost.evil.example", nil, 403},
		"a name that ends":     {"127.0.0.1:5000", "evil-localhost", nil, 403},
		"a dot at the end":     {"127.0.0.1:5000", "localhost.", nil, 403},
		"no name":              {"127.0.0.1:5000", "", nil, 403},
		"the other address":    {"127.0.0.1:5000", "192.168.1.10:8080", nil, 403},
		"a claim, from afar":   {"192.168.1.20:5000", "localhost", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 403},
		"a proxy on this one":  {"127.0.0.1:5000", "localhost", http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 403},
		"a proxy by standards": {"127.0.0.1:5000", "localhost", http.Header{"Forwarded": {"for=203.0.113.7"}}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/mailbox.json", nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			if c.header != nil {
				r.Header = c.header
			}
			w := httptest.NewRecorder()
			served.ServeHTTP(w, r)
			require.Equal(t, c.want, w.Code, w.Body)
		})
	}
}
