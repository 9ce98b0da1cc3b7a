// Package delivery is the rules of shipments: the states that follow each other. It does no input or output.
package delivery

import "slices"

// Cancelled is the state of a shipment whose order was cancelled before the goods left.
const Cancelled = "cancelled"

// next is the state that a shipment moves to by itself when shipping is automatic.
var next = map[string]string{"planned": "preparing", "preparing": "shipped", "shipped": "in_transit", "in_transit": "delivered"}

// Next is the state that follows; ok is false at the end of the way.
func Next(state string) (to string, ok bool) {
	to, ok = next[state]
	return to, ok
}

// Moves of shipments by hand. A parcel is shipped, and what is picked up is delivered with it.
var (
	byCarrier = map[string][]string{
		"planned": {"preparing"}, "preparing": {"shipped"}, "shipped": {"in_transit"}, "in_transit": {"delivered", "failed_delivery"},
		"failed_delivery": {"delivered", "returned"}, "delivered": {"returned"},
	}
	byPickup = map[string][]string{
		"planned": {"preparing"}, "preparing": {"ready_for_pickup"}, "ready_for_pickup": {"picked_up"}, "picked_up": {"delivered"},
		"delivered": {"returned"},
	}
)

// Way returns the states that a shipment goes through when it is set to a state by hand, that one included; ok is false where it
// can't go there. Goods that are not prepared yet are prepared on the way, and what is picked up is delivered.
func Way(from, to string, pickup bool) (states []string, ok bool) {
	moves := byCarrier
	if pickup {
		moves = byPickup
	}
	if from == "planned" && to != "preparing" {
		states, from = append(states, "preparing"), "preparing"
	}
	if !slices.Contains(moves[from], to) {
		return nil, false
	}
	states = append(states, to)
	if to == "picked_up" {
		states = append(states, "delivered")
	}
	return states, true
}

// Cancellable reports whether a shipment can be cancelled together with its order: while it is planned, and while the goods
// of an order that is ready for pickup wait in the store.
func Cancellable(state string, readyForPickup bool) bool {
	return state == "planned" || state == "ready_for_pickup" && readyForPickup
}
