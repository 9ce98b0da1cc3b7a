// Package delivery is the rules of shipments: the states that follow each other. It does no input or output.
package delivery

// Cancelled is the state of a shipment whose order was cancelled before the goods left.
const Cancelled = "cancelled"

// next is the state that a shipment moves to by itself when shipping is automatic.
var next = map[string]string{"planned": "preparing", "preparing": "shipped", "shipped": "in_transit", "in_transit": "delivered"}

// Next is the state that follows; ok is false at the end of the way.
func Next(state string) (to string, ok bool) {
	to, ok = next[state]
	return to, ok
}

// Cancellable reports whether a shipment can be cancelled together with its order: while it is planned, and while the
// goods of an order that is ready for pickup wait in the store.
func Cancellable(state string, readyForPickup bool) bool {
	return state == "planned" || state == "ready_for_pickup" && readyForPickup
}
