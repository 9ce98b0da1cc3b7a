package stock_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/stock"
)

func level(sku, warehouse string, priority int, onHand, reserved int64) stock.Level {
	return stock.Level{
		ID: sku + "@" + warehouse, SKU: sku, WarehouseID: warehouse, Priority: priority, OnHand: onHand, Reserved: reserved,
	}
}

func line(n int, sku string, quantity int64) events.PlacedLine {
	return events.PlacedLine{
		Line: n, ProductID: "product of " + sku, SKU: sku, StoreID: "store of " + sku, Quantity: quantity,
	}
}

func take(n int, sku, warehouse string, quantity int64) stock.Allocation {
	return stock.Allocation{Line: n, LevelID: sku + "@" + warehouse, Quantity: quantity, Held: events.HeldLine{
		Line: n, SKU: sku, Quantity: quantity, WarehouseID: warehouse, StoreID: "store of " + sku,
	}}
}

func short(n int, sku string, wanted, available int64, why string) events.ShortLine {
	return events.ShortLine{Line: n, SKU: sku, StoreID: "store of " + sku, Wanted: wanted, Available: available, Why: why}
}

// sold returns cups and teas as on sale, by default from warehouse W1.
var sold = map[string]string{"product of cup": "W1", "product of tea": "W1"}

func TestTake(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		levels stock.Levels
		lines  []events.PlacedLine
		takes  []stock.Allocation
		short  []events.ShortLine
	}{
		"takes what is there": {
			levels: stock.Levels{level("cup", "W1", 1, 5, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 2)},
			takes:  []stock.Allocation{take(1, "cup", "W1", 2)},
		},
		"takes the last one": {
			levels: stock.Levels{level("cup", "W1", 1, 5, 4)},
			lines:  []events.PlacedLine{line(1, "cup", 1)},
			takes:  []stock.Allocation{take(1, "cup", "W1", 1)},
		},
		"leaves what is held for others": {
			levels: stock.Levels{level("cup", "W1", 1, 5, 4)},
			lines:  []events.PlacedLine{line(1, "cup", 2)},
			short:  []events.ShortLine{short(1, "cup", 2, 1, events.WhyShort)},
		},
		"splits a line: 5 of 3 and 4 are 3 and 2": {
			levels: stock.Levels{level("cup", "W1", 1, 3, 0), level("cup", "W2", 2, 4, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 5)},
			takes:  []stock.Allocation{take(1, "cup", "W1", 3), take(1, "cup", "W2", 2)},
		},
		"empties the default warehouse first, whatever its priority": {
			levels: stock.Levels{level("cup", "W2", 1, 4, 0), level("cup", "W1", 9, 3, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 5)},
			takes:  []stock.Allocation{take(1, "cup", "W1", 3), take(1, "cup", "W2", 2)},
		},
		"then the others by priority": {
			levels: stock.Levels{level("cup", "W2", 3, 1, 0), level("cup", "W3", 1, 1, 0), level("cup", "W4", 2, 1, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 3)},
			takes:  []stock.Allocation{take(1, "cup", "W3", 1), take(1, "cup", "W4", 1), take(1, "cup", "W2", 1)},
		},
		"adds up equal SKUs: 3 and 2 of 5 are held": {
			levels: stock.Levels{level("cup", "W1", 1, 5, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 3), line(2, "cup", 2)},
			takes:  []stock.Allocation{take(1, "cup", "W1", 3), take(2, "cup", "W1", 2)},
		},
		"adds up equal SKUs: 3 and 3 of 5 are short": {
			levels: stock.Levels{level("cup", "W1", 1, 5, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 3), line(2, "cup", 3)},
			short:  []events.ShortLine{short(2, "cup", 3, 2, events.WhyShort)},
		},
		"takes nothing when one line of three is short": {
			levels: stock.Levels{level("cup", "W1", 1, 9, 0), level("tea", "W1", 1, 3, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 1), line(2, "cup", 2), line(3, "tea", 4)},
			short:  []events.ShortLine{short(3, "tea", 4, 3, events.WhyShort)},
		},
		"is short of a SKU that was never stocked": {
			lines: []events.PlacedLine{line(1, "cup", 1)},
			short: []events.ShortLine{short(1, "cup", 1, 0, events.WhyShort)},
		},
		"has none of a product that is not sold any more": {
			levels: stock.Levels{level("cup", "W1", 1, 9, 0), level("old", "W1", 1, 9, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 1), line(2, "old", 1)},
			short:  []events.ShortLine{short(2, "old", 1, 0, events.WhyGone)},
		},
		"names every line that is short": {
			levels: stock.Levels{level("cup", "W1", 1, 1, 0)},
			lines:  []events.PlacedLine{line(1, "cup", 2), line(2, "tea", 1), line(3, "old", 1)},
			short: []events.ShortLine{
				short(1, "cup", 2, 1, events.WhyShort), short(2, "tea", 1, 0, events.WhyShort), short(3, "old", 1, 0,
					events.WhyGone),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takes, short := of.levels.Allocate(of.lines, sold)
			require.Equal(t, of.takes, takes)
			require.Equal(t, of.short, short)
		})
	}
}

// shop is a random shop: the stock of its warehouses, its products, and an order.
type shop struct {
	levels stock.Levels
	onSale map[string]string
	lines  []events.PlacedLine
}

var skus = []string{"cup", "tea", "pot"}

func drawShop(t *rapid.T) (s shop) {
	warehouses := rapid.Permutation([]string{"W1", "W2", "W3", "W4"}).Draw(t, "warehouses")
	s.onSale = map[string]string{}
	for _, sku := range skus {
		for priority, warehouse := range warehouses[:rapid.IntRange(0, 4).Draw(t, "warehouses of "+sku)] {
			onHand := rapid.Int64Range(0, 6).Draw(t, "on hand")
			s.levels = append(s.levels, level(sku, warehouse, priority, onHand, rapid.Int64Range(0, onHand).Draw(t, "reserved")))
		}
		if rapid.IntRange(0, 9).Draw(t, "sold") > 0 {
			s.onSale["product of "+sku] = rapid.SampledFrom(warehouses).Draw(t, "default warehouse")
		}
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "lines") {
		s.lines = append(s.lines, line(n+1, rapid.SampledFrom(skus).Draw(t, "sku"),
			rapid.Int64Range(1, 5).Draw(t, "quantity")))
	}
	return s
}

// possible reports whether there is enough of every SKU for all lines of it together, and all are on sale.
func (s shop) possible() bool {
	left := map[string]int64{}
	for _, l := range s.levels {
		left[l.SKU] += l.OnHand - l.Reserved
	}
	for _, l := range s.lines {
		left[l.SKU] -= l.Quantity
		if _, sold := s.onSale[l.ProductID]; !sold || left[l.SKU] < 0 {
			return false
		}
	}
	return true
}

// oneByOne takes unit after unit from the best level that has one: the naive way to hold a possible order.
func (s shop) oneByOne() map[string]int64 {
	taken, ofLine := map[string]int64{}, map[string]int64{}
	for _, l := range s.lines {
		for range l.Quantity {
			best := s.best(l, taken)
			taken[best.ID]++
			ofLine[fmt.Sprint(l.Line, " from ", best.ID)]++
		}
	}
	return ofLine
}

func (s shop) best(l events.PlacedLine, taken map[string]int64) (best stock.Level) {
	rank := func(of stock.Level) int {
		if of.WarehouseID == s.onSale[l.ProductID] {
			return -1
		}
		return of.Priority
	}
	for _, of := range s.levels {
		if of.SKU == l.SKU && taken[of.ID] < of.Available() && (best.ID == "" || rank(of) < rank(best)) {
			best = of
		}
	}
	return best
}

func TestAllLinesAreTakenAsOneByOneOrNone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawShop(t)
		takes, short := s.levels.Allocate(s.lines, s.onSale)
		if !s.possible() {
			require.Nil(t, takes)
			require.NotEmpty(t, short)
			return
		}
		require.Nil(t, short)
		taken := map[string]int64{}
		for _, take := range takes {
			taken[fmt.Sprint(take.Line, " from ", take.LevelID)] += take.Quantity
		}
		require.Equal(t, s.oneByOne(), taken)
	})
}

func TestNeverMoreIsTakenThanIsAvailable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawShop(t)
		left := map[string]int64{}
		for _, l := range s.levels {
			left[l.ID] = l.Available()
		}
		takes, _ := s.levels.Allocate(s.lines, s.onSale)
		for _, take := range takes {
			require.Positive(t, take.Quantity)
			left[take.LevelID] -= take.Quantity
			require.GreaterOrEqual(t, left[take.LevelID], int64(0))
		}
	})
}

func TestEveryShortLineHasTheMissingQuantity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawShop(t)
		_, short := s.levels.Allocate(s.lines, s.onSale)
		for _, of := range short {
			ordered := s.lines[of.Line-1]
			_, sold := s.onSale[ordered.ProductID]
			require.Equal(t, ordered.Quantity, of.Wanted)
			require.Less(t, of.Available, of.Wanted)
			require.Equal(t, !sold, of.Why == events.WhyGone)
		}
	})
}

func TestTheLevelsThemselvesAreLeftAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawShop(t)
		before := append(stock.Levels(nil), s.levels...)
		s.levels.Allocate(s.lines, s.onSale)
		require.Equal(t, before, s.levels)
	})
}
