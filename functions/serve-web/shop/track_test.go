package shop_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// WEB-23.
func TestAParcelIsFoundByItsNumber_WEB_23(t *testing.T) {
	t.Parallel()
	shop, visitor := open(t)
	order := shop.OrderIn(t, "shipped")
	number := shoptest.Scalar[string](t, shop, `SELECT tracking_number FROM orders.orders WHERE order_id = $1`, order.ID)

	require.Contains(t, visitor.Get(t, "/track").Text, "Track a parcel")
	require.Contains(t, visitor.Get(t, "/track?number="+number).Text, number+" Shipped")

	unknown := visitor.Get(t, "/track?number=nothing")
	require.Equal(t, http.StatusOK, unknown.Status)
	require.Contains(t, unknown.Text, "There is no parcel with this number.")
}
