package shoptest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
)

// moves are how staff takes the shipment of a confirmed order to where the order is in a state.
var moves = map[string][]string{
	"confirmed":        {},
	"processing":       {"preparing"},
	"ready_for_pickup": {"preparing", "ready_for_pickup"},
	"picked_up":        {"preparing", "ready_for_pickup", "picked_up"},
	"shipped":          {"preparing", "shipped"},
	"in_transit":       {"preparing", "shipped", "in_transit"},
	"delivered":        {"preparing", "shipped", "in_transit", "delivered"},
	"completed":        {"preparing", "shipped", "in_transit", "delivered"},
	"failed_delivery":  {"preparing", "shipped", "in_transit", "failed_delivery"},
	"returned":         {"preparing", "shipped", "in_transit", "failed_delivery", "returned"},
}

// OrderIn places an order for one cap and brings it into a status: it delivers all events, and moves the shipment as
// staff. The shop's payments must succeed, and its shipping must be manual.
func (s *Shop) OrderIn(t testing.TB, status string) Placed {
	t.Helper()
	p := s.Place(t, Order(Of(Cap, 1)))
	switch status {
	case "pending":
	case "rejected":
		s.Send(t, "track-order", events.StockShort{OrderID: p.ID})
	case "expired":
		s.ChangeOrder(t, p.ID, "deadline = now()")
		s.Send(t, "track-order", events.OrderOverdue{OrderID: p.ID})
	case "cancelling", "cancelled":
		s.AwaitStatus(t, p.ID, "confirmed")
		s.Cancel(t, p)
		s.AwaitStatus(t, p.ID, status)
	default:
		s.follow(t, p.ID, status)
	}
	require.Equal(t, status, s.Status(t, p.ID))
	return p
}

// follow moves the shipment of an order step by step, and has the order follow.
func (s *Shop) follow(t testing.TB, orderID, status string) {
	t.Helper()
	way, known := moves[status]
	require.True(t, known, "no way leads to %s", status)
	s.AwaitStatus(t, orderID, "confirmed")
	for i, to := range way {
		if i == 0 {
			s.AwaitStatus(t, orderID, "")
		}
		moved := s.MoveShipment(t, orderID, to)
		s.Send(t, "follow-shipment", moved)
	}
	s.AwaitStatus(t, orderID, status)
}
