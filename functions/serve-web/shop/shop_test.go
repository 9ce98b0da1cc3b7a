package shop_test

import (
	"net/http"
	"testing"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// open opens a shop with demo goods, and a browser without scripts.
func open(t *testing.T) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	return openWith(t, func(*functions.Settings) {})
}

// openWith is open with further settings.
func openWith(t *testing.T, change func(*functions.Settings)) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping = 1, "manual"
		change(s)
	})
	return shop, shop.Visitor(t, gateway())
}

// gateway returns a gateway that keeps nothing of what it has forwarded.
func gateway() func(reach func(name string) http.Handler) function.Function {
	return servegateway.Within(servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}})
}
