package placeorder_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

const red = "TEE-RED-M"

// CAT-16.
func TestOrderedVariantTakesItsOwnStock(t *testing.T) {
	t.Parallel()
	shop := open(t)
	product, variant := shop.AddVariant(t, shoptest.Tee, red, "red, M", 4100, 5, shoptest.Canal)
	other, _ := shop.AddVariant(t, shoptest.Tee, "TEE-RED-L", "red, L", 0, 5, shoptest.Canal)
	require.Equal(t, product, other)
	for _, by := range []map[string]any{{"variant_id": variant}, {"sku": red}} {
		by["quantity"] = 2
		placed := shop.Place(t, order().With("lines", []any{by}))
		require.Equal(t, []events.PlacedLine{{
			Line: 1, ProductID: product, VariantID: variant, SKU: red, StoreID: shoptest.TheStore,
			Name:     "Low Tide T-shirt, red, M",
			Quantity: 2, UnitPriceMinor: 4100, TotalMinor: 8200,
		}}, placed.Lines)
		require.IsType(t, events.StockReserved{}, shop.Send(t, "reserve-stock", placed.OrderPlaced)[0])

		shown := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID, nil, "Popup-Order-Token", placed.Token)
		line := shown.Body["lines"].([]any)[0].(map[string]any)
		require.Equal(t, product, line["product_id"])
		require.Equal(t, variant, line["variant_id"])
		require.Equal(t, red, line["sku"])
		require.Equal(t, "Low Tide T-shirt, red, M", line["product_name"])
	}
	for sku, reserved := range map[string]int64{red: 4, "TEE-RED-L": 0, shoptest.Tee: 0} {
		_, got := shop.Stock(t, sku)
		require.Equal(t, reserved, got, sku)
	}
}

func TestVariantInheritsThePriceOfItsProduct(t *testing.T) {
	t.Parallel()
	shop := open(t)
	_, variant := shop.AddVariant(t, shoptest.Tee, red, "red, M", 0, 5, shoptest.Canal)
	placed := shop.Place(t, order().With("lines",
		[]any{map[string]any{"variant_id": variant, "quantity": 1}, map[string]any{"sku": shoptest.Tee, "quantity": 1}}))
	require.Equal(t, []int64{3900, 3900}, []int64{placed.Lines[0].UnitPriceMinor, placed.Lines[1].UnitPriceMinor})
	require.Equal(t, []string{red, shoptest.Tee}, []string{placed.Lines[0].SKU, placed.Lines[1].SKU})
}

func TestVariantNotOnSaleIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	product, variant := shop.AddVariant(t, shoptest.Tee, red, "red, M", 0, 5, shoptest.Canal)
	refused := func(field string, line map[string]any) {
		t.Helper()
		line["quantity"] = 1
		require.Equal(t, []string{field}, post(t, shop, order().With("lines", []any{line})).Fields())
	}
	refused("lines[0]", map[string]any{"variant_id": uuid.NewString()})
	refused("lines[0]", map[string]any{"variant_id": product})
	refused("lines[0]", map[string]any{"variant_id": variant, "sku": red})
	refused("lines[0].variant_id", map[string]any{"variant_id": "urn:uuid:" + variant})
	placed := shop.Place(t, order().With("lines", []any{map[string]any{"sku": red, "quantity": 1}}))
	shop.Exec(t, `UPDATE catalogue.variants SET deleted_at = now() WHERE variant_id = $1`, variant)
	for _, line := range []map[string]any{{"variant_id": variant, "quantity": 1}, {"sku": red, "quantity": 1}} {
		require.Equal(t, "/problems/not-on-sale", post(t, shop, order().With("lines", []any{line})).Body["type"])
	}

	short := shop.Send(t, "reserve-stock", placed.OrderPlaced)[0].(events.StockShort)
	require.Equal(t, events.WhyGone, short.Lines[0].Why, "it was deleted before its stock was held")
}
