package events

import (
	"cmp"
	"time"
)

// PlacedLine is one line of a placed order, with the price it was sold at.
type PlacedLine struct {
	Line           int    `json:"line"`
	ProductID      string `json:"product_id"`
	VariantID      string `json:"variant_id,omitempty"`
	SKU            string `json:"sku"`
	StoreID        string `json:"store_id"`
	Name           string `json:"name"`
	Quantity       int64  `json:"quantity"`
	UnitPriceMinor int64  `json:"unit_price_minor"`
	TotalMinor     int64  `json:"total_minor"`
}

// Thing is the id of what is sold: a variant, or a product.
func (l PlacedLine) Thing() string { return cmp.Or(l.VariantID, l.ProductID) }

// Line is how much of a SKU one line of an order is about.
type Line struct {
	Line     int    `json:"line"`
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// OrderPlaced reports that an order was checked, priced and stored.
type OrderPlaced struct {
	OrderID          string       `json:"order_id"`
	OrderNumber      string       `json:"order_number"`
	Version          int64        `json:"version"`
	CustomerID       string       `json:"customer_id,omitempty"`
	BasketID         string       `json:"basket_id,omitempty"`
	Currency         string       `json:"currency"`
	Lines            []PlacedLine `json:"lines"`
	SubtotalMinor    int64        `json:"subtotal_minor"`
	DeliveryFeeMinor int64        `json:"delivery_fee_minor"`
	TaxMinor         int64        `json:"tax_minor"`
	DiscountMinor    int64        `json:"discount_minor"`
	TotalMinor       int64        `json:"total_minor"`
	Points           int64        `json:"points"`
	SlotID           string       `json:"slot_id,omitempty"`
	PaymentMethod    string       `json:"payment_method"`
	AuthorisationID  string       `json:"authorisation_id,omitempty"`
	Locale           string       `json:"locale"`
	StockCheckAt     time.Time    `json:"stock_check_at"`
	PaymentCheckAt   time.Time    `json:"payment_check_at"`
	Deadline         time.Time    `json:"deadline"`

	// Delayed travels as an attribute, not as data: the Trigger of keep-time filters on it.
	Delayed bool `json:"-"`
}

// OrderConfirmed reports that stock is held and money is sure.
type OrderConfirmed struct {
	OrderID     string `json:"order_id"`
	OrderNumber string `json:"order_number"`
	Version     int64  `json:"version"`
	CustomerID  string `json:"customer_id,omitempty"`
	Currency    string `json:"currency"`
	TotalMinor  int64  `json:"total_minor"`
	Lines       []Line `json:"lines"`
	PaymentID   string `json:"payment_id"`
	SlotID      string `json:"slot_id,omitempty"`
	Pickup      bool   `json:"pickup"`
}

// OrderSettled reports that the money for an order came after it was confirmed.
type OrderSettled struct {
	OrderID     string `json:"order_id"`
	Version     int64  `json:"version"`
	PaymentID   string `json:"payment_id"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

// OrderRejected reports that an order ended because the shop could not serve it. No money was taken.
type OrderRejected struct {
	OrderID   string `json:"order_id"`
	Version   int64  `json:"version"`
	Reason    string `json:"reason"`
	Lines     []Line `json:"lines"`
	StockHeld bool   `json:"stock_held"`
	Points    int64  `json:"points"`
	SlotID    string `json:"slot_id,omitempty"`
	PaymentID string `json:"payment_id,omitempty"`
}

// OrderExpired reports that an order ended unpaid at its deadline.
type OrderExpired struct {
	OrderID   string    `json:"order_id"`
	Version   int64     `json:"version"`
	Deadline  time.Time `json:"deadline"`
	Lines     []Line    `json:"lines"`
	StockHeld bool      `json:"stock_held"`
	Points    int64     `json:"points"`
	SlotID    string    `json:"slot_id,omitempty"`
	PaymentID string    `json:"payment_id,omitempty"`
}

// OrderWithdrawn reports that a cancel was agreed to: the undo begins.
type OrderWithdrawn struct {
	OrderID       string `json:"order_id"`
	Version       int64  `json:"version"`
	FromStatus    string `json:"from_status"`
	By            string `json:"by"`
	Reason        string `json:"reason"`
	Lines         []Line `json:"lines"`
	StockHeld     bool   `json:"stock_held"`
	CapturedMinor int64  `json:"captured_minor"`
	Currency      string `json:"currency"`
	Points        int64  `json:"points"`
	SlotID        string `json:"slot_id,omitempty"`
	PaymentID     string `json:"payment_id,omitempty"`
}

// OrderCancelled reports that nothing is held any more for a withdrawn order.
type OrderCancelled struct {
	OrderID       string `json:"order_id"`
	Version       int64  `json:"version"`
	By            string `json:"by"`
	Reason        string `json:"reason"`
	Lines         []Line `json:"lines"`
	StockHeld     bool   `json:"stock_held"`
	RefundedMinor int64  `json:"refunded_minor"`
	Currency      string `json:"currency"`
}

// OrderHidden reports that staff took an order that has ended out of their lists.
type OrderHidden struct {
	unpublished
	OrderID string `json:"order_id"`
	Version int64  `json:"version"`
	By      string `json:"by"`
}

// OrderAdvanced reports that an order took a step on its way that has no event of its own.
type OrderAdvanced struct {
	OrderID    string    `json:"order_id"`
	Version    int64     `json:"version"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	ShipmentID string    `json:"shipment_id"`
	At         time.Time `json:"at"`
}

// OrderShipped reports that the carrier has the goods.
type OrderShipped struct {
	OrderID        string    `json:"order_id"`
	Version        int64     `json:"version"`
	ShipmentID     string    `json:"shipment_id"`
	TrackingNumber string    `json:"tracking_number"`
	Carrier        string    `json:"carrier"`
	Lines          []Line    `json:"lines"`
	At             time.Time `json:"at"`
}

// OrderDelivered reports that the goods arrived.
type OrderDelivered struct {
	OrderID     string    `json:"order_id"`
	Version     int64     `json:"version"`
	ShipmentID  string    `json:"shipment_id"`
	DeliveredAt time.Time `json:"delivered_at"`
}

// OrderReturned reports that the goods came back.
type OrderReturned struct {
	OrderID    string    `json:"order_id"`
	Version    int64     `json:"version"`
	ShipmentID string    `json:"shipment_id"`
	Lines      []Line    `json:"lines"`
	At         time.Time `json:"at"`
}

// OrderCompleted reports that an order is delivered, paid and over.
type OrderCompleted struct {
	OrderID    string    `json:"order_id"`
	Version    int64     `json:"version"`
	CustomerID string    `json:"customer_id,omitempty"`
	Currency   string    `json:"currency"`
	TotalMinor int64     `json:"total_minor"`
	PaidMinor  int64     `json:"paid_minor"`
	Points     int64     `json:"points"`
	At         time.Time `json:"at"`
}

// OrderStalled reports that an order stood still until its deadline and only staff can move it.
type OrderStalled struct {
	OrderID      string    `json:"order_id"`
	Version      int64     `json:"version"`
	Status       string    `json:"status"`
	Deadline     time.Time `json:"deadline"`
	NextDeadline time.Time `json:"next_deadline"`
}

// OrderOverdue is a tick: the deadline of an open order has passed.
type OrderOverdue struct {
	clock
	OrderID  string    `json:"order_id"`
	Status   string    `json:"status"`
	Deadline time.Time `json:"deadline"`
}

// OrderRested is a tick: a delivered order has rested as long as it should before it is completed.
type OrderRested struct {
	clock
	OrderID     string    `json:"order_id"`
	DeliveredAt time.Time `json:"delivered_at"`
}

func (OrderPlaced) EventType() string    { return "order.placed" }
func (OrderConfirmed) EventType() string { return "order.confirmed" }
func (OrderSettled) EventType() string   { return "order.settled" }
func (OrderRejected) EventType() string  { return "order.rejected" }
func (OrderExpired) EventType() string   { return "order.expired" }
func (OrderWithdrawn) EventType() string { return "order.withdrawn" }
func (OrderCancelled) EventType() string { return "order.cancelled" }
func (OrderHidden) EventType() string    { return "order.hidden" }
func (OrderAdvanced) EventType() string  { return "order.advanced" }
func (OrderShipped) EventType() string   { return "order.shipped" }
func (OrderDelivered) EventType() string { return "order.delivered" }
func (OrderReturned) EventType() string  { return "order.returned" }
func (OrderCompleted) EventType() string { return "order.completed" }
func (OrderStalled) EventType() string   { return "order.stalled" }
func (OrderOverdue) EventType() string   { return "order.overdue" }
func (OrderRested) EventType() string    { return "order.rested" }

func aboutOrder(id string, version int64) About {
	return About{Subject: id, OrderID: id, Version: version}
}

func (e OrderPlaced) About() About {
	about := aboutOrder(e.OrderID, e.Version)
	about.Delayed = e.Delayed
	return about
}
func (e OrderConfirmed) About() About { return aboutOrder(e.OrderID, e.Version) }
func (e OrderSettled) About() About   { return aboutOrder(e.OrderID, e.Version) }
func (e OrderRejected) About() About  { return aboutOrder(e.OrderID, e.Version) }
func (e OrderExpired) About() About   { return aboutOrder(e.OrderID, e.Version) }
func (e OrderWithdrawn) About() About { return aboutOrder(e.OrderID, e.Version) }
func (e OrderCancelled) About() About { return aboutOrder(e.OrderID, e.Version) }
func (e OrderHidden) About() About {
	return About{Subject: e.OrderID, OrderID: e.OrderID, Version: e.Version}
}
func (e OrderAdvanced) About() About  { return aboutOrder(e.OrderID, e.Version) }
func (e OrderShipped) About() About   { return aboutOrder(e.OrderID, e.Version) }
func (e OrderDelivered) About() About { return aboutOrder(e.OrderID, e.Version) }
func (e OrderReturned) About() About  { return aboutOrder(e.OrderID, e.Version) }
func (e OrderCompleted) About() About { return aboutOrder(e.OrderID, e.Version) }
func (e OrderStalled) About() About   { return aboutOrder(e.OrderID, e.Version) }
func (e OrderOverdue) About() About   { return aboutOrder(e.OrderID, 0) }
func (e OrderRested) About() About    { return aboutOrder(e.OrderID, 0) }
