package legacyevent

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

func open(t *testing.T) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

// fields are those of an event under one of its older names.
type fields map[string]any

// shown are the events of an order and of one type under one name, as they are printed.
func shown(t *testing.T, shop *shoptest.Shop, orderID, eventType, name string) (all []fields) {
	t.Helper()
	views, err := Forms(t.Context(), shop.Pool, shop.Emitted(t, orderID, eventType))
	require.NoError(t, err)
	for _, view := range views {
		text, err := json.Marshal(view)
		require.NoError(t, err)
		var f fields
		require.NoError(t, json.Unmarshal(text, &f))
		if f["event_type"] == name {
			all = append(all, f)
		}
	}
	return all
}

// row is a row of the database by the names of its columns.
func row(t *testing.T, shop *shoptest.Shop, sql string, args ...any) fields {
	t.Helper()
	return shoptest.Scalar[fields](t, shop, `SELECT to_json(r) FROM (`+sql+`) AS r`, args...)
}

// requireShown checks that an event of a type is printed in a legacy format with the values of the order's rows, and
// that none of them is empty.
func requireShown(t *testing.T, shop *shoptest.Shop, orderID, eventType, name, sql string) {
	t.Helper()
	want := row(t, shop, `SELECT '`+name+`' AS event_type, order_id, order_number, `+sql, orderID)
	for field, value := range want {
		require.NotEmpty(t, value, field)
	}
	require.Equal(t, []fields{want}, shown(t, shop, orderID, eventType, name))
}

// EVT-05.
func TestOrderCreatedCarriesNumberAndTotals(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 3)))
	want := row(t, shop, `
		SELECT 'order.created' AS event_type, order_id, order_number, currency, subtotal_minor, delivery_fee_minor, tax_minor,
			discount_minor, total_minor
		FROM orders.orders WHERE order_id = $1`, placed.ID)
	require.NotZero(t, want["tax_minor"])
	require.Equal(t, []fields{want}, shown(t, shop, placed.ID, "order.placed", "order.created"))
}

// EVT-05.
func TestOrderPaidCarriesPaymentAndTotal(t *testing.T) {
	t.Parallel()
	shop := open(t)
	requireShown(t, shop, shop.OrderIn(t, "confirmed").ID, "payment.paid", "order.paid", `
		payment_id, currency, total_minor FROM orders.orders WHERE order_id = $1`)
}

// EVT-05.
func TestOrderStatusChangedCarriesOldAndNewState(t *testing.T) {
	t.Parallel()
	shop := open(t)
	orderID := shop.OrderIn(t, "in_transit").ID
	want := shoptest.Scalar[[]fields](t, shop, `
		SELECT json_agg(json_build_object('event_type', 'order.status_changed', 'order_id', order_id, 'order_number', order_number,
			'old_status', from_status, 'new_status', to_status) ORDER BY h.version)
		FROM orders.history h JOIN orders.orders USING (order_id)
		WHERE order_id = $1 AND to_status IN ('processing', 'in_transit') AND from_status <> to_status`, orderID)
	require.Len(t, want, 2)
	require.Equal(t, want, shown(t, shop, orderID, "order.advanced", "order.status_changed"))
}

// EVT-05.
func TestOrderShippedCarriesTrackingNumberAndCarrier(t *testing.T) {
	t.Parallel()
	shop := open(t)
	requireShown(t, shop, shop.OrderIn(t, "shipped").ID, "order.shipped", "order.shipped", `
		s.tracking_number, s.carrier FROM orders.orders JOIN delivery.shipments s USING (order_id) WHERE order_id = $1`)
}

// EVT-05.
func TestOrderDeliveredCarriesWhen(t *testing.T) {
	t.Parallel()
	shop := open(t)
	orderID := shop.OrderIn(t, "delivered").ID
	found := shown(t, shop, orderID, "order.delivered", "order.delivered")
	require.Len(t, found, 1)
	at, err := time.Parse(time.RFC3339Nano, found[0]["delivered_at"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, shoptest.Scalar[time.Time](t, shop,
		`SELECT delivered_at FROM orders.orders WHERE order_id = $1`, orderID), at, 0)
	require.Equal(t, shoptest.Scalar[string](t, shop, `SELECT order_number FROM orders.orders WHERE order_id = $1`,
		orderID), found[0]["order_number"])
	require.Equal(t, orderID, found[0]["order_id"])
}

// EVT-05.
func TestOrderCancelledCarriesReasonAndWhatWentBack(t *testing.T) {
	t.Parallel()
	shop := open(t)
	requireShown(t, shop, shop.OrderIn(t, "cancelled").ID, "order.cancelled", "order.cancelled", `
		'requested' AS reason, o.currency, p.refunded_minor
		FROM orders.orders o JOIN payments.payments p USING (order_id) WHERE order_id = $1`)
}

func TestALineThatIsHeldInTwoWarehousesIsShownOnceAndWhole(t *testing.T) {
	t.Parallel()
	reserved := events.StockReserved{OrderID: "o", Lines: []events.HeldLine{
		{Line: 1, SKU: "TEE", Quantity: 1}, {Line: 2, SKU: "CAP", Quantity: 4}, {Line: 1, SKU: "TEE", Quantity: 2},
	}}
	as := upperCaseEvent{EventType: "INVENTORY_RESERVED", OrderID: "o"}
	require.Equal(t, []any{
		upperCaseInventory{upperCaseEvent: as, Label: "TEE", Quantity: 3, Reserved: true},
		upperCaseInventory{upperCaseEvent: as, Label: "CAP", Quantity: 4, Reserved: true},
	}, forms(reserved, order{}))
}

func TestACancelledOrderWasReservedWhenItsStockWasHeld(t *testing.T) {
	t.Parallel()
	lines := []events.Line{{Line: 1, SKU: "CAP", Quantity: 2}}
	for _, held := range []bool{true, false} {
		for _, over := range []events.Event{
			events.OrderRejected{OrderID: "o", Lines: lines, StockHeld: held},
			events.OrderExpired{OrderID: "o", Lines: lines, StockHeld: held},
			events.OrderCancelled{OrderID: "o", Lines: lines, StockHeld: held},
		} {
			require.Equal(t, upperCaseInventory{
				upperCaseEvent: upperCaseEvent{
					EventType: "ORDER_CANCELLED", OrderID: "o",
				}, Label: "CAP", Quantity: 2, Reserved: held,
			}, forms(over, order{})[0], over.EventType())
		}
	}
}

func TestEveryEventIsShownUnderItsAliasesAndNoOther(t *testing.T) {
	t.Parallel()
	for _, zero := range events.All() {
		sample, err := os.ReadFile("../../events/testdata/" + zero.EventType() + ".json")
		require.NoError(t, err)
		e, err := events.Read(zero.EventType(), sample)
		require.NoError(t, err)
		require.Equal(t, events.Aliases(zero.EventType()), names(t, forms(e, order{
			Number: "ORD-20260131-7K3QX9", Lines: []events.Line{{Line: 1, SKU: "CAP", Quantity: 2}},
		})), zero.EventType())
	}
}

// names are the older names under which an event is shown, each once however many lines there are.
func names(t *testing.T, views []any) (all []string) {
	t.Helper()
	for _, view := range views {
		text, err := json.Marshal(view)
		require.NoError(t, err)
		var f struct {
			Upper string `json:"eventType"`
			Lower string `json:"event_type"`
		}
		require.NoError(t, json.Unmarshal(text, &f))
		all = append(all, f.Upper+f.Lower)
	}
	return slices.Compact(all)
}

// EVT-05, PTS-01.
func TestPointsAppliedCarriesPointsAndTheirValue(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := shop.SignIn(t, "customer")
	shop.GivePoints(t, ada.ID, 50)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 3)).With("points", 20), "Authorization", ada.Bearer)
	requireShown(t, shop, placed.ID, "points.held", "order.points_applied", `
		points, points * 10 AS value_minor, currency FROM orders.orders WHERE order_id = $1`)
}
