package servestock_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func setTo(t *testing.T, shop *shoptest.Shop, quantity int64) shoptest.Response {
	return as(t, shop, http.MethodPut, level, map[string]any{"quantity": quantity, "reason": "stocktaking"})
}

// STK-03.
func TestLevelsHaveATotal(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for warehouse, quantity := range map[string]int{shoptest.Harbour: 5, shoptest.Canal: 7} {
		require.Equal(t, http.StatusCreated, post(t, shop, "/v1/inventory/stock",
			map[string]any{"sku": "KITE", "warehouse_id": warehouse, "quantity": quantity}).Status)
	}
	items := read(t, shop, "/v1/inventory/stock?sku=KITE")
	require.ElementsMatch(t, []float64{5, 7}, available(items))
	for _, l := range items {
		require.Equal(t, 12.0, l["total_quantity"])
		require.Equal(t, 12.0, l["total_available"])
	}
}

// STK-06.
func TestNewProductHasALevelInItsStoresWarehouse(t *testing.T) {
	t.Parallel()
	shop := open(t)
	made := shop.Call(t, "edit-catalogue", http.MethodPost, "/v1/products", map[string]any{
		"store_id": shoptest.TheStore, "name": "Kite", "sku": "KITE",
		"price": map[string]any{"amount_minor": 1900, "currency": "EUR"},
	}, "Authorization", shop.Staff(t))
	product := made.Body["id"].(string)
	own := read(t, shop, "/v1/inventory/stock?product_id="+product)
	require.Len(t, own, 1)
	require.Equal(t, shoptest.Harbour, own[0]["warehouse_id"])
	require.Equal(t, 0.0, own[0]["quantity"])
	set := as(t, shop, http.MethodPut, "/v1/inventory/stock/"+own[0]["id"].(string),
		map[string]any{"quantity": 3, "reason": "first stock"})
	require.Equal(t, http.StatusOK, set.Status, set.Raw)
	require.EqualValues(t, 3, shoptest.Scalar[int64](t, shop, `
		SELECT on_hand FROM stock.levels l JOIN catalogue.stores s USING (warehouse_id) WHERE l.sku = 'KITE' AND s.store_id = $1`, shoptest.TheStore))
	shown := shop.Call(t, "serve-catalogue", http.MethodGet, "/v1/products/"+product, nil)
	require.Equal(t, 3.0, shown.Body["stock"].(map[string]any)["available"])
}

// vary gives the tee a variant with stock in a warehouse, and returns the ids of both.
func vary(t *testing.T, shop *shoptest.Shop, quantity int) (productID, variantID string) {
	productID = shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`,
		shoptest.Tee)
	variantID = shoptest.Scalar[string](t, shop, `
		INSERT INTO catalogue.variants (variant_id, product_id, sku, name) VALUES (gen_random_uuid(), $1, 'TEE-RED-L', 'red, L') RETURNING variant_id::text`, productID)
	post(t, shop, "/v1/inventory/stock", map[string]any{
		"sku": "TEE-RED-L", "warehouse_id": shoptest.Canal, "quantity": quantity,
	})
	return productID, variantID
}

func TestLevelsAreFoundByProductVariantAndWarehouse(t *testing.T) {
	t.Parallel()
	shop := open(t)
	product, variant := vary(t, shop, 4)
	require.ElementsMatch(t, []float64{200, 100, 4}, available(read(t, shop, "/v1/inventory/stock?product_id="+product)))
	own := read(t, shop, "/v1/inventory/stock?variant_id="+variant)
	require.Len(t, own, 1)
	require.Equal(t, "TEE-RED-L", own[0]["sku"])
	require.Equal(t, product, own[0]["product_id"])
	require.Equal(t, variant, own[0]["variant_id"])
	require.Equal(t, shoptest.Canal, own[0]["warehouse_id"])
	require.ElementsMatch(t, []float64{100, 4},
		available(read(t, shop, "/v1/inventory/stock?product_id="+product+"&warehouse_id="+shoptest.Canal)))
	require.Empty(t, read(t, shop, "/v1/inventory/stock?variant_id="+uuid.NewString()))
	require.Equal(t, []string{"product_id"}, as(t, shop, http.MethodGet,
		"/v1/inventory/stock?product_id=urn:uuid:"+product, nil).Fields())
}

// STK-04.
func TestFiguresAddUpUnderLoad(t *testing.T) {
	t.Parallel()
	shop := open(t)
	product := shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`,
		shoptest.Cap)
	var load sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					held := post(t, shop, "/v1/inventory/reservations",
						map[string]any{"lines": []any{map[string]any{"sku": shoptest.Cap, "quantity": 3}}})
					post(t, shop, level+"/movements", movement("inbound", 2))
					as(t, shop, http.MethodDelete, "/v1/inventory/reservations/"+held.Body["reservation_id"].(string), nil)
				}
			}
		})
	}
	seen := map[any]bool{}
	for range 1000 {
		l := read(t, shop, "/v1/inventory/stock?sku="+shoptest.Cap)[0]
		require.Equal(t, l["quantity"].(float64)-l["reserved"].(float64), l["available"])
		require.Equal(t, shoptest.Cap, l["sku"])
		require.Equal(t, product, l["product_id"])
		require.Equal(t, shoptest.Harbour, l["warehouse_id"])
		for _, field := range []string{"id", "updated_at", "total_available"} {
			require.NotEmpty(t, l[field], field)
		}
		seen[l["available"]] = true
	}
	close(done)
	load.Wait()
	require.Greater(t, len(seen), 10, "there was a load")
}

// STK-08, STK-35.
func TestSetBooksAnAdjustment(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, to := range []int64{9, 4, 0, 5} {
		a := setTo(t, shop, to)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, float64(to), a.Body["available"], a.Raw)
	}
	require.Equal(t, []int64{-111, -5, -4, 5}, shoptest.Scalar[[]int64](t, shop, `
		SELECT array_agg(quantity ORDER BY created_at) FROM stock.movements WHERE kind = 'adjustment' AND reason = 'stocktaking'`))
	var emitted []int64
	for _, m := range shop.Broker.Published() {
		changed := shoptest.EventOf(t, m).(events.StockChanged)
		require.Equal(t, "adjustment", changed.Kind)
		emitted = append(emitted, changed.Available)
	}
	require.Equal(t, []int64{9, 4, 0, 5}, emitted)
}

// STK-08.
func TestQuantityIsNotSetBelowReserved(t *testing.T) {
	t.Parallel()
	shop := open(t)
	hold(t, shop, 20)
	a := setTo(t, shop, 19)
	require.Equal(t, http.StatusConflict, a.Status)
	require.Equal(t, "/problems/not-possible-now", a.Body["type"])
	require.Equal(t, []any{20.0, 20.0, 0.0}, figures(setTo(t, shop, 20).Body))
}

func TestUnchangedQuantityBooksNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	before := shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM stock.movements`)
	require.Equal(t, http.StatusOK, setTo(t, shop, 120).Status)
	require.Equal(t, before, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM stock.movements`))
	require.Empty(t, shop.Broker.Published())
	require.Equal(t, http.StatusNotFound, as(t, shop, http.MethodPut, "/v1/inventory/stock/"+uuid.NewString(),
		map[string]any{"quantity": 1, "reason": "x"}).Status)
}

// STK-11: receive, hold, release, ship, set.
func TestEachChangeBooksAMovement(t *testing.T) {
	t.Parallel()
	shop := open(t)
	began := time.Now().Add(-time.Second)
	post(t, shop, level+"/movements", movement("inbound", 3))
	held := post(t, shop, "/v1/inventory/reservations",
		map[string]any{"lines": []any{map[string]any{"sku": shoptest.Cap, "quantity": 2}}}).Body["reservation_id"].(string)
	as(t, shop, http.MethodDelete, "/v1/inventory/reservations/"+held, nil)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 4)))
	shop.Send(t, "reserve-stock", placed.OrderPlaced)
	shop.Send(t, "move-stock", events.OrderShipped{OrderID: placed.ID})
	setTo(t, shop, 100)

	var got [][]any
	items := read(t, shop, level+"/movements?from="+began.UTC().Format(time.RFC3339))
	for i := range items {
		m := items[len(items)-1-i]
		require.Equal(t, "01900000-0000-7000-8000-000000000203", m["stock_item_id"])
		require.NoError(t, uuid.Validate(m["id"].(string)))
		got = append(got, []any{m["kind"], m["quantity"], m["reference"]})
	}
	require.Equal(t, [][]any{
		{"inbound", 3.0, "staff"},
		{"reservation", 2.0, held},
		{"release", 2.0, held},
		{"reservation", 4.0, placed.ID},
		{"outbound", 4.0, placed.ID},
		{"adjustment", -19.0, "staff"},
	}, got[len(got)-6:])
	require.Len(t, read(t, shop, level+"/movements?kind=release"), 1)
	require.Empty(t, read(t, shop, level+"/movements?to=2020-01-01T00:00:00Z"))
	require.Equal(t, http.StatusNotFound, as(t, shop, http.MethodGet,
		"/v1/inventory/stock/"+uuid.NewString()+"/movements", nil).Status)
}

// What there is least of comes first.
func TestLevelsAreListedByWhatIsLeft(t *testing.T) {
	t.Parallel()
	shop := open(t)
	setTo(t, shop, 0)
	left := available(read(t, shop, "/v1/inventory/stock?sort=available&limit=100"))
	require.True(t, slices.IsSorted(left), left)
	require.Zero(t, left[0])
}
