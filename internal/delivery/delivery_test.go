package delivery_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/delivery"
	"github.com/popup-shop/popup/internal/order"
)

func TestAShipmentMovesByItselfFromPlannedToDelivered(t *testing.T) {
	t.Parallel()
	way := []string{"planned"}
	for to, ok := delivery.Next(way[0]); ok; to, ok = delivery.Next(to) {
		way = append(way, to)
		require.LessOrEqual(t, len(way), 5, "the way has an end")
	}
	require.Equal(t, []string{"planned", "preparing", "shipped", "in_transit", "delivered"}, way)
}

func TestAShipmentThatWaitsForStaffDoesNotMoveByItself(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"ready_for_pickup", "picked_up", "delivered", "failed_delivery", "returned", "cancelled", "lost", ""} {
		to, ok := delivery.Next(state)
		require.False(t, ok, state)
		require.Empty(t, to)
	}
}

func TestTheOrderCanFollowEveryMove(t *testing.T) {
	t.Parallel()
	at := order.Confirmed
	for to, ok := delivery.Next("planned"); ok; to, ok = delivery.Next(to) {
		next, follows := order.StatusFor(to)
		require.True(t, follows, to)
		require.True(t, at.CanMoveTo(next), "%s to %s", at, next)
		at = next
	}
	require.Equal(t, order.Delivered, at)
}

func TestTheDatabaseKnowsEveryState(t *testing.T) {
	t.Parallel()
	sql, err := os.ReadFile("../../migrations/0006_delivery.sql")
	require.NoError(t, err)
	_, known, found := strings.Cut(string(sql), "shipments_status_known CHECK (status IN (")
	require.True(t, found)
	known, _, _ = strings.Cut(known, "))")
	for state, ok := "planned", true; ok; state, ok = delivery.Next(state) {
		require.Contains(t, known, "'"+state+"'")
	}
}
