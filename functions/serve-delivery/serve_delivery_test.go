package servedelivery_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "serve-delivery"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping = 1, "manual"
	})
}

// planned returns an order that is confirmed and whose shipment is planned.
func planned(t *testing.T, shop *shoptest.Shop) shoptest.Placed {
	t.Helper()
	placed := shop.OrderIn(t, "confirmed")
	shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
	return placed
}

func post(t *testing.T, shop *shoptest.Shop, path string, body any, headers ...string) shoptest.Response {
	t.Helper()
	headers = append([]string{"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0", "Authorization", shop.Staff(t)}, headers...)
	return shop.Call(t, name, http.MethodPost, path, body, headers...)
}

func ship(t *testing.T, shop *shoptest.Shop, orderID string, headers ...string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/orders/"+orderID+"/ship", map[string]any{"carrier": "DHL", "tracking_number": "JD" + orderID[24:]}, headers...)
}

func set(t *testing.T, shop *shoptest.Shop, orderID, status string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/orders/"+orderID+"/status", map[string]any{"status": status, "location": "Hamburg", "description": "on the shelf"})
}

func seen(t *testing.T, shop *shoptest.Shop, orderID string) []string {
	t.Helper()
	return shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(t.status ORDER BY n) FROM delivery.tracking t JOIN delivery.shipments USING (shipment_id) WHERE order_id = $1`, orderID)
}

// ORD-32, DEL-17: staff marks an order as shipped, once.
func TestStaffShipsAnOrderOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := planned(t, shop)
	key := []string{"Idempotency-Key", "one"}
	first := ship(t, shop, placed.ID, key...)
	require.Equal(t, http.StatusAccepted, first.Status, "%s", first.Raw)
	shop.AwaitStatus(t, placed.ID, "shipped")
	again := ship(t, shop, placed.ID, key...)
	require.Equal(t, http.StatusOK, again.Status, "%s", again.Raw)
	require.Equal(t, "true", again.Header.Get("Idempotency-Replayed"))
	require.Equal(t, "shipped", again.Body["status"])
	require.Equal(t, "DHL", again.Body["carrier"])
	require.Equal(t, "JD"+placed.ID[24:], again.Body["tracking_number"])
	require.Equal(t, http.StatusConflict, ship(t, shop, placed.ID).Status, "with a new key")
	require.Len(t, shop.Emitted(t, placed.ID, "order.shipped"), 1)
	require.Equal(t, []string{"planned", "preparing", "shipped"}, seen(t, shop, placed.ID))
}

// ORD-32: only what is confirmed and paid.
func TestOrdersThatCannotBeShipped(t *testing.T) {
	t.Parallel()
	shop := open(t)
	pending, cancelled := shop.OrderIn(t, "pending"), planned(t, shop)
	shop.Cancel(t, cancelled)
	for why, id := range map[string]string{"pending": pending.ID, "cancelled": cancelled.ID} {
		a := ship(t, shop, id)
		require.Equal(t, http.StatusConflict, a.Status, why)
		require.Equal(t, "/problems/not-possible-now", a.Body["type"])
		require.NotEmpty(t, a.Body["order_status"])
	}
	require.Equal(t, http.StatusNotFound, ship(t, shop, uuid.NewString()).Status)
	other := planned(t, shop)
	require.Equal(t, http.StatusAccepted, ship(t, shop, other.ID).Status)
	a := post(t, shop, "/v1/orders/"+planned(t, shop).ID+"/ship", map[string]any{"tracking_number": "JD" + other.ID[24:]})
	require.Equal(t, "/problems/in-use", a.Body["type"], "%s", a.Raw)
	customer := []string{"Authorization", shop.SignIn(t, "customer").Bearer, "Idempotency-Key", uuid.NewString()}
	require.Equal(t, http.StatusForbidden, shop.Call(t, name, http.MethodPost, "/v1/orders/"+other.ID+"/ship", map[string]any{}, customer...).Status)
}

// DEL-16: each state along the table, with place and text; the order follows.
func TestStaffSetsEachState(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := planned(t, shop)
	require.Equal(t, http.StatusConflict, set(t, shop, placed.ID, "delivered").Status)
	require.Equal(t, http.StatusConflict, set(t, shop, placed.ID, "ready_for_pickup").Status)
	require.Equal(t, []string{"status"}, set(t, shop, placed.ID, "lost").Fields())
	for _, status := range []string{"shipped", "in_transit", "failed_delivery", "delivered"} {
		a := set(t, shop, placed.ID, status)
		require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Raw)
		require.Equal(t, http.StatusConflict, set(t, shop, placed.ID, status).Status, "it is %s", status)
		shop.AwaitStatus(t, placed.ID, status)
	}
	require.Equal(t, []string{"planned", "preparing", "shipped", "in_transit", "failed_delivery", "delivered"}, seen(t, shop, placed.ID))
}

// DEL-18: a pickup ends at the counter.
func TestPickupEndsAtTheCounter_DEL_18(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("address", nil).With("pickup", map[string]string{"store_id": shoptest.TheStore})
	placed := shop.Place(t, body)
	shop.AwaitStatus(t, placed.ID, "confirmed")
	shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
	require.Equal(t, http.StatusConflict, ship(t, shop, placed.ID).Status, "it is collected")
	require.Equal(t, http.StatusAccepted, set(t, shop, placed.ID, "ready_for_pickup").Status)
	shop.AwaitStatus(t, placed.ID, "ready_for_pickup")
	require.Equal(t, http.StatusAccepted, set(t, shop, placed.ID, "picked_up").Status)
	shop.AwaitStatus(t, placed.ID, "delivered")
	require.Equal(t, []string{"planned", "preparing", "ready_for_pickup", "picked_up", "delivered"}, seen(t, shop, placed.ID))
}

// DEL-18: what is not picked up in time goes back onto the shelf, and the money to the customer.
func TestNotPickedUpInTimeIsRefunded_DEL_18(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("address", nil).With("pickup", map[string]string{"store_id": shoptest.TheStore})
	placed := shop.Place(t, body)
	shop.AwaitStatus(t, placed.ID, "confirmed")
	shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
	require.Equal(t, http.StatusAccepted, set(t, shop, placed.ID, "ready_for_pickup").Status)
	shop.AwaitStatus(t, placed.ID, "ready_for_pickup")
	shop.ChangeOrder(t, placed.ID, "deadline = now()")
	shop.Send(t, "track-order", events.OrderOverdue{OrderID: placed.ID})
	shop.AwaitStatus(t, placed.ID, "cancelled")
	require.Equal(t, "2400 2400", shoptest.Scalar[string](t, shop, `
		SELECT concat_ws(' ', captured_minor, refunded_minor) FROM payments.payments WHERE order_id = $1`, placed.ID))
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT sum(reserved)::bigint FROM stock.levels WHERE sku = $1`, shoptest.Cap))
	require.Equal(t, "cancelled", shoptest.Scalar[string](t, shop, `SELECT status FROM delivery.shipments WHERE order_id = $1`, placed.ID))
	require.Equal(t, http.StatusConflict, set(t, shop, placed.ID, "picked_up").Status)
}

// ORD-32, DEL-20: whichever of many comes first, one wins.
func TestShipAndCancelAtOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := planned(t, shop)
	var all sync.WaitGroup
	var mu sync.Mutex
	shipped, cancelled := 0, 0
	count := func(n *int, a shoptest.Response) {
		mu.Lock()
		defer mu.Unlock()
		if a.Status < http.StatusBadRequest {
			*n++
		}
	}
	for range 4 {
		all.Go(func() { count(&shipped, ship(t, shop, placed.ID)) })
		all.Go(func() {
			count(&cancelled, shop.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+placed.ID+"/cancel", map[string]string{"reason": "x"},
				"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0", "Popup-Order-Token", placed.Token))
		})
	}
	all.Wait()
	require.Equal(t, 1, min(shipped, 1)+min(cancelled, 1), "%d shipped, %d cancelled", shipped, cancelled)
	require.LessOrEqual(t, shipped, 1)
}

// DEL-21: by order, by shipment and by tracking number, the last without names.
func TestTrackingIsReadable(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := planned(t, shop)
	require.Equal(t, http.StatusAccepted, ship(t, shop, placed.ID).Status)
	list := shop.Call(t, name, http.MethodGet, "/v1/shipments?q="+placed.OrderNumber, nil, "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, list.Status, "%s", list.Raw)
	shipment := list.Body["items"].([]any)[0].(map[string]any)
	require.Equal(t, placed.ID, shipment["order_id"])
	one := shop.Call(t, name, http.MethodGet, "/v1/shipments/"+shipment["id"].(string), nil, "Authorization", shop.Staff(t))
	require.Equal(t, shipment, one.Body)
	parcel := shop.Call(t, name, http.MethodGet, "/v1/tracking/"+shipment["tracking_number"].(string), nil)
	require.Equal(t, http.StatusOK, parcel.Status, "%s", parcel.Raw)
	require.Equal(t, shipment["tracking"], parcel.Body["tracking"])
	for _, secret := range []string{placed.ID, placed.OrderNumber, "Ada", "Kai 1", "example.test"} {
		require.NotContains(t, parcel.Raw, secret)
	}
	require.Equal(t, http.StatusNotFound, shop.Call(t, name, http.MethodGet, "/v1/tracking/NO-SUCH", nil).Status)
	require.Equal(t, http.StatusForbidden, shop.Call(t, name, http.MethodGet, "/v1/shipments", nil, "Authorization", shop.SignIn(t, "customer").Bearer).Status)
	table := shop.Call(t, name, http.MethodGet, "/v1/shipments.csv?status=shipped", nil, "Authorization", shop.Staff(t))
	require.NotContains(t, table.Raw, "{")
}
