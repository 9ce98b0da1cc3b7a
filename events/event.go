// Package events is the language of the shop: facts in the past tense, one file per noun. It does not know who says an
// event, who listens, or how it travels.
package events

import "slices"

// Prefix stands before every type on the wire. It is written here and nowhere else.
const Prefix = "shop.popup."

// Event is something that happened. Its fields are all that a listener needs, and hold no name, mail, phone or address of
// a person.
type Event interface {
	// EventType is noun.past-participle, without the prefix: "order.placed".
	EventType() string
	// About says what the event is about.
	About() About
}

// About is what an event is about: the attributes that every event has beside its data.
type About struct {
	Subject string // id of the aggregate: an order, a payment, a shipment, …
	OrderID string // the order all this is for; empty when there is none
	Version int64  // version of the aggregate after the event; 0 when it has none
	Delayed bool   // a timer of the subject ends within a minute: keep-time is woken by it
}

// Tick marks an event of the clock: it says that something is due, not that something happened.
type Tick interface {
	Event
	tick()
}

// clock is embedded by the ticks.
type clock struct{}

func (clock) tick() {}

// WireType is the type of an event as a CloudEvent bears it.
func WireType(e Event) string { return Prefix + e.EventType() }

// All lists every event, each as its zero value, in the order of the documentation.
func All() []Event {
	return slices.Concat(orders(), stock(), payments(), shipments(), accounts(), mails())
}

// ByType finds the zero value of an event by its type without the prefix.
func ByType(name string) (Event, bool) {
	all := All()
	i := slices.IndexFunc(all, func(e Event) bool { return e.EventType() == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// aliases are the names that an older contract gave to nine of our events. They are labels for people: nothing is sent twice.
var aliases = map[string]string{
	"order.placed":    "ORDER_REQUESTED",
	"stock.reserved":  "INVENTORY_RESERVED",
	"stock.short":     "INVENTORY_NOT_RESERVED",
	"payment.paid":    "TRANSACTION_COMPLETED",
	"payment.failed":  "TRANSACTION_FAILED",
	"order.confirmed": "ORDER_ACCEPTED",
	"order.shipped":   "ORDER_SHIPPED",
	"order.completed": "ORDER_COMPLETED",
	"order.rejected":  "ORDER_CANCELLED",
	"order.expired":   "ORDER_CANCELLED",
	"order.cancelled": "ORDER_CANCELLED",
}

// Alias is the older name of a type, or "".
func Alias(eventType string) string { return aliases[eventType] }
