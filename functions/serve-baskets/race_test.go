package servebaskets_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// BSK-09: an item that is added while the basket is being ordered goes into the order or into a new basket.
func TestConcurrentAddAndOrderLoseNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for who, s := range map[string]shopper{"account": signedIn(t, shop), "visitor": visitor(t, shop, shoptest.Cap, 1)} {
		basket := s.must(shoptest.Cap, 1).Body["id"]
		placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
		a := shop.During(t, fmt.Sprintf(`UPDATE orders.baskets SET order_id = '%s' WHERE basket_id = '%s'`, placed.ID, basket),
			func() shoptest.Response { return s.add(shoptest.Tee, 1) })
		require.Equal(t, http.StatusCreated, a.Status, "%s: %s %s", who, a.Raw, shop.Log())
		require.Equal(t, map[string]float64{shoptest.Tee: 1}, quantities(a), who)
	}
}

// BSK-06, BSK-09: a visitor's basket is merged or ordered, never both.
func TestVisitorsBasketIsOrderedOrMerged(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for range 8 {
		guest := visitor(t, shop, shoptest.Cap, 2)
		basket := guest.read().Body["id"]
		ada := signedIn(t, shop, guest.headers...)
		both := shoptest.Concurrently(
			func() shoptest.Response {
				return shop.Call(t, "place-order", http.MethodPost, "/v1/orders",
					shoptest.Order().With("lines", nil).With("basket_id", basket), append(guest.headers, "Idempotency-Key", uuid.NewString(), "Prefer", "wait=0")...)
			},
			ada.read,
		)
		ordered := both[0].Status == http.StatusAccepted
		require.Contains(t, []int{http.StatusAccepted, http.StatusBadRequest}, both[0].Status, both[0].Raw)
		require.Equal(t, ordered, len(quantities(ada.read())) == 0, "%s", both[1].Raw)
	}
}
