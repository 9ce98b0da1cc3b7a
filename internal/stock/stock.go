// Package stock is the rules of holding: what is missing for an order, and from which warehouses its lines are taken.
// It does no input or output.
package stock

import (
	"slices"

	"github.com/popup-shop/popup/events"
)

// Level is how much of a SKU there is in one warehouse.
type Level struct {
	ID          string
	SKU         string
	WarehouseID string
	Priority    int // warehouses with lower numbers are emptied first
	OnHand      int64
	Reserved    int64
}

// Available is what can still be held.
func (l Level) Available() int64 { return l.OnHand - l.Reserved }

// Levels are those of all SKUs of an order.
type Levels []Level

// Allocation is what is taken from one level for one line.
type Allocation struct {
	Line     int
	LevelID  string
	Quantity int64
	Held     events.HeldLine
}

// Allocate takes every line from the levels or, when some lines are short, nothing. onSale names the default warehouse
// of each thing that is still sold: it is emptied first, then the others by priority; one line may be split. Lines of
// one SKU share what there is.
func (ls Levels) Allocate(lines []events.PlacedLine, onSale map[string]string) ([]Allocation, []events.ShortLine) {
	left := ls.left()
	var taken []Allocation
	var short []events.ShortLine
	for _, line := range lines {
		warehouse, sold := onSale[line.Thing()]
		if !sold {
			short = append(short, shortOf(line, 0, events.WhyGone))
			continue
		}
		drawn, missing := left.draw(ls.inTurn(line.SKU, warehouse), line.Quantity)
		if missing > 0 {
			short = append(short, shortOf(line, line.Quantity-missing, events.WhyShort))
		}
		for _, d := range drawn {
			taken = append(taken, Allocation{Line: line.Line, LevelID: d.ID, Quantity: d.quantity, Held: events.HeldLine{
				Line: line.Line, SKU: line.SKU, Quantity: d.quantity, WarehouseID: d.WarehouseID, StoreID: line.StoreID,
			}})
		}
	}
	if short != nil {
		return nil, short
	}
	return taken, nil
}

// Reserve counts what was taken as reserved, so that the next order finds what is left.
func (ls Levels) Reserve(taken []Allocation) {
	for _, t := range taken {
		i := slices.IndexFunc(ls, func(l Level) bool { return l.ID == t.LevelID })
		ls[i].Reserved += t.Quantity
	}
}

// Request is a hold made by staff: in one warehouse, or in any.
type Request struct {
	Line        int
	SKU         string
	Quantity    int64
	WarehouseID string
}

// Shortage is what is wanted and not there, and how many of it are.
type Shortage struct {
	Request
	Available int64
}

// Hold takes all that is wanted from the levels, by priority, or nothing. Those who want the same SKU share what there
// is.
func (ls Levels) Hold(wanted []Request) ([]Allocation, []Shortage) {
	left := ls.left()
	var taken []Allocation
	var short []Shortage
	for _, w := range wanted {
		drawn, missing := left.draw(ls.inTurn(w.SKU, "").in(w.WarehouseID), w.Quantity)
		if missing > 0 {
			short = append(short, Shortage{w, w.Quantity - missing})
		}
		for _, d := range drawn {
			taken = append(taken, Allocation{Line: w.Line, LevelID: d.ID, Quantity: d.quantity})
		}
	}
	if short != nil {
		return nil, short
	}
	return taken, nil
}

// left is how much can still be taken, by the ids of levels.
type left map[string]int64

func (ls Levels) left() left {
	available := make(left, len(ls))
	for _, l := range ls {
		available[l.ID] = l.Available()
	}
	return available
}

type drawn struct {
	Level
	quantity int64
}

// draw takes what is wanted from levels in turn, as far as there is any; the rest is missing.
func (l left) draw(from Levels, wanted int64) (taken []drawn, missing int64) {
	for _, level := range from {
		if quantity := min(wanted, l[level.ID]); quantity > 0 {
			l[level.ID] -= quantity
			wanted -= quantity
			taken = append(taken, drawn{level, quantity})
		}
	}
	return taken, wanted
}

// in are the levels of a warehouse, or all when it has no name.
func (ls Levels) in(warehouseID string) Levels {
	if warehouseID == "" {
		return ls
	}
	return slices.DeleteFunc(slices.Clone(ls), func(l Level) bool { return l.WarehouseID != warehouseID })
}

// inTurn are the levels of a SKU in the order in which they are emptied.
func (ls Levels) inTurn(sku, first string) Levels {
	var of Levels
	for _, l := range ls {
		if l.SKU == sku {
			of = append(of, l)
		}
	}
	slices.SortStableFunc(of, func(a, b Level) int {
		if (a.WarehouseID == first) != (b.WarehouseID == first) {
			if a.WarehouseID == first {
				return -1
			}
			return 1
		}
		return a.Priority - b.Priority
	})
	return of
}

func shortOf(line events.PlacedLine, available int64, why string) events.ShortLine {
	return events.ShortLine{
		Line: line.Line, SKU: line.SKU, StoreID: line.StoreID, Wanted: line.Quantity, Available: available, Why: why,
	}
}
