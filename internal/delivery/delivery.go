// Package delivery is the rules of shipments: the states that follow each other. It does no input or output.
package delivery

// next is the state that a shipment moves to by itself when shipping is automatic.
var next = map[string]string{"planned": "preparing", "preparing": "shipped", "shipped": "in_transit", "in_transit": "delivered"}

// Next is the state that follows; ok is false at the end of the way.
func Next(state string) (to string, ok bool) {
	to, ok = next[state]
	return to, ok
}
