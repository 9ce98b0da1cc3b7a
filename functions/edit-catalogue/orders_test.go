package editcatalogue_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

func sitWhere(t *testing.T, change func(*functions.Settings)) desk {
	t.Helper()
	return desk{shoptest.Open(t, functions.All, change), t}
}

// CAT-09: the stock check comes after the product is gone, or put aside.
func TestAProductDeletedBeforeItsHoldRejectsItsOrderAlone(t *testing.T) {
	t.Parallel()
	d := sitWhere(t, func(s *functions.Settings) { s.SimulatedSuccess, s.StockCheckDelay = 1, 15*time.Second })
	tee, hat := d.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 1))), d.Place(t,
		shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	linocut := d.Place(t, shoptest.Order(shoptest.Of(shoptest.Print, 1)))
	d.must(http.MethodDelete, "/v1/products/"+tee.Lines[0].ProductID, nil)
	d.must(http.MethodPut, "/v1/products/"+linocut.Lines[0].ProductID,
		product(shoptest.Print).With("active", false).With("price", euros(12000)).With("name", "Linocut"))
	for order, want := range map[string]string{tee.ID: "rejected", linocut.ID: "rejected", hat.ID: "confirmed"} {
		d.ChangeOrder(t, order, "stock_check_at = now(), payment_check_at = now()")
		d.AwaitStatus(t, order, want)
	}
	require.Equal(t, "invalid", shoptest.Scalar[string](t, d.Shop, `SELECT reason FROM orders.orders WHERE order_id = $1`,
		tee.ID))
	require.Zero(t, shoptest.Scalar[int](t, d.Shop, `SELECT count(*) FROM bus.dead_letters`))
}

// CAT-10.
func TestALaterPriceNeverTouchesAPlacedOrder(t *testing.T) {
	t.Parallel()
	d := sit(t)
	order := shoptest.Order(shoptest.Of(shoptest.Cap, 2))
	before := d.Place(t, order)
	read := func(p shoptest.Placed) any {
		return d.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+p.ID, nil, "Popup-Order-Token", p.Token).Body["total"]
	}
	total := read(before)
	d.must(http.MethodPut, "/v1/products/"+before.Lines[0].ProductID, product(shoptest.Cap).With("price", euros(9900)))
	require.Equal(t, total, read(before))
	require.EqualValues(t, 9900, d.Place(t, order).Lines[0].UnitPriceMinor)
}
