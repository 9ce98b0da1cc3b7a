package events

// PointsHeld reports that points of an account lower the total of an order. They replace those that were held for it before.
type PointsHeld struct {
	unpublished
	CustomerID string `json:"customer_id"`
	OrderID    string `json:"order_id"`
	Points     int64  `json:"points"`
	ValueMinor int64  `json:"value_minor"`
	Currency   string `json:"currency"`
}

// PointsReturned reports that points which were held or spent for an order are available again.
type PointsReturned struct {
	CustomerID string `json:"customer_id"`
	OrderID    string `json:"order_id"`
	Points     int64  `json:"points"`
}

// PointsSettled reports what a completed order spent and earned.
type PointsSettled struct {
	unpublished
	CustomerID string `json:"customer_id"`
	OrderID    string `json:"order_id"`
	Spent      int64  `json:"spent"`
	Earned     int64  `json:"earned"`
}

// PointsReclaimed reports that a refund took back points that its order had earned.
type PointsReclaimed struct {
	unpublished
	CustomerID string `json:"customer_id"`
	OrderID    string `json:"order_id"`
	Points     int64  `json:"points"`
	Debt       int64  `json:"debt" jsonschema:"how many of them were not there any more"`
}

// PointsLapsed reports that points ran out.
type PointsLapsed struct {
	unpublished
	CustomerID string `json:"customer_id"`
	Points     int64  `json:"points"`
	EntryID    string `json:"entry_id" jsonschema:"with which they had come in"`
}

// PointsAdjusted reports that staff added or took points.
type PointsAdjusted struct {
	unpublished
	CustomerID string `json:"customer_id"`
	Points     int64  `json:"points" jsonschema:"below 0 where they were taken"`
	Reason     string `json:"reason" jsonschema:"a code; what staff wrote is in the entry"`
	By         string `json:"by"`
}

// PointsDue is a tick: points have run out.
type PointsDue struct {
	clock
	CustomerID string `json:"customer_id"`
	EntryID    string `json:"entry_id"`
}

func (PointsHeld) EventType() string      { return "points.held" }
func (PointsReturned) EventType() string  { return "points.returned" }
func (PointsSettled) EventType() string   { return "points.settled" }
func (PointsReclaimed) EventType() string { return "points.reclaimed" }
func (PointsLapsed) EventType() string    { return "points.lapsed" }
func (PointsAdjusted) EventType() string  { return "points.adjusted" }
func (PointsDue) EventType() string       { return "points.due" }

func aboutPoints(customer, order string) About { return About{Subject: customer, OrderID: order} }

func (e PointsHeld) About() About      { return aboutPoints(e.CustomerID, e.OrderID) }
func (e PointsReturned) About() About  { return aboutPoints(e.CustomerID, e.OrderID) }
func (e PointsSettled) About() About   { return aboutPoints(e.CustomerID, e.OrderID) }
func (e PointsReclaimed) About() About { return aboutPoints(e.CustomerID, e.OrderID) }
func (e PointsLapsed) About() About    { return aboutPoints(e.CustomerID, "") }
func (e PointsAdjusted) About() About  { return aboutPoints(e.CustomerID, "") }
func (e PointsDue) About() About       { return About{Subject: e.EntryID} }
