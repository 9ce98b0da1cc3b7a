package reference_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/shoptest"
)

// WEB-42: every event is explained, with who emits and who consumes it.
func TestEveryEventIsExplained_WEB_42(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	settings := servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	v := shop.Visitor(t, servegateway.Within(settings))
	require.Contains(t, v.Get(t, "/docs").HTML, `href="/docs/events"`)
	page := v.Get(t, "/docs/events")
	for _, e := range events.All() {
		require.Contains(t, page.HTML, `<details id="`+e.EventType()+`">`)
	}
	_, reserved, _ := strings.Cut(page.Text, "stock.reserved Every line of an order is held.")
	require.Regexp(t, `^ Emitted by reserve-stock Consumed by create-payment, track-order Field Type Meaning`, reserved)
	require.Contains(t, page.HTML, "ORD-20260131-7K3QX9", "an example")
}
