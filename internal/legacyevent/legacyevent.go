// Package legacyevent shows events in the formats that they had under their older names, for programs that still expect
// those.
package legacyevent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
)

// order is what the formats have of an order that its events do not carry.
type order struct {
	Number string
	Lines  []events.Line
}

// upperCaseEvent is an event under its upper-case name.
type upperCaseEvent struct {
	EventType string `json:"eventType"`
	OrderID   string `json:"orderId"`
}

// upperCaseInventory is an event about goods under its upper-case name: one for each line of the order.
type upperCaseInventory struct {
	upperCaseEvent
	Label    string `json:"inventoryLabel"` // the SKU
	Quantity int64  `json:"inventoryQuantity"`
	Reserved bool   `json:"isInventoryReserved"` // held for the order, before it left or was given back
}

// lowerCaseEvent has the fields of every event in the lower-case format.
type lowerCaseEvent struct {
	EventType   string `json:"event_type"`
	OrderID     string `json:"order_id"`
	OrderNumber string `json:"order_number"`
}

// lowerCaseCreated is order.created.
type lowerCaseCreated struct {
	lowerCaseEvent
	Currency         string `json:"currency"`
	SubtotalMinor    int64  `json:"subtotal_minor"`
	DeliveryFeeMinor int64  `json:"delivery_fee_minor"`
	TaxMinor         int64  `json:"tax_minor"`
	DiscountMinor    int64  `json:"discount_minor"`
	TotalMinor       int64  `json:"total_minor"`
}

// lowerCasePaid is order.paid.
type lowerCasePaid struct {
	lowerCaseEvent
	PaymentID  string `json:"payment_id"`
	Currency   string `json:"currency"`
	TotalMinor int64  `json:"total_minor"`
}

// lowerCaseStatusChanged is order.status_changed.
type lowerCaseStatusChanged struct {
	lowerCaseEvent
	OldStatus string `json:"old_status"`
	NewStatus string `json:"new_status"`
}

// lowerCasePointsApplied is order.points_applied.
type lowerCasePointsApplied struct {
	lowerCaseEvent
	Points     int64  `json:"points"`
	ValueMinor int64  `json:"value_minor"`
	Currency   string `json:"currency"`
}

// lowerCaseShipped is order.shipped.
type lowerCaseShipped struct {
	lowerCaseEvent
	TrackingNumber string `json:"tracking_number"`
	Carrier        string `json:"carrier"`
}

// lowerCaseDelivered is order.delivered.
type lowerCaseDelivered struct {
	lowerCaseEvent
	DeliveredAt time.Time `json:"delivered_at"`
}

// lowerCaseCancelled is order.cancelled.
type lowerCaseCancelled struct {
	lowerCaseEvent
	Reason        string `json:"reason"`
	Currency      string `json:"currency"`
	RefundedMinor int64  `json:"refunded_minor"`
}

// forms shows an event under each of its older names: the upper-case one, once for each line where it is about goods,
// then the lower-case one.
func forms(e events.Event, o order) (shown []any) {
	for _, name := range events.Aliases(e.EventType()) {
		if name == strings.ToUpper(name) {
			shown = append(shown, upperCaseForms(name, e, o)...)
		} else {
			shown = append(shown, lowerCaseForm(name, e, o))
		}
	}
	return shown
}

func upperCaseForms(name string, e events.Event, o order) []any {
	as := upperCaseEvent{EventType: name, OrderID: e.About().OrderID}
	switch e := e.(type) {
	case events.OrderPlaced:
		return inventoryForms(as, placedLines(e.Lines), false)
	case events.StockReserved:
		if e.LinesOmitted {
			return inventoryForms(as, o.Lines, true)
		}
		return inventoryForms(as, heldLines(e.Lines), true)
	case events.StockShort: // every line is held or none, and the event names only those to blame
		return inventoryForms(as, o.Lines, false)
	case events.OrderConfirmed:
		return inventoryForms(as, e.Lines, true)
	case events.OrderShipped:
		return inventoryForms(as, e.Lines, true)
	case events.OrderCompleted:
		return inventoryForms(as, o.Lines, true)
	case events.OrderRejected:
		return inventoryForms(as, e.Lines, e.StockHeld)
	case events.OrderExpired:
		return inventoryForms(as, e.Lines, e.StockHeld)
	case events.OrderCancelled:
		return inventoryForms(as, e.Lines, e.StockHeld)
	}
	return []any{as} // about money
}

func inventoryForms(as upperCaseEvent, lines []events.Line, reserved bool) (shown []any) {
	for _, l := range lines {
		shown = append(shown, upperCaseInventory{upperCaseEvent: as, Label: l.SKU, Quantity: l.Quantity, Reserved: reserved})
	}
	return shown
}

func placedLines(lines []events.PlacedLine) (all []events.Line) {
	for _, l := range lines {
		all = append(all, events.Line{Line: l.Line, SKU: l.SKU, Quantity: l.Quantity})
	}
	return all
}

// heldLines puts lines together again that are held in several warehouses.
func heldLines(held []events.HeldLine) (all []events.Line) {
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

func lowerCaseForm(name string, e events.Event, o order) any {
	as := lowerCaseEvent{EventType: name, OrderID: e.About().OrderID, OrderNumber: o.Number}
	switch e := e.(type) {
	case events.OrderPlaced:
		return lowerCaseCreated{
			lowerCaseEvent: as, Currency: e.Currency, SubtotalMinor: e.SubtotalMinor, DeliveryFeeMinor: e.DeliveryFeeMinor,
			TaxMinor: e.TaxMinor, DiscountMinor: e.DiscountMinor, TotalMinor: e.TotalMinor,
		}
	case events.PaymentPaid:
		return lowerCasePaid{lowerCaseEvent: as, PaymentID: e.PaymentID, Currency: e.Currency, TotalMinor: e.AmountMinor}
	case events.OrderAdvanced:
		return lowerCaseStatusChanged{lowerCaseEvent: as, OldStatus: e.From, NewStatus: e.To}
	case events.PointsHeld:
		return lowerCasePointsApplied{lowerCaseEvent: as, Points: e.Points, ValueMinor: e.ValueMinor, Currency: e.Currency}
	case events.OrderShipped:
		return lowerCaseShipped{lowerCaseEvent: as, TrackingNumber: e.TrackingNumber, Carrier: e.Carrier}
	case events.OrderDelivered:
		return lowerCaseDelivered{lowerCaseEvent: as, DeliveredAt: e.DeliveredAt}
	case events.OrderCancelled:
		return lowerCaseCancelled{lowerCaseEvent: as, Reason: e.Reason, Currency: e.Currency, RefundedMinor: e.RefundedMinor}
	}
	return as
}

// Forms returns events of the event store under their older names, in their order, without those that have none. Each
// is a value to encode as JSON.
func Forms(ctx context.Context, pool *pgxpool.Pool, messages []cloudevent.Message) (shown []any, err error) {
	orders, err := ordersOf(ctx, pool, messages)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if events.Alias(m.Type) == "" {
			continue
		}
		e, err := events.Read(m.Type, m.Data)
		if err != nil {
			return nil, err
		}
		shown = append(shown, forms(e, orders[m.OrderID])...)
	}
	return shown, nil
}

// ordersOf are the orders that events are about, by id.
func ordersOf(ctx context.Context, pool *pgxpool.Pool, messages []cloudevent.Message) (map[string]order, error) {
	ids := []string{}
	for _, m := range messages {
		if m.OrderID != "" {
			ids = append(ids, m.OrderID)
		}
	}
	rows, err := pool.Query(ctx, `
		SELECT order_id::text, order_number, (
			SELECT json_agg(json_build_object('line', line, 'sku', sku, 'quantity', quantity) ORDER BY line)
			FROM orders.lines l WHERE l.order_id = o.order_id)
		FROM orders.orders o
		WHERE order_id = ANY (@ids::uuid[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read orders of events: %w", err)
	}
	orders := map[string]order{}
	var id string
	var o order
	_, err = pgx.ForEachRow(rows, []any{&id, &o.Number, &o.Lines}, func() error {
		orders[id], o.Lines = o, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read orders of events: %w", err)
	}
	return orders, nil
}
