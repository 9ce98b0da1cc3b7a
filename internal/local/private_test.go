package local_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// The mails of a shop that listens on all addresses are shown on its own machine only; all else is shown everywhere.
func TestMailsAreShownOnTheirMachineOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, path := range []string{"/mailbox", "/mailbox/", "/mailbox.json", "/mailbox/1", "/mailbox/style.css"} {
		for _, from := range [][2]string{
			{"192.168.1.20:5000", "shop.local:8080"}, {"192.168.1.20:5000", "localhost:8080"}, {"127.0.0.1:5000", "evil.example:8080"},
		} {
			require.Equal(t, http.StatusForbidden, s.seen(path, from[0], from[1]), "%s %s", path, from)
		}
	}
	require.Equal(t, http.StatusOK, s.seen("/mailbox", "127.0.0.1:5000", "localhost:8080"))
	require.Equal(t, http.StatusOK, s.seen("/mailbox.json", "[::1]:5000", "[::1]:8080"))
	require.Equal(t, http.StatusOK, s.seen("/v1/products", "192.168.1.20:5000", "shop.local:8080"))
}

// seen is the status of a response to a visitor at an address, who calls the shop by a host.
func (s *shop) seen(path, address, host string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = address, host
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code
}
