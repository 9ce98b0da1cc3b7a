package function_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/function"
)

// The standard library ends the context of a call when the time to read it is over, although all of it was read.
func TestACallThatWasReadInTimeMayTakeLongerToAnswer(t *testing.T) {
	t.Parallel()
	server := function.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusServiceUnavailable)
		case <-time.After(300 * time.Millisecond):
		}
	}))
	server.ReadTimeout = 100 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	for _, body := range []string{"", "something"} {
		answer, err := http.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, "with body %q", body)
	}
}
