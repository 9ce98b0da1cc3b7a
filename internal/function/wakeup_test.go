package function_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func TestHandlerReceivesTheStoredDataWhateverWasSent(t *testing.T) {
	t.Parallel()
	for name1, data := range map[string]string{
		"other data": `{"order_id":"0190aaaa-0000-7000-8000-000000000001","lines":[]}`,
		"no object":  `null`,
		"no JSON":    `{`,
		"nothing":    ``,
	} {
		t.Run(name1, func(t *testing.T) {
			t.Parallel()
			shop := open(t, handling(works), listener)
			e := told()
			m := shop.Store(t, e)
			m.Data, m.OrderID, m.Subject = []byte(data), "0190aaaa-0000-7000-8000-000000000001", "another"
			require.Equal(t, []events.Event{events.OrderConfirmed{OrderID: e.OrderID}, events.OrderStalled{OrderID: e.OrderID}},
				shop.Deliver(t, name, m))
			require.Equal(t, e.OrderID, shoptest.Scalar[string](t, shop, `SELECT what FROM test.effects`))
			require.Zero(t, count(t, shop, "bus.dead_letters"))
		})
	}
}
