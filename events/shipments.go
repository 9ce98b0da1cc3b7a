package events

import "time"

// ShipmentCreated reports that the shipment of an order is planned.
type ShipmentCreated struct {
	unpublished
	ShipmentID     string `json:"shipment_id"`
	OrderID        string `json:"order_id"`
	Carrier        string `json:"carrier"`
	TrackingNumber string `json:"tracking_number"`
	Lines          []Line `json:"lines"`
	SlotID         string `json:"slot_id,omitempty"`
	Pickup         bool   `json:"pickup"`
}

// ShipmentMoved reports that a shipment is in another state than before.
type ShipmentMoved struct {
	ShipmentID  string    `json:"shipment_id"`
	OrderID     string    `json:"order_id"`
	From        string    `json:"from"`
	To          string    `json:"to"`
	Location    string    `json:"location,omitempty"`
	Description string    `json:"description,omitempty"`
	By          string    `json:"by"`
	At          time.Time `json:"at"`
}

// ShipmentDue is a tick: the carrier's next move is due.
type ShipmentDue struct {
	clock
	ShipmentID string    `json:"shipment_id"`
	OrderID    string    `json:"order_id"`
	DueAt      time.Time `json:"due_at"`
}

func (ShipmentCreated) EventType() string { return "shipment.created" }
func (ShipmentMoved) EventType() string   { return "shipment.moved" }
func (ShipmentDue) EventType() string     { return "shipment.due" }

func (e ShipmentCreated) About() About { return About{Subject: e.ShipmentID, OrderID: e.OrderID} }
func (e ShipmentMoved) About() About   { return About{Subject: e.ShipmentID, OrderID: e.OrderID} }
func (e ShipmentDue) About() About     { return About{Subject: e.ShipmentID, OrderID: e.OrderID} }
