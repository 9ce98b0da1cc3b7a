package servestock_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func line(sku string, quantity int, warehouse ...string) map[string]any {
	l := map[string]any{"sku": sku, "quantity": quantity}
	if len(warehouse) > 0 {
		l["warehouse_id"] = warehouse[0]
	}
	return l
}

func keep(t *testing.T, shop *shoptest.Shop, lines ...map[string]any) shoptest.Response {
	return post(t, shop, "/v1/inventory/reservations", map[string]any{"lines": lines})
}

// STK-32.
func TestManualReservationHoldsHalfAnHour(t *testing.T) {
	t.Parallel()
	shop := open(t)
	a := keep(t, shop, line(shoptest.Cap, 2), line(shoptest.Tee, 250))
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Equal(t, true, a.Body["success"], a.Raw)
	require.Equal(t, []any{}, a.Body["failed_items"], a.Raw)
	expires, err := time.Parse(time.RFC3339, a.Body["expires_at"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), expires, time.Minute)

	got := as(t, shop, http.MethodGet, "/v1/inventory/reservations/"+a.Body["reservation_id"].(string), nil)
	require.Equal(t, "held", got.Body["status"])
	require.ElementsMatch(t, []any{
		map[string]any{"line": 1.0, "sku": shoptest.Cap, "warehouse_id": shoptest.Harbour, "quantity": 2.0},
		map[string]any{"line": 2.0, "sku": shoptest.Tee, "warehouse_id": shoptest.Harbour, "quantity": 200.0},
		map[string]any{"line": 2.0, "sku": shoptest.Tee, "warehouse_id": shoptest.Canal, "quantity": 50.0},
	}, got.Body["lines"])
	require.Empty(t, shop.Broker.Published(), "a hold is no fact that anybody waits for")
}

// STK-32.
func TestShortLineReservesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, lines := range [][]map[string]any{
		{line(shoptest.Tee, 1), line(shoptest.Cap, 121)},
		{line(shoptest.Tee, 1), line(shoptest.Cap, 121, shoptest.Harbour)},
	} {
		a := keep(t, shop, lines...)
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/out-of-stock", a.Body["type"], a.Raw)
		require.Equal(t, false, a.Body["success"], a.Raw)
		require.Equal(t, []any{map[string]any{"sku": shoptest.Cap, "requested": 121.0, "available": 120.0}},
			a.Body["failed_items"])
	}
	a := keep(t, shop, line(shoptest.Cap, 1, shoptest.Canal), line("NO-SUCH-SKU", 1))
	require.Len(t, a.Body["failed_items"], 2, "not in that warehouse, and not at all")
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM stock.reservations`)+shoptest.Scalar[int64](t,
		shop, `SELECT count(*) FROM stock.holds`))
}

// STK-33, STK-35.
func TestReservationIsReleasedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	path := "/v1/inventory/reservations/" + keep(t, shop, line(shoptest.Cap, 2)).Body["reservation_id"].(string)
	_, reserved := shop.Stock(t, shoptest.Cap)
	require.EqualValues(t, 2, reserved)
	for range 2 {
		a := as(t, shop, http.MethodDelete, path, nil)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, "released", a.Body["status"], a.Raw)
		onHand, reserved := shop.Stock(t, shoptest.Cap)
		require.Equal(t, []int64{120, 0}, []int64{onHand, reserved})
	}
	got := shop.Broker.Published()
	require.Len(t, got, 1)
	require.Equal(t, events.StockReleased{
		ReservationID: path[len("/v1/inventory/reservations/"):],
		Lines:         []events.StockLine{{SKU: shoptest.Cap, WarehouseID: shoptest.Harbour, Quantity: 2}},
	}, shoptest.EventOf(t, got[0]))
	require.Empty(t, shop.Deliver(t, "close-order", got[0]), "no order is closed by it")
	require.Equal(t, http.StatusNotFound, as(t, shop, http.MethodDelete, "/v1/inventory/reservations/"+uuid.NewString(),
		nil).Status)
}

func TestManualReservationsNeverShareAUnit(t *testing.T) {
	t.Parallel()
	shop := open(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	held := map[int]int{}
	for range 20 {
		all.Go(func() {
			a := keep(t, shop, line(shoptest.Print, 5))
			mu.Lock()
			defer mu.Unlock()
			held[a.Status]++
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{http.StatusCreated: 10, http.StatusConflict: 10}, held)
}

func TestReservationErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for field, body := range map[string]map[string]any{
		"lines": {"lines": []any{}}, "lines[0].quantity": {"lines": []any{line(shoptest.Cap, 0)}},
		"expires_in_s":          {"lines": []any{line(shoptest.Cap, 1)}, "expires_in_s": -1},
		"lines[0].warehouse_id": {"lines": []any{line(shoptest.Cap, 1, "urn:uuid:"+shoptest.Canal)}},
	} {
		require.Equal(t, []string{field}, post(t, shop, "/v1/inventory/reservations", body).Fields())
	}
}

// STK-32: staff sees the reservations that were made by hand, and which of them are held.
func TestReservationsAreListed_WEB_34(t *testing.T) {
	t.Parallel()
	shop := open(t)
	first, second := keep(t, shop, line(shoptest.Cap, 2)), keep(t, shop, line(shoptest.Tee, 1))
	released := first.Body["reservation_id"].(string)
	require.Equal(t, http.StatusOK, as(t, shop, http.MethodDelete, "/v1/inventory/reservations/"+released, nil).Status)
	list := func(query string) (ids []any) {
		a := as(t, shop, http.MethodGet, "/v1/inventory/reservations?"+query, nil)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		for _, item := range a.Body["items"].([]any) {
			ids = append(ids, item.(map[string]any)["reservation_id"])
		}
		return ids
	}
	both := []any{second.Body["reservation_id"], released}
	require.Equal(t, both, list(""))
	require.Equal(t, []any{both[1], both[0]}, list("sort=created_at"))
	require.Equal(t, both, list("sort=-expires_at"))
	require.Equal(t, both[:1], list("status=held"))
	require.Equal(t, both[1:], list("status=released"))
	require.Equal(t, http.StatusUnauthorized, shop.Call(t, "serve-stock", http.MethodGet, "/v1/inventory/reservations", nil).Status)
}
