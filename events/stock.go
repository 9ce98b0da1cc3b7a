package events

import "time"

// HeldLine is what is held for one line of an order in one warehouse.
type HeldLine struct {
	Line        int    `json:"line"`
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	WarehouseID string `json:"warehouse_id"`
	StoreID     string `json:"store_id"`
}

// Why a line is short.
const (
	WhyShort = "short" // there are not enough, or none in any warehouse
	WhyGone  = "gone"  // the product is not sold any more
)

// ShortLine is a line that could not be held, and why.
type ShortLine struct {
	Line      int    `json:"line"`
	SKU       string `json:"sku"`
	StoreID   string `json:"store_id"`
	Wanted    int64  `json:"wanted"`
	Available int64  `json:"available"`
	Why       string `json:"why" jsonschema:"short or gone"`
}

// StockLine is a quantity of a SKU in a warehouse.
type StockLine struct {
	SKU         string `json:"sku"`
	WarehouseID string `json:"warehouse_id"`
	Quantity    int64  `json:"quantity"`
}

// An order or a hold may be split over any number of warehouses. Where an event would have more lines than an event can
// hold, they are left out: lines_omitted is true, and skus names the goods. The lines are in the database.

// StockReserved reports that every line of an order is held.
type StockReserved struct {
	OrderID string     `json:"order_id"`
	Lines   []HeldLine `json:"lines"`
	Until   time.Time  `json:"until"`

	LinesOmitted bool     `json:"lines_omitted,omitempty"`
	SKUs         []string `json:"skus,omitempty" jsonschema:"of the lines, where these are left out"`
}

// StockShort reports that nothing is held for an order, and which lines are to blame.
type StockShort struct {
	OrderID string      `json:"order_id"`
	Lines   []ShortLine `json:"lines"`
}

// StockReleased reports that stock was given back that was held for an order, or by hand.
type StockReleased struct {
	OrderID       string      `json:"order_id,omitempty"`
	ReservationID string      `json:"reservation_id,omitempty"` // of what was held by hand
	Lines         []StockLine `json:"lines"`

	LinesOmitted bool     `json:"lines_omitted,omitempty"`
	SKUs         []string `json:"skus,omitempty" jsonschema:"of the lines, where these are left out"`
}

// StockShipped reports that an order's goods left the warehouse.
type StockShipped struct {
	OrderID string      `json:"order_id"`
	Lines   []StockLine `json:"lines"`

	LinesOmitted bool     `json:"lines_omitted,omitempty"`
	SKUs         []string `json:"skus,omitempty" jsonschema:"of the lines, where these are left out"`
}

// StockReturned reports that an order's goods are on the shelf again.
type StockReturned struct {
	unconsumed
	OrderID string      `json:"order_id"`
	Lines   []StockLine `json:"lines"`

	LinesOmitted bool     `json:"lines_omitted,omitempty"`
	SKUs         []string `json:"skus,omitempty" jsonschema:"of the lines, where these are left out"`
}

// StockChanged reports that staff changed a level, and how it stands now.
type StockChanged struct {
	unconsumed
	SKU         string `json:"sku"`
	WarehouseID string `json:"warehouse_id"`
	Kind        string `json:"kind" jsonschema:"inbound, outbound or adjustment"`
	Quantity    int64  `json:"quantity"`
	OnHand      int64  `json:"on_hand"`
	Reserved    int64  `json:"reserved"`
	Available   int64  `json:"available"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
}

// StockDue is a tick: the stock check of an order was put off until now.
type StockDue struct {
	clock
	OrderID string       `json:"order_id"`
	Lines   []PlacedLine `json:"lines"`
}

// ReservationDue is a tick: what is held by hand is held no longer.
type ReservationDue struct {
	clock
	ReservationID string      `json:"reservation_id"`
	Lines         []StockLine `json:"lines"`

	LinesOmitted bool     `json:"lines_omitted,omitempty"`
	SKUs         []string `json:"skus,omitempty" jsonschema:"of the lines, where these are left out"`
}

func (StockReserved) EventType() string  { return "stock.reserved" }
func (StockShort) EventType() string     { return "stock.short" }
func (StockReleased) EventType() string  { return "stock.released" }
func (StockShipped) EventType() string   { return "stock.shipped" }
func (StockReturned) EventType() string  { return "stock.returned" }
func (StockChanged) EventType() string   { return "stock.changed" }
func (StockDue) EventType() string       { return "stock.due" }
func (ReservationDue) EventType() string { return "reservation.due" }

func (e StockReserved) About() About  { return aboutOrder(e.OrderID, 0) }
func (e StockShort) About() About     { return aboutOrder(e.OrderID, 0) }
func (e StockShipped) About() About   { return aboutOrder(e.OrderID, 0) }
func (e StockReturned) About() About  { return aboutOrder(e.OrderID, 0) }
func (e StockChanged) About() About   { return About{Subject: e.SKU} }
func (e StockDue) About() About       { return aboutOrder(e.OrderID, 0) }
func (e ReservationDue) About() About { return About{Subject: e.ReservationID} }

// About is the order, or what was held by hand.
func (e StockReleased) About() About {
	if e.OrderID == "" {
		return About{Subject: e.ReservationID}
	}
	return aboutOrder(e.OrderID, 0)
}

// Touches names what is left of the SKUs.
func (e StockReserved) Touches() []string { return touched(skus(e.Lines, HeldLine.sku), e.SKUs) }

// Touches names what is left of the SKUs.
func (e StockReleased) Touches() []string { return touched(skus(e.Lines, StockLine.sku), e.SKUs) }

// Touches names what is left of the SKUs.
func (e StockReturned) Touches() []string { return touched(skus(e.Lines, StockLine.sku), e.SKUs) }

// Touches names what is left of the SKU.
func (e StockChanged) Touches() []string { return []string{ShownStock, ShownSKU(e.SKU)} }

func (l HeldLine) sku() string  { return l.SKU }
func (l StockLine) sku() string { return l.SKU }

// Summary returns the event with the SKUs of its lines in their place.
func (e StockReserved) Summary() Event {
	e.LinesOmitted, e.SKUs, e.Lines = true, skus(e.Lines, HeldLine.sku), []HeldLine{}
	return e
}

// Summary returns the event with the SKUs of its lines in their place.
func (e StockReleased) Summary() Event {
	e.LinesOmitted, e.SKUs, e.Lines = true, skus(e.Lines, StockLine.sku), []StockLine{}
	return e
}

// Summary returns the event with the SKUs of its lines in their place.
func (e StockShipped) Summary() Event {
	e.LinesOmitted, e.SKUs, e.Lines = true, skus(e.Lines, StockLine.sku), []StockLine{}
	return e
}

// Summary returns the event with the SKUs of its lines in their place.
func (e StockReturned) Summary() Event {
	e.LinesOmitted, e.SKUs, e.Lines = true, skus(e.Lines, StockLine.sku), []StockLine{}
	return e
}

// Summary returns the event with the SKUs of its lines in their place.
func (e ReservationDue) Summary() Event {
	e.LinesOmitted, e.SKUs, e.Lines = true, skus(e.Lines, StockLine.sku), []StockLine{}
	return e
}

// skus returns the SKUs of lines, each once, in their order.
func skus[L any](lines []L, of func(L) string) (all []string) {
	seen := map[string]bool{}
	for _, line := range lines {
		sku := of(line)
		if !seen[sku] {
			all = append(all, sku)
		}
		seen[sku] = true
	}
	return all
}
