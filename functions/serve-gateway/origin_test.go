package servegateway_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
)

// logged is a log buffer that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// The gateway warns, once, when all requests come from one private address: TRUSTED_HOPS is probably too low.
func TestUncountedProxyCausesAWarning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sources []string // in turn
		want    int
	}{
		"one private address":      {[]string{"10.0.0.7"}, 1},
		"one address of pods":      {[]string{"100.64.3.4"}, 1},
		"one in IPv6":              {[]string{"fd00::7"}, 1},
		"two private addresses":    {[]string{"10.0.0.7", "10.0.0.8"}, 0},
		"one public address":       {[]string{"203.0.113.7"}, 0},
		"the same machine":         {[]string{"127.0.0.1"}, 0},
		"a visitor now and then":   {append(strings.Split(strings.Repeat("10.0.0.7,", 48), ",")[:48], "203.0.113.7"), 0},
		"a private one from later": {append(strings.Split(strings.Repeat("203.0.113.7,", 30), ",")[:30], strings.Split(strings.Repeat("10.0.0.7,", 90), ",")[:90]...), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &logged{}
			settings := testSettings()
			settings.Gateway = config.Gateway{TrustedHops: 1}
			gateway := servegateway.Within(settings)(func(name string) http.Handler { return echo(name) })
			server := httptest.NewServer((&function.Runtime{Log: slog.New(slog.NewTextHandler(log, nil))}).ServeMux(&gateway))
			t.Cleanup(server.Close)
			for i := range 120 {
				call(t, "GET", server.URL+"/v1/products", "", "X-Forwarded-For", c.sources[i%len(c.sources)])
			}
			require.Equal(t, c.want, log.count("TRUSTED_HOPS"), fmt.Sprint(c.sources))
		})
	}
}
