package keeptime_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// PTS-12: points are due once when they run out, and can't be used from that moment on.
func TestPointsAreDueWhenTheyRunOut_PTS_12(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.PointsLife = 3 * time.Second })
	ada := shop.SignIn(t, token.Customer)
	given := shop.GivePoints(t, ada.ID, 50)
	lot := given.Body["id"].(string)
	expires := shoptest.Scalar[time.Time](t, shop, `SELECT expires_at FROM points.lots`)
	require.WithinDuration(t, expires, next(t, shop), 0)
	due := func() []string {
		require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
		return shoptest.Scalar[[]string](t, shop, `SELECT coalesce(array_agg(subject), '{}') FROM bus.event WHERE type = 'points.due'`)
	}
	require.Empty(t, due())
	shop.Exec(t, `UPDATE points.lots SET expires_at = now()`)
	a := shop.Call(t, "place-order", "POST", "/v1/orders", shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 1),
		"Authorization", ada.Bearer, "Idempotency-Key", "one", "Prefer", "wait=0")
	require.Equal(t, "/problems/not-enough-points", a.Body["type"], a.Raw)
	require.Equal(t, []string{lot}, due())
	require.Equal(t, []string{lot}, due(), "once")
	lapsed := shop.Send(t, "settle-points", events.PointsDue{CustomerID: ada.ID, EntryID: lot})
	require.Equal(t, []events.Event{events.PointsLapsed{CustomerID: ada.ID, Points: 50, EntryID: lot}}, lapsed)
}
