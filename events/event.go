// Package events is the language of the shop: facts in the past tense, one file per noun. It does not know which
// function emits or consumes an event, or how events are delivered.
package events

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Prefix stands before every type on the wire. It is written here and nowhere else.
const Prefix = "shop.popup."

// Event is something that happened. Its fields are all that a consumer needs, without a name, an e-mail address, a
// phone number or an address of a person.
type Event interface {
	// EventType returns the name, noun.past-participle without the prefix: "order.placed".
	EventType() string
	// About returns the ids of what the event is about.
	About() About
}

// Summarizer is an event that may have more lines than an event can hold: an order or a hold may be split over any
// number of warehouses.
type Summarizer interface {
	Event
	// Summary returns the event without its lines but with what identifies their goods.
	Summary() Event
}

// About is what an event is about: the attributes that every event has beside its data.
type About struct {
	Subject string // id of the aggregate: an order, a payment, a shipment, …
	OrderID string // the order all this is for; empty when there is none
	Version int64  // version of the aggregate after the event; 0 when it has none
	Delayed bool   // a timer of the subject ends within a minute: keep-time is woken by it
}

// Tick marks an event of a schedule: it says that something is due, not that something happened.
type Tick interface {
	Event
	tick()
}

// clock is embedded by the ticks.
type clock struct{}

func (clock) tick() {}

// unpublished is embedded by events that no function consumes: they are stored, for people and reports, and not
// published.
type unpublished struct{}

func (unpublished) storeOnly() {}

// IsStoreOnly reports whether events of a type are stored and not published, since no function consumes them.
func IsStoreOnly(eventType string) bool {
	e, _ := ByType(eventType)
	_, ok := e.(interface{ storeOnly() })
	return ok
}

// unconsumed is embedded by published events that no function of the shop consumes: functions of others may, and
// readers of the event store do.
type unconsumed struct{}

func (unconsumed) withoutConsumer() {}

// HasNoConsumer reports whether no function of the shop consumes events of a type.
func HasNoConsumer(eventType string) bool {
	e, _ := ByType(eventType)
	_, ok := e.(interface{ withoutConsumer() })
	return ok || IsStoreOnly(eventType)
}

// WireType is the type of an event as a CloudEvent bears it.
func WireType(e Event) string { return Prefix + e.EventType() }

// ByType finds the zero value of an event by its type without the prefix.
func ByType(name string) (Event, bool) {
	all := All()
	i := slices.IndexFunc(all, func(e Event) bool { return e.EventType() == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// Read reads the data of an event of a type.
func Read(eventType string, data []byte) (Event, error) {
	zero, known := ByType(eventType)
	if !known {
		return nil, fmt.Errorf("read event: there is no type %q", eventType)
	}
	e := reflect.New(reflect.TypeOf(zero))
	if err := json.Unmarshal(data, e.Interface()); err != nil {
		return nil, fmt.Errorf("read %s: %w", eventType, err)
	}
	return e.Elem().Interface().(Event), nil
}

// older are the names that two older contracts gave to some of our events, the upper-case one first. They are labels
// for people: nothing is sent under them.
var older = map[string][]string{
	"order.placed":    {"ORDER_REQUESTED", "order.created"},
	"stock.reserved":  {"INVENTORY_RESERVED"},
	"stock.short":     {"INVENTORY_NOT_RESERVED"},
	"payment.paid":    {"TRANSACTION_COMPLETED", "order.paid"},
	"payment.failed":  {"TRANSACTION_FAILED"},
	"order.confirmed": {"ORDER_ACCEPTED"},
	"order.advanced":  {"order.status_changed"},
	"points.held":     {"order.points_applied"},
	"order.shipped":   {"ORDER_SHIPPED", "order.shipped"},
	"order.delivered": {"order.delivered"},
	"order.completed": {"ORDER_COMPLETED"},
	"order.rejected":  {"ORDER_CANCELLED"},
	"order.expired":   {"ORDER_CANCELLED"},
	"order.cancelled": {"ORDER_CANCELLED", "order.cancelled"},
}

// Aliases are the older names of a type, the upper-case one first.
func Aliases(eventType string) []string { return slices.Clone(older[eventType]) }

// Alias is the first of the older names of a type, or "".
func Alias(eventType string) string {
	if names := older[eventType]; len(names) > 0 {
		return names[0]
	}
	return ""
}

// TypesOf returns the types that have an older name, in any case of its letters.
func TypesOf(alias string) (types []string) {
	for _, e := range All() {
		isIt := func(name string) bool { return strings.EqualFold(name, alias) }
		if slices.ContainsFunc(older[e.EventType()], isIt) {
			types = append(types, e.EventType())
		}
	}
	return types
}
