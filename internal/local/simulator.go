package local

import (
	"net/http"
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
	if err == nil {
		s.Public, s.Notify = strings.TrimRight(o.Address, "/")+simulatorPath, simulator.Through(door)
	}
	return s, err
}

// addPages adds the pages of the simulator, for people on this machine.
func addPages(mux *http.ServeMux, s *simulator.Simulator) {
	for _, path := range []string{simulatorPath, simulatorPath + "/", "/v1/simulator/"} {
		mux.Handle(path, loopback.Only(s.Pages(simulatorPath)))
	}
}
