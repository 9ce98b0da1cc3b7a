package local

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"

	"github.com/popup-shop/popup/internal/local/loopback"
	"github.com/popup-shop/popup/internal/payment/simulator"
)

// simulatorPath begins the addresses of the pages on which people play customers of payment providers.
const simulatorPath = "/simulator"

// openSimulator opens the simulator of payment providers. Its notices come in through the public door, once that is open.
func openSimulator(o Options, door func() http.Handler) (*simulator.Simulator, error) {
	s, err := simulator.Open(filepath.Join(o.Dir, "payments"))
	if err != nil {
		return nil, err
	}
	s.Public = strings.TrimRight(o.Address, "/") + simulatorPath
	s.Notify = func(ctx context.Context, provider string, body []byte, signature string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/webhooks/"+provider, bytes.NewReader(body))
		if err != nil || door() == nil {
			return http.StatusServiceUnavailable
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Popup-Signature", signature)
		r.RemoteAddr = "127.0.0.1:0"
		w := httptest.NewRecorder()
		door().ServeHTTP(w, r)
		return w.Code
	}
	return s, nil
}

// addPages adds the pages of the simulator, for people on this machine.
func addPages(mux *http.ServeMux, s *simulator.Simulator) {
	pages := loopback.Only(s.Pages(simulatorPath))
	for _, path := range []string{simulatorPath, simulatorPath + "/", "/v1/simulator/"} {
		mux.Handle(path, pages)
	}
}
