package keeptime_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// ORD-26, STK-26: half a minute before its time nothing is emitted, and the next tick is at that time.
func TestNothingIsDueEarlyAndEachTimeIsWaitedFor(t *testing.T) {
	t.Parallel()
	const ahead = "now() + interval '30 seconds'"
	for what, c := range map[string]struct {
		begin func(*testing.T, *shoptest.Shop) (orderID string)
		at    string
	}{
		"stock check": {
			func(t *testing.T, shop *shoptest.Shop) string {
				placed := place(t, shop)
				shop.ChangeOrder(t, placed.ID, "stock_check_at = "+ahead)
				return placed.ID
			}, `SELECT stock_check_at FROM orders.orders`,
		},
		"deadline": {
			func(t *testing.T, shop *shoptest.Shop) string {
				placed := shop.OrderIn(t, "confirmed")
				shop.ChangeOrder(t, placed.ID, "deadline = "+ahead)
				return placed.ID
			}, `SELECT deadline FROM orders.orders`,
		},
		"rest": {
			func(t *testing.T, shop *shoptest.Shop) string {
				placed := shop.OrderIn(t, "delivered")
				shop.AwaitStatus(t, placed.ID, "")
				shop.ChangeOrder(t, placed.ID, "deadline = "+ahead)
				return placed.ID
			}, `SELECT deadline FROM orders.orders`,
		},
		"shipment": {
			func(t *testing.T, shop *shoptest.Shop) string {
				placed := shop.OrderIn(t, "processing")
				shop.Exec(t, `UPDATE delivery.shipments SET due_at = `+ahead)
				return placed.ID
			}, `SELECT due_at FROM delivery.shipments`,
		},
		"hold": {
			func(t *testing.T, shop *shoptest.Shop) string {
				held := shop.Call(t, "serve-stock", http.MethodPost, "/v1/inventory/reservations", map[string]any{
					"lines": []any{map[string]any{"sku": shoptest.Cap, "quantity": 1}}, "expires_in_s": 30,
				}, "Authorization", shop.SignIn(t, "staff").Bearer, "Idempotency-Key", uuid.NewString())
				require.Equal(t, http.StatusCreated, held.Status, held.Raw)
				return held.Body["reservation_id"].(string)
			}, `SELECT expires_at FROM stock.holds`,
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			shop := open(t, func(s *functions.Settings) {
				s.Shipping, s.CarrierPace, s.CompleteAfter = "auto", time.Hour, time.Hour
				if what == "stock check" {
					s.StockCheckDelay = time.Hour
				}
			})
			subject := c.begin(t, shop)
			due := func() int64 {
				return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event WHERE type LIKE '%.due' AND type <> 'housekeeping.due'`)
			}
			before := due()
			require.Empty(t, tick(t, shop, subject))
			require.Equal(t, before, due())
			require.WithinDuration(t, shoptest.Scalar[time.Time](t, shop, c.at), next(t, shop), 0)
		})
	}
}
