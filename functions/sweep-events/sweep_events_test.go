package sweepevents_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "sweep-events"

// sweep runs a sweep and returns how many events it published.
func sweep(t *testing.T, shop *shoptest.Shop) int {
	t.Helper()
	before := len(shop.Broker.Published())
	require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
	return len(shop.Broker.Published()) - before
}

func TestUndeliveredEventIsRepublished(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	require.Zero(t, sweep(t, shop), "it is on its way")

	shop.Exec(t, `UPDATE bus.subscription SET since = now() - interval '1 h'`)
	shop.Exec(t, `UPDATE bus.event SET created_at = now() - interval '1 minute'`)
	emitted := len(shop.Broker.Published())
	require.Eventually(t, func() bool { return sweep(t, shop) == 1 }, 10*time.Second, 50*time.Millisecond,
		"once no older transaction runs, in no other database either")
	require.Len(t, shop.Broker.Published(), emitted+1)
	got := shop.Broker.Published()
	require.Equal(t, shop.Emitted(t, placed.ID, "order.placed")[0].ID, got[len(got)-1].ID)
	require.Zero(t, sweep(t, shop), "it was just now")

	shop.Deliver(t, "reserve-stock", got[len(got)-1])
	shop.Exec(t, `UPDATE bus.undelivered SET next_at = now()`)
	require.Zero(t, sweep(t, shop), "all consumers have handled it")
}

func TestDeliveredEventIsNotRepublished(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	shop.Deliver(t, "reserve-stock", shop.Emitted(t, placed.ID, "order.placed")[0])
	shop.Send(t, "track-order", events.StockReserved{OrderID: placed.ID})
	shop.Exec(t, `DELETE FROM bus.subscription WHERE consumer <> 'reserve-stock'; UPDATE bus.subscription SET since = now() - interval '1 h'`)
	shop.Exec(t, `UPDATE bus.event SET created_at = now() - interval '1 minute'`)
	require.Zero(t, sweep(t, shop))
}
