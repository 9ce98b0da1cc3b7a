// Package stock is the rules of holding: what is missing for an order, and from which warehouses its lines are taken. It
// does no input or output.
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

// Take is what is taken from one level for one line.
type Take struct {
	Line     int
	LevelID  string
	Quantity int64
	Held     events.HeldLine
}

// Take takes every line from the levels or, when some lines are short, nothing. onSale names the default warehouse of each
// product that is still sold: it is emptied first, then the others by priority; one line may be split. Lines of one SKU
// share what there is.
func (ls Levels) Take(lines []events.PlacedLine, onSale map[string]string) ([]Take, []events.ShortLine) {
	left := make(map[string]int64, len(ls))
	for _, l := range ls {
		left[l.ID] = l.Available()
	}
	var taken []Take
	var short []events.ShortLine
	for _, line := range lines {
		wanted := line.Quantity
		warehouse, sold := onSale[line.ProductID]
		if !sold {
			short = append(short, shortOf(line, 0, events.WhyGone))
			continue
		}
		for _, l := range ls.inTurn(line.SKU, warehouse) {
			quantity := min(wanted, left[l.ID])
			if quantity <= 0 {
				continue
			}
			left[l.ID] -= quantity
			wanted -= quantity
			taken = append(taken, Take{Line: line.Line, LevelID: l.ID, Quantity: quantity, Held: events.HeldLine{
				Line: line.Line, SKU: line.SKU, Quantity: quantity, WarehouseID: l.WarehouseID, StoreID: line.StoreID,
			}})
		}
		if wanted > 0 {
			short = append(short, shortOf(line, line.Quantity-wanted, events.WhyShort))
		}
	}
	if short != nil {
		return nil, short
	}
	return taken, nil
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
