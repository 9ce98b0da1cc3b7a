package returnpoints_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

const name = "return-points"

// open returns a shop, and a customer with 100 points.
func open(t *testing.T, success float64) (*shoptest.Shop, shoptest.Person) {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = success })
	ada := shop.SignIn(t, token.Customer)
	shop.GivePoints(t, ada.ID, 100)
	return shop, ada
}

func TestOrdersWithoutASaleReturnTheirPoints_PTS_06(t *testing.T) {
	t.Parallel()
	for status, end := range map[string]func(t *testing.T, shop *shoptest.Shop, placed shoptest.Placed){
		"rejected": func(t *testing.T, shop *shoptest.Shop, placed shoptest.Placed) {
			shop.Send(t, "track-order", events.StockShort{OrderID: placed.ID})
		},
		"expired": func(t *testing.T, shop *shoptest.Shop, placed shoptest.Placed) {
			shop.ChangeOrder(t, placed.ID, "deadline = now()")
			shop.Send(t, "track-order", events.OrderOverdue{OrderID: placed.ID})
		},
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			shop, ada := open(t, 1)
			placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 60), "Authorization", ada.Bearer)
			end(t, shop, placed)
			require.Equal(t, status, shop.Status(t, placed.ID))
			ended := shop.Emitted(t, placed.ID, "order."+status)[0]
			require.Equal(t, []events.Event{events.PointsReturned{CustomerID: ada.ID, OrderID: placed.ID, Points: 60}}, shop.Deliver(t, name, ended))
			require.Empty(t, shop.Send(t, name, shoptest.EventOf(t, ended)), "under another id")
			require.Equal(t, shoptest.Points{Available: 100}, shop.PointsOf(t, ada))
		})
	}
}

func TestRefusedPaymentReturnsPoints_PTS_06(t *testing.T) {
	t.Parallel()
	shop, ada := open(t, 0)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 60), "Authorization", ada.Bearer)
	shop.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "rejected", shop.Status(t, placed.ID))
	require.Equal(t, shoptest.Points{Available: 100}, shop.PointsOf(t, ada))
}

// A cancelling order is cancelled only when its points are back.
func TestCancelledOrderHoldsNoPoints_ORD_30(t *testing.T) {
	t.Parallel()
	shop, ada := open(t, 1)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 60), "Authorization", ada.Bearer)
	a := shop.Call(t, "serve-orders", "POST", "/v1/orders/"+placed.ID+"/cancel", map[string]string{"reason": ""},
		"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0", "Authorization", ada.Bearer)
	require.Equal(t, 202, a.Status, a.Raw)
	withdrawn := shop.Emitted(t, placed.ID, "order.withdrawn")[0]
	require.Empty(t, shop.Deliver(t, "close-order", withdrawn))
	require.Equal(t, "cancelling", shop.Status(t, placed.ID))
	returned := shop.Deliver(t, name, withdrawn)
	require.Len(t, returned, 1)
	require.IsType(t, events.OrderCancelled{}, shop.Send(t, "close-order", returned[0])[0])
}

func TestOrderWithoutPointsReturnsNone(t *testing.T) {
	t.Parallel()
	shop, ada := open(t, 1)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), "Authorization", ada.Bearer)
	require.Empty(t, shop.Send(t, name, events.OrderRejected{OrderID: placed.ID}))
}

func TestRefundGivesPointsBack_PTS_08(t *testing.T) {
	t.Parallel()
	shop, ada := open(t, 1)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 60), "Authorization", ada.Bearer) // 18.00: earns 1
	refund := func(points int64) events.RefundRequested {
		return events.RefundRequested{
			RefundID: uuid.NewString(), PaymentID: uuid.NewString(), OrderID: placed.ID, Currency: "EUR", Points: points, Reason: "damaged", By: "staff",
		}
	}
	shop.AwaitStatus(t, placed.ID, "completed")
	early := shop.Store(t, refund(20))
	require.ErrorContains(t, shop.TryDeliver(t, name, early), "has not spent")
	require.Len(t, shop.Deliver(t, "settle-points", shop.Emitted(t, placed.ID, "order.completed")[0]), 1)
	require.Len(t, shop.Deliver(t, name, early), 1)
	require.EqualValues(t, 40+1+20, shop.PointsOf(t, ada).Available)

	again := refund(20)
	require.Equal(t, []events.Event{events.PointsReturned{CustomerID: ada.ID, OrderID: placed.ID, Points: 20}}, shop.Send(t, name, again))
	require.Empty(t, shop.Send(t, name, again), "under another id")
	require.Equal(t, []events.Event{events.PointsReturned{CustomerID: ada.ID, OrderID: placed.ID, Points: 20}}, shop.Send(t, name, refund(1000)),
		"at most what was spent")
	require.Empty(t, shop.Send(t, name, refund(1)))
	require.Empty(t, shop.Send(t, name, refund(0)))
	require.Equal(t, shoptest.Points{Available: 101}, shop.PointsOf(t, ada))
}
