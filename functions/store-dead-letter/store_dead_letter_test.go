package storedeadletter_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "store-dead-letter"

// deadLetter delivers a dead letter of track-order.
func deadLetter(t *testing.T, shop *shoptest.Shop, m cloudevent.Message, code int, reason string) {
	t.Helper()
	dead := cloudevent.DeadLetter{Message: m, Consumer: "track-order", Code: code, Responded: reason != "", Reason: reason}
	require.NoError(t, shop.Runtime(t, name).StoreDeadLetter(t.Context(), shop.Function(t, name), dead))
}

func parked(t *testing.T, shop *shoptest.Shop) []string {
	return shoptest.Scalar[[]string](t, shop, `
		SELECT coalesce(array_agg(rtrim(concat_ws(' ', kind, consumer, attempts, reason))), '{}') FROM bus.dead_letters WHERE resolved_at IS NULL`)
}

func TestDeadLetterIsStoredWithItsReason(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	m := shop.Store(t, events.StockReserved{OrderID: uuid.NewString()})
	for range 2 {
		deadLetter(t, shop, m, 503, "not now")
	}
	require.Equal(t, []string{"undelivered track-order 2 503 not now"}, parked(t, shop))
}

func TestUnavailableFunctionsEventIsLeftToTheSweeper(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	deadLetter(t, shop, shop.Store(t, events.StockReserved{OrderID: uuid.NewString()}), 0, "")
	require.Empty(t, parked(t, shop))
}

func TestUnknownEventIsStoredAsSuch(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	deadLetter(t, shop, cloudevent.Message{
		ID: "made up", Type: "payment.paid", Source: "/functions/eve", Data: []byte(`{}`),
	}, 0, "")
	require.Equal(t, []string{"unknown track-order 1 0"}, parked(t, shop))
}
