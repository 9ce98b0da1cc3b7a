// Package alias shows events as two older contracts did: under their names and in their fields. These are labels for people:
// nothing is sent under them, and nothing is stored.
package alias

import (
	"strings"
	"time"

	"github.com/popup-shop/popup/events"
)

// Order is what an order's rows add where an event does not say it.
type Order struct {
	Number string
	Lines  []events.Line
}

// Upper is an event under its upper-case name.
type Upper struct {
	EventType string `json:"eventType"`
	OrderID   string `json:"orderId"`
}

// Inventory is an event about goods under its upper-case name: one for each line of the order.
type Inventory struct {
	Upper
	Label    string `json:"inventoryLabel"` // the SKU
	Quantity int64  `json:"inventoryQuantity"`
	Reserved bool   `json:"isInventoryReserved"` // held for the order, before it left or was given back
}

// Lower is what every event says under its lower-case name.
type Lower struct {
	EventType   string `json:"event_type"`
	OrderID     string `json:"order_id"`
	OrderNumber string `json:"order_number"`
}

// Created is order.created.
type Created struct {
	Lower
	Currency         string `json:"currency"`
	SubtotalMinor    int64  `json:"subtotal_minor"`
	DeliveryFeeMinor int64  `json:"delivery_fee_minor"`
	TaxMinor         int64  `json:"tax_minor"`
	DiscountMinor    int64  `json:"discount_minor"`
	TotalMinor       int64  `json:"total_minor"`
}

// Paid is order.paid.
type Paid struct {
	Lower
	PaymentID  string `json:"payment_id"`
	Currency   string `json:"currency"`
	TotalMinor int64  `json:"total_minor"`
}

// StatusChanged is order.status_changed.
type StatusChanged struct {
	Lower
	OldStatus string `json:"old_status"`
	NewStatus string `json:"new_status"`
}

// Shipped is order.shipped.
type Shipped struct {
	Lower
	TrackingNumber string `json:"tracking_number"`
	Carrier        string `json:"carrier"`
}

// Delivered is order.delivered.
type Delivered struct {
	Lower
	DeliveredAt time.Time `json:"delivered_at"`
}

// Cancelled is order.cancelled.
type Cancelled struct {
	Lower
	Reason        string `json:"reason"`
	Currency      string `json:"currency"`
	RefundedMinor int64  `json:"refunded_minor"`
}

// Of shows an event under each of its older names: the upper-case one, once for each line where it is about goods, then the
// lower-case one.
func Of(e events.Event, o Order) (shown []any) {
	for _, name := range events.Aliases(e.EventType()) {
		if name == strings.ToUpper(name) {
			shown = append(shown, upper(name, e, o)...)
		} else {
			shown = append(shown, lower(name, e, o))
		}
	}
	return shown
}

func upper(name string, e events.Event, o Order) []any {
	as := Upper{EventType: name, OrderID: e.About().OrderID}
	switch e := e.(type) {
	case events.OrderPlaced:
		return each(as, placed(e.Lines), false)
	case events.StockReserved:
		if e.LinesOmitted {
			return each(as, o.Lines, true)
		}
		return each(as, whole(e.Lines), true)
	case events.StockShort: // every line is held or none, and the event names only those to blame
		return each(as, o.Lines, false)
	case events.OrderConfirmed:
		return each(as, e.Lines, true)
	case events.OrderShipped:
		return each(as, e.Lines, true)
	case events.OrderCompleted:
		return each(as, o.Lines, true)
	case events.OrderRejected:
		return each(as, e.Lines, e.StockHeld)
	case events.OrderExpired:
		return each(as, e.Lines, e.StockHeld)
	case events.OrderCancelled:
		return each(as, e.Lines, e.StockHeld)
	}
	return []any{as} // about money
}

func each(as Upper, lines []events.Line, reserved bool) (shown []any) {
	for _, l := range lines {
		shown = append(shown, Inventory{Upper: as, Label: l.SKU, Quantity: l.Quantity, Reserved: reserved})
	}
	return shown
}

func placed(lines []events.PlacedLine) (all []events.Line) {
	for _, l := range lines {
		all = append(all, events.Line{Line: l.Line, SKU: l.SKU, Quantity: l.Quantity})
	}
	return all
}

// whole puts lines together again that are held in several warehouses.
func whole(held []events.HeldLine) (all []events.Line) {
	at := map[int]int{}
	for _, l := range held {
		i, begun := at[l.Line]
		if !begun {
			i, all = len(all), append(all, events.Line{Line: l.Line, SKU: l.SKU})
			at[l.Line] = i
		}
		all[i].Quantity += l.Quantity
	}
	return all
}

func lower(name string, e events.Event, o Order) any {
	as := Lower{EventType: name, OrderID: e.About().OrderID, OrderNumber: o.Number}
	switch e := e.(type) {
	case events.OrderPlaced:
		return Created{
			Lower: as, Currency: e.Currency, SubtotalMinor: e.SubtotalMinor, DeliveryFeeMinor: e.DeliveryFeeMinor,
			TaxMinor: e.TaxMinor, DiscountMinor: e.DiscountMinor, TotalMinor: e.TotalMinor,
		}
	case events.PaymentPaid:
		return Paid{Lower: as, PaymentID: e.PaymentID, Currency: e.Currency, TotalMinor: e.AmountMinor}
	case events.OrderAdvanced:
		return StatusChanged{Lower: as, OldStatus: e.From, NewStatus: e.To}
	case events.OrderShipped:
		return Shipped{Lower: as, TrackingNumber: e.TrackingNumber, Carrier: e.Carrier}
	case events.OrderDelivered:
		return Delivered{Lower: as, DeliveredAt: e.DeliveredAt}
	case events.OrderCancelled:
		return Cancelled{Lower: as, Reason: e.Reason, Currency: e.Currency, RefundedMinor: e.RefundedMinor}
	}
	return as
}
