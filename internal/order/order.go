// Package order is the rules of an order: its states, the moves between them, and what follows from a fact. It does no
// input or output and reads no clock.
package order

import (
	"slices"
	"time"

	"github.com/popup-shop/popup/events"
)

// Status is where an order stands.
type Status string

// The fifteen states.
const (
	Pending        Status = "pending"
	Confirmed      Status = "confirmed"
	Processing     Status = "processing"
	ReadyForPickup Status = "ready_for_pickup"
	PickedUp       Status = "picked_up"
	Shipped        Status = "shipped"
	InTransit      Status = "in_transit"
	Delivered      Status = "delivered"
	FailedDelivery Status = "failed_delivery"
	Cancelling     Status = "cancelling"
	Completed      Status = "completed"
	Returned       Status = "returned"
	Cancelled      Status = "cancelled"
	Rejected       Status = "rejected"
	Expired        Status = "expired"
)

// Statuses lists all states.
func Statuses() []Status {
	return []Status{
		Pending, Confirmed, Processing, ReadyForPickup, PickedUp, Shipped, InTransit, Delivered, FailedDelivery,
		Cancelling, Completed, Returned, Cancelled, Rejected, Expired,
	}
}

// moves is the table of the product: where an order may go from each state.
var moves = map[Status][]Status{
	Pending:        {Confirmed, Rejected, Expired, Cancelling},
	Confirmed:      {Processing, Cancelling},
	Processing:     {Shipped, ReadyForPickup},
	ReadyForPickup: {PickedUp, Cancelling},
	PickedUp:       {Delivered},
	Shipped:        {InTransit},
	InTransit:      {Delivered, FailedDelivery},
	Delivered:      {Completed, Returned},
	FailedDelivery: {Delivered, Returned},
	Cancelling:     {Cancelled},
}

// CanMoveTo reports whether an order may go from one state to another.
func (s Status) CanMoveTo(to Status) bool { return slices.Contains(moves[s], to) }

// Ended reports whether the order can no longer change.
func (s Status) Ended() bool { return len(moves[s]) == 0 }

// StockStatus is how an order's stock stands.
type StockStatus string

// The five stock sides.
const (
	StockPending  StockStatus = "pending"
	StockHeld     StockStatus = "held"
	StockShort    StockStatus = "short"
	StockReleased StockStatus = "released"
	StockShipped  StockStatus = "shipped"
)

// PaymentStatus is how an order's payment stands.
type PaymentStatus string

// The eight payment sides.
const (
	PaymentPending    PaymentStatus = "pending"
	PaymentCreated    PaymentStatus = "created"
	PaymentAuthorised PaymentStatus = "authorised"
	PaymentPaid       PaymentStatus = "paid"
	PaymentFailed     PaymentStatus = "failed"
	PaymentExpired    PaymentStatus = "expired"
	PaymentRefunding  PaymentStatus = "refunding"
	PaymentRefunded   PaymentStatus = "refunded"
)

// Secured reports whether the money is captured or authorised.
func (p PaymentStatus) Secured() bool { return p == PaymentAuthorised || p == PaymentPaid }

// Why an order was rejected.
const (
	OutOfStock     = "out_of_stock"
	NotEnoughMoney = "not_enough_money"
	PaymentRefused = "payment_failed"
	Invalid        = "invalid"
)

// Order is the current row of an order.
type Order struct {
	ID             string
	Number         string
	CustomerID     string
	Version        int64
	Status         Status
	Stock          StockStatus
	Payment        PaymentStatus
	Reason         string
	Currency       string
	TotalMinor     int64
	Points         int64 // that are held or spent for it
	PaymentMethod  string
	PaymentID      string
	ShipmentID     string
	Carrier        string
	TrackingNumber string
	WithdrawnBy    string
	Pickup         bool
	Deadline       time.Time // zero once the order has ended
	DeliveredAt    time.Time
	StockCheckAt   time.Time
	Now            time.Time // when the order was read
	Lines          []events.Line
}

// Times are the settings that deadlines are made of.
type Times struct {
	Pay, Pickup, Staff, CompleteAfter time.Duration
}

// deadline is how long an order may stay in a state.
func (t Times) deadline(s Status, p PaymentStatus) time.Duration {
	switch {
	case s == Confirmed && p == PaymentAuthorised:
		return t.Pay
	case s == ReadyForPickup:
		return t.Pickup
	case s == Delivered:
		return t.CompleteAfter
	}
	return t.Staff
}

// MoveTo moves the order to a state and sets the deadline of that state. It reports whether the order may go there.
func (o *Order) MoveTo(to Status, times Times) bool {
	if !o.Status.CanMoveTo(to) {
		return false
	}
	o.Status = to
	o.Deadline = time.Time{}
	if !to.Ended() {
		o.Deadline = o.Now.Add(times.deadline(to, o.Payment))
	}
	return true
}

// Hold notes that every line is held. It reports whether that was news.
func (o *Order) Hold() bool {
	if o.Status.Ended() || o.Stock != StockPending {
		return false
	}
	o.Stock = StockHeld
	return true
}

// Open notes that a payment was opened. It reports whether that was news.
func (o *Order) Open(paymentID string) bool {
	if o.Status.Ended() || o.Payment != PaymentPending {
		return false
	}
	o.Payment, o.PaymentID = PaymentCreated, paymentID
	return true
}

// Authorise notes that the money is set aside. It reports whether that was news.
func (o *Order) Authorise(paymentID string) bool {
	if o.Status.Ended() || o.Payment != PaymentPending {
		return false
	}
	o.Payment, o.PaymentID = PaymentAuthorised, paymentID
	return true
}

// Pay notes that the money was captured. It reports whether that was news.
func (o *Order) Pay(paymentID string) bool {
	if o.Status.Ended() || (o.Payment != PaymentPending && o.Payment != PaymentCreated && o.Payment != PaymentAuthorised) {
		return false
	}
	o.Payment, o.PaymentID = PaymentPaid, paymentID
	return true
}

// Confirmable reports whether stock is held and the money is secured, in whichever order they came.
func (o *Order) Confirmable() bool {
	return o.Status == Pending && o.Stock == StockHeld && o.Payment.Secured()
}

// MustRefund reports whether money that arrives for the order now must be returned: the order is being cancelled, or
// ended without a sale.
func (o *Order) MustRefund() bool {
	return slices.Contains([]Status{Cancelling, Cancelled, Rejected, Expired}, o.Status)
}

// Reject ends a pending order that the shop can't serve.
func (o *Order) Reject(reason string) bool {
	if !o.MoveTo(Rejected, Times{}) {
		return false
	}
	o.Reason = reason
	return true
}

// Cancellable reports whether the order can be cancelled in its status.
func (o *Order) Cancellable() bool { return o.Status.CanMoveTo(Cancelling) }

// Withdraw begins the undo of an order.
func (o *Order) Withdraw(by, reason string, times Times) bool {
	if !o.MoveTo(Cancelling, times) {
		return false
	}
	o.WithdrawnBy, o.Reason = by, reason
	if o.Payment == PaymentPaid && o.TotalMinor > 0 {
		o.Payment = PaymentRefunding
	}
	return true
}

// WithdrawalReason is why an order is undone, as a code: what a customer wrote stays in the row.
func (o *Order) WithdrawalReason() string {
	if o.WithdrawnBy == "clock" {
		return "overdue"
	}
	return "requested"
}

// Shippable reports whether goods may be prepared for the carrier.
func (o *Order) Shippable() bool { return o.Status == Confirmed && o.Payment == PaymentPaid }

// Completable reports whether a delivered order is paid and booked out, and its time for returns has passed.
func (o *Order) Completable() bool {
	return o.Status == Delivered && o.Payment == PaymentPaid && o.Stock == StockShipped && !o.Now.Before(o.Deadline)
}

// HeldStock reports whether stock was held for the order before it ended or was withdrawn.
func (o *Order) HeldStock() bool { return o.Stock == StockHeld }

// along is the way of a shipment, and the state that an order is in at each of its states.
var along = map[string]Status{
	"preparing": Processing, "ready_for_pickup": ReadyForPickup, "picked_up": PickedUp, "shipped": Shipped,
	"in_transit": InTransit, "delivered": Delivered, "failed_delivery": FailedDelivery, "returned": Returned,
}

// StatusFor is the state of an order whose shipment is in a state; ok is false where the order does not follow.
func StatusFor(shipment string) (s Status, ok bool) {
	s, ok = along[shipment]
	return s, ok
}
