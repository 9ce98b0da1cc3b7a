package serveorders_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "serve-orders"

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping = 1, "manual"
	})
}

func get(t *testing.T, shop *shoptest.Shop, path string, headers ...string) shoptest.Response {
	return shop.Call(t, name, http.MethodGet, path, nil, headers...)
}

func cancel(t *testing.T, shop *shoptest.Shop, orderID string, headers ...string) shoptest.Response {
	headers = append([]string{"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0"}, headers...)
	return shop.Call(t, name, http.MethodPost, "/v1/orders/"+orderID+"/cancel", map[string]string{"reason": "too big, says Ada"}, headers...)
}

// ORD-17.
func TestTokenGivesAccessToItsOrderOnly(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed, other := shop.OrderIn(t, "pending"), shop.OrderIn(t, "pending")
	for _, path := range []string{"/v1/orders/" + placed.ID, "/v1/orders/" + placed.ID + "/events"} {
		for who, c := range map[string]struct {
			headers []string
			want    int
		}{
			"with its token":        {[]string{"Popup-Order-Token", placed.Token}, http.StatusOK},
			"staff":                 {[]string{"Authorization", shop.Staff(t)}, http.StatusOK},
			"no token":              {nil, http.StatusUnauthorized},
			"with another's token":  {[]string{"Popup-Order-Token", other.Token}, http.StatusNotFound},
			"with an empty token":   {[]string{"Popup-Order-Token", ""}, http.StatusUnauthorized},
			"another customer":      {[]string{"Authorization", shop.SignIn(t, "customer").Bearer}, http.StatusNotFound},
			"with a made-up bearer": {[]string{"Authorization", "Bearer staff"}, http.StatusUnauthorized},
		} {
			require.Equal(t, c.want, get(t, shop, path, c.headers...).Status, "%s %s", who, path)
		}
	}
}

func TestUnknownOrderIsNotFound(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, id := range []string{uuid.NewString(), "urn:uuid:" + uuid.NewString()} {
		require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/"+id, "Authorization", shop.Staff(t)).Status, id)
		require.Equal(t, http.StatusNotFound, cancel(t, shop, id, "Authorization", shop.Staff(t)).Status, id)
	}
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/seven", "Authorization", shop.Staff(t)).Status)
}

// ORD-35.
func TestRepeatedReadsAreEqual(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "shipped")
	first, second := get(t, shop, "/v1/orders/"+placed.ID, "Popup-Order-Token", placed.Token), get(t, shop, "/v1/orders/"+placed.ID, "Popup-Order-Token", placed.Token)
	require.Equal(t, first.Raw, second.Raw)
	for field, want := range map[string]any{
		"status": "shipped", "stock": "held", "payment": "paid", "carrier": "popup",
		"order_number": placed.OrderNumber, "payment_method": "simulated",
	} {
		require.Equal(t, want, first.Body[field], field)
	}
	require.NotEmpty(t, first.Body["tracking_number"])
	require.NotContains(t, first.Raw, placed.Token)
}

// API-11, API-41.
func TestUnchangedOrderIsNotModified(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "pending")
	path, token := "/v1/orders/"+placed.ID, []string{"Popup-Order-Token", placed.Token}
	first := get(t, shop, path, token...)
	require.NotEmpty(t, first.Header.Get("ETag"))
	again := get(t, shop, path, append(token, "If-None-Match", first.Header.Get("ETag"))...)
	require.Equal(t, http.StatusNotModified, again.Status)
	require.Equal(t, "", again.Raw)
	require.Equal(t, first.Header.Get("ETag"), again.Header.Get("ETag"))
	require.Equal(t, http.StatusUnauthorized, get(t, shop, path, "If-None-Match", "*").Status, "a tag opens nothing")

	cancel(t, shop, placed.ID, token...)
	changed := get(t, shop, path, append(token, "If-None-Match", first.Header.Get("ETag"))...)
	require.Equal(t, http.StatusOK, changed.Status)
	require.NotEqual(t, first.Header.Get("ETag"), changed.Header.Get("ETag"))
}

// ORD-29, ORD-31, API-44.
func TestCancelIsPossibleFromThreeStates(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for status, possible := range map[string]bool{
		"pending": true, "confirmed": true, "ready_for_pickup": true,
		"processing": false, "picked_up": false, "shipped": false, "in_transit": false, "delivered": false,
		"failed_delivery": false,
		"cancelling":      false, "completed": false, "returned": false, "cancelled": false, "rejected": false,
		"expired": false,
	} {
		placed := shop.OrderIn(t, status)
		a := cancel(t, shop, placed.ID, "Popup-Order-Token", placed.Token)
		if !possible {
			require.Equal(t, http.StatusConflict, a.Status, status)
			require.Equal(t, "/problems/not-possible-now", a.Body["type"])
			require.Equal(t, status, a.Body["order_status"])
			require.Equal(t, status, shop.Status(t, placed.ID))
			continue
		}
		require.Equal(t, http.StatusAccepted, a.Status, "%s: %s", status, a.Raw)
		require.Equal(t, "cancelling", a.Body["status"], "%s: %s", status, a.Raw)
		withdrawn := shoptest.EventOf(t, shop.Emitted(t, placed.ID, "order.withdrawn")[0]).(events.OrderWithdrawn)
		require.Equal(t, []string{status, "customer", "requested"}, []string{withdrawn.FromStatus, withdrawn.By, withdrawn.Reason})
		require.Equal(t, []events.Line{{Line: 1, SKU: shoptest.Cap, Quantity: 1}}, withdrawn.Lines)
	}
}

// DEL-20: the shipment of an order is cancelled with it, planned or ready for pickup.
func TestCancelCancelsTheShipment(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"confirmed", "ready_for_pickup"} {
		placed := shop.OrderIn(t, status)
		shop.AwaitStatus(t, placed.ID, "")
		from := shoptest.Scalar[string](t, shop, `SELECT status FROM delivery.shipments WHERE order_id = $1`, placed.ID)
		require.Equal(t, http.StatusAccepted, cancel(t, shop, placed.ID, "Popup-Order-Token", placed.Token).Status, status)
		emitted := shop.Emitted(t, placed.ID, "shipment.moved")
		moved := shoptest.EventOf(t, emitted[len(emitted)-1]).(events.ShipmentMoved)
		require.Equal(t, []string{from, "cancelled", "customer"}, []string{moved.From, moved.To, moved.By})
		require.Equal(t, "cancelled cancelled", shoptest.Scalar[string](t, shop, `
			SELECT concat_ws(' ', s.status, (SELECT status FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id ORDER BY n DESC LIMIT 1))
			FROM delivery.shipments s WHERE order_id = $1`, placed.ID))
	}
}

// ORD-29: even if the order has not followed its shipment yet.
func TestShippedOrderIsNotCancelled(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for status, moves := range map[string][]string{"confirmed": {"preparing", "ready_for_pickup", "shipped", "in_transit", "delivered"}, "ready_for_pickup": {"picked_up"}} {
		placed := shop.OrderIn(t, status)
		shop.AwaitStatus(t, placed.ID, "")
		for _, to := range moves {
			shop.MoveShipment(t, placed.ID, to)
			a := cancel(t, shop, placed.ID, "Popup-Order-Token", placed.Token)
			require.Equal(t, http.StatusConflict, a.Status, to)
			require.Equal(t, "/problems/not-possible-now", a.Body["type"], to)
			require.Equal(t, status, a.Body["order_status"], to)
			require.Contains(t, a.Body["detail"], to)
			require.Equal(t, status, shop.Status(t, placed.ID))
		}
	}
}

// ORD-30.
func TestCancelledOrderReleasesStockAndMoney(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	require.Equal(t, http.StatusAccepted, cancel(t, shop, placed.ID, "Authorization", shop.Staff(t)).Status)
	shop.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "cancelled", shop.Status(t, placed.ID))
	_, reserved := shop.Stock(t, shoptest.Cap)
	require.Zero(t, reserved)
	require.Len(t, shop.Emitted(t, placed.ID, "payment.refunded"), 1)
	cancelled := shoptest.EventOf(t, shop.Emitted(t, placed.ID, "order.cancelled")[0]).(events.OrderCancelled)
	require.Equal(t, "staff", cancelled.By)

	a := get(t, shop, "/v1/orders/"+placed.ID, "Authorization", shop.Staff(t))
	require.Equal(t, "cancelled", a.Body["status"], "the customer's reason is stored")
	require.Equal(t, "too big, says Ada", a.Body["reason"], "the customer's reason is stored")
}

func TestOrdersOfOthersCannotBeCancelled(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed, other := shop.OrderIn(t, "pending"), shop.OrderIn(t, "pending")
	require.Equal(t, http.StatusUnauthorized, cancel(t, shop, placed.ID).Status)
	require.Equal(t, http.StatusNotFound, cancel(t, shop, placed.ID, "Authorization", shop.SignIn(t, "customer").Bearer).Status)
	require.Equal(t, http.StatusNotFound, cancel(t, shop, placed.ID, "Popup-Order-Token", other.Token).Status)
	require.Equal(t, "pending", shop.Status(t, placed.ID))
}

func TestSameCancelTwiceIsOneCancel(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "pending")
	key := []string{"Idempotency-Key", "one", "Popup-Order-Token", placed.Token}
	require.Equal(t, http.StatusAccepted, cancel(t, shop, placed.ID, key...).Status)
	shop.AwaitStatus(t, placed.ID, "cancelled")
	again := cancel(t, shop, placed.ID, key...)
	require.Equal(t, http.StatusOK, again.Status)
	require.Equal(t, "cancelled", again.Body["status"])
	require.Equal(t, "true", again.Header.Get("Idempotency-Replayed"))
	require.Len(t, shop.Emitted(t, placed.ID, "order.withdrawn"), 1)
	require.Equal(t, http.StatusBadRequest, cancel(t, shop, placed.ID, "Idempotency-Key", "", "Popup-Order-Token", placed.Token).Status)
}

func TestEventDataIsForStaffOnly(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	path := "/v1/orders/" + placed.ID + "/events"
	forCustomer, forStaff := items(get(t, shop, path, "Popup-Order-Token", placed.Token)), items(get(t, shop, path, "Authorization", shop.Staff(t)))
	var types []any
	for i, e := range forCustomer {
		types = append(types, e["type"])
		require.Nil(t, e["data"])
		require.NotNil(t, forStaff[i]["data"])
	}
	require.Equal(t, []any{"order.placed", "stock.reserved", "payment.created", "payment.paid", "order.confirmed"}, types)
	require.Equal(t, "ORDER_REQUESTED", forCustomer[0]["alias"])
	require.Equal(t, forCustomer[0]["id"], forCustomer[1]["causation_id"])
}

func items(a shoptest.Response) (all []map[string]any) {
	list, _ := a.Body["items"].([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	return all
}
