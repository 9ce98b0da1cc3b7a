package servestock_test

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

const (
	name  = "serve-stock"
	level = "/v1/inventory/stock/01900000-0000-7000-8000-000000000203" // caps in Harbour: 120
)

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All)
}

func post(t *testing.T, shop *shoptest.Shop, path string, body any, headers ...string) shoptest.Response {
	headers = append([]string{"Authorization", shop.Staff(t), "Idempotency-Key", uuid.NewString()}, headers...)
	return shop.Call(t, name, http.MethodPost, path, body, headers...)
}

// as sends a request as staff.
func as(t *testing.T, shop *shoptest.Shop, method, path string, body any) shoptest.Response {
	return shop.Call(t, name, method, path, body, "Authorization", shop.Staff(t))
}

// read returns the items of a list, as staff.
func read(t *testing.T, shop *shoptest.Shop, path string) (items []map[string]any) {
	a := as(t, shop, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	for _, item := range a.Body["items"].([]any) {
		items = append(items, item.(map[string]any))
	}
	return items
}

func available(levels []map[string]any) (each []float64) {
	for _, l := range levels {
		each = append(each, l["available"].(float64))
	}
	return each
}

func movement(kind string, quantity int64) map[string]any {
	return map[string]any{"kind": kind, "quantity": quantity, "reason": "counted again"}
}

// figures returns quantity, reserved and available of a level.
func figures(of any) []any {
	l, _ := of.(map[string]any)
	return []any{l["quantity"], l["reserved"], l["available"]}
}

// hold reserves caps for an order.
func hold(t *testing.T, shop *shoptest.Shop, quantity int64) {
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, quantity)))
	require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", placed.OrderPlaced)[0])
}

// STK-07.
func TestStockIsBookedInAndOut(t *testing.T) {
	t.Parallel()
	shop := open(t)
	in := post(t, shop, level+"/movements", movement("inbound", 3))
	require.Equal(t, http.StatusCreated, in.Status, in.Raw)
	require.Equal(t, []any{123.0, 0.0, 123.0}, figures(in.Body["level"]))
	out := post(t, shop, level+"/movements", movement("outbound", 3))
	require.Equal(t, []any{120.0, 0.0, 120.0}, figures(out.Body["level"]))
	require.Equal(t, []string{"inbound 3", "outbound 3"}, shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(kind || ' ' || quantity ORDER BY created_at) FROM stock.movements WHERE reason = 'counted again' AND reference = 'staff'`))
}

// STK-35.
func TestStockChangedHasTheAvailableQuantity(t *testing.T) {
	t.Parallel()
	shop := open(t)
	hold(t, shop, 20)
	post(t, shop, level+"/movements", movement("outbound", 100))
	got := shop.Broker.Published()
	changed := shoptest.EventOf(t, got[len(got)-1]).(events.StockChanged)
	require.Equal(t, events.StockChanged{
		SKU: shoptest.Cap, WarehouseID: shoptest.Harbour, Kind: "outbound", Quantity: 100, OnHand: 20, Reserved: 20,
		Available: 0,
		Reason:    "staff", By: "staff",
	}, changed, "the reason that staff gave stays in the row")
}

// STK-07.
func TestReservedStockCannotBeBookedOut(t *testing.T) {
	t.Parallel()
	shop := open(t)
	hold(t, shop, 20)
	a := post(t, shop, level+"/movements", movement("outbound", 101))
	require.Equal(t, http.StatusConflict, a.Status)
	require.Equal(t, "/problems/not-possible-now", a.Body["type"])
	onHand, reserved := shop.Stock(t, shoptest.Cap)
	require.Equal(t, []int64{120, 20}, []int64{onHand, reserved})
	require.Equal(t, http.StatusCreated, post(t, shop, level+"/movements", movement("outbound", 100)).Status)
}

// STK-15.
func TestRepeatedMovementCountsOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { post(t, shop, level+"/movements", movement("inbound", 5), "Idempotency-Key", "one") })
	}
	all.Wait()
	again := post(t, shop, level+"/movements", movement("inbound", 5), "Idempotency-Key", "one")
	require.Equal(t, http.StatusCreated, again.Status)
	require.Equal(t, "true", again.Header.Get("Idempotency-Replayed"))
	onHand, _ := shop.Stock(t, shoptest.Cap)
	require.EqualValues(t, 125, onHand)
	require.Equal(t, http.StatusUnprocessableEntity,
		post(t, shop, level+"/movements", movement("inbound", 6), "Idempotency-Key", "one").Status)
}

// STK-05.
func TestLevelIsCreatedOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := map[string]any{"sku": shoptest.Cap, "warehouse_id": shoptest.Canal, "quantity": 7}
	a := post(t, shop, "/v1/inventory/stock", body)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Equal(t, []any{7.0, 0.0, 7.0}, figures(a.Body))
	again := post(t, shop, "/v1/inventory/stock", body)
	require.Equal(t, http.StatusConflict, again.Status)
	require.Equal(t, "/problems/in-use", again.Body["type"])

	require.Equal(t, []float64{120, 7}, available(read(t, shop, "/v1/inventory/stock?sku="+shoptest.Cap)))
}

// STK-09.
func TestQuantitiesAreLimitedToATrillion(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := map[string]any{"sku": "SAND", "warehouse_id": shoptest.Canal, "quantity": int64(1_000_000_000_000)}
	a := post(t, shop, "/v1/inventory/stock", body)
	require.Equal(t, []any{1e12, 0.0, 1e12}, figures(a.Body))
	more := post(t, shop, "/v1/inventory/stock/"+a.Body["id"].(string)+"/movements", movement("inbound", 1))
	require.Equal(t, http.StatusConflict, more.Status)
}

// STK-10.
func TestOnlyStaffSeesAndChangesAllFigures(t *testing.T) {
	t.Parallel()
	shop := open(t)
	require.Equal(t, http.StatusForbidden, shop.Call(t, name, http.MethodPut, level,
		map[string]any{"quantity": 1, "reason": "mine"},
		"Authorization", shop.SignIn(t, "customer").Bearer).Status)
	for _, bearer := range []string{"", "Bearer guess"} {
		require.Equal(t, http.StatusUnauthorized,
			post(t, shop, level+"/movements", movement("inbound", 1), "Authorization", bearer).Status)
		require.Equal(t, http.StatusUnauthorized,
			post(t, shop, "/v1/inventory/stock", map[string]any{}, "Authorization", bearer).Status)
	}
	seen := func(headers ...string) []any {
		a := shop.Call(t, name, http.MethodGet, "/v1/inventory/stock?sku="+shoptest.Cap, nil, headers...)
		return figures(a.Body["items"].([]any)[0])
	}
	require.Equal(t, []any{nil, nil, 120.0}, seen())
	require.Equal(t, []any{120.0, 0.0, 120.0}, seen("Authorization", shop.Staff(t)))
}

func TestErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for what, c := range map[string]struct {
		path  string
		body  any
		want  int
		field string
	}{
		"unknown level":     {"/v1/inventory/stock/" + uuid.NewString() + "/movements", movement("inbound", 1), http.StatusNotFound, ""},
		"unknown kind":      {level + "/movements", movement("adjustment", 1), http.StatusBadRequest, "kind"},
		"quantity 0":        {level + "/movements", movement("inbound", 0), http.StatusBadRequest, "quantity"},
		"no reason":         {level + "/movements", map[string]any{"kind": "inbound", "quantity": 1}, http.StatusBadRequest, "reason"},
		"unknown warehouse": {"/v1/inventory/stock", map[string]any{"sku": "X", "warehouse_id": uuid.NewString(), "quantity": 1}, http.StatusBadRequest, "warehouse_id"},
		"strange warehouse": {"/v1/inventory/stock", map[string]any{"sku": "X", "warehouse_id": "urn:uuid:" + uuid.NewString(), "quantity": 1}, http.StatusBadRequest, "warehouse_id"},
	} {
		a := post(t, shop, c.path, c.body)
		require.Equal(t, c.want, a.Status, "%s: %s", what, a.Raw)
		if c.field != "" {
			require.Equal(t, []string{c.field}, a.Fields(), what)
		}
	}
	onHand, _ := shop.Stock(t, shoptest.Cap)
	require.EqualValues(t, 120, onHand)
}
