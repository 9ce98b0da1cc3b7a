package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

// step is an event under its upper-case name, as popup events --alias prints it.
type step struct {
	EventType string  `json:"eventType"`
	OrderID   string  `json:"orderId"`
	Label     *string `json:"inventoryLabel"`
	Quantity  *int64  `json:"inventoryQuantity"`
	Reserved  *bool   `json:"isInventoryReserved"`
}

// goods is a line of a step.
type goods struct {
	label    string
	quantity int64
	reserved bool
}

// shopOf is a shop in which payments succeed with this chance and staff moves the goods.
func shopOf(t *testing.T, success float64) *shoptest.Shop {
	t.Helper()
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = success, "manual" })
}

// EVT-04: one good, one short, one refused and one cancelled order.
func TestTheNineAliasesAreShownWithAllTheirFields(t *testing.T) {
	t.Parallel()
	shop, refusing := shopOf(t, 1), shopOf(t, 0)
	seen := map[string]bool{}
	requireShown := func(shop *shoptest.Shop, orderID, end string, want map[string][]goods) {
		require.Equal(t, want, shown(t, shop, orderID, end))
		for name := range want {
			seen[name] = true
		}
	}

	wanted, held := []goods{{shoptest.Cap, 1, false}}, []goods{{shoptest.Cap, 1, true}}
	requireShown(shop, shop.OrderIn(t, "completed").ID, "ORDER_COMPLETED", map[string][]goods{
		"ORDER_REQUESTED": wanted, "INVENTORY_RESERVED": held, "TRANSACTION_COMPLETED": nil, "ORDER_ACCEPTED": held,
		"ORDER_SHIPPED": held, "ORDER_COMPLETED": held,
	})
	requireShown(shop, shop.OrderIn(t, "cancelled").ID, "ORDER_CANCELLED", map[string][]goods{
		"ORDER_REQUESTED": wanted, "INVENTORY_RESERVED": held, "TRANSACTION_COMPLETED": nil, "ORDER_ACCEPTED": held,
		"ORDER_CANCELLED": held,
	})
	refused := reject(t, refusing, shoptest.Of(shoptest.Cap, 1))
	requireShown(refusing, refused, "ORDER_CANCELLED", map[string][]goods{
		"ORDER_REQUESTED": wanted, "INVENTORY_RESERVED": held, "TRANSACTION_FAILED": nil, "ORDER_CANCELLED": held,
	})
	short := reject(t, shop, shoptest.Of(shoptest.Cap, 1), shoptest.Of(shoptest.Print, 51))
	both := []goods{{shoptest.Cap, 1, false}, {shoptest.Print, 51, false}}
	requireShown(shop, short, "ORDER_CANCELLED", map[string][]goods{
		"ORDER_REQUESTED": both, "INVENTORY_NOT_RESERVED": both, "ORDER_CANCELLED": both,
	})
	require.Len(t, seen, 9)
}

// reject places an order and delivers its events until it is rejected.
func reject(t *testing.T, shop *shoptest.Shop, items ...shoptest.Item) (orderID string) {
	t.Helper()
	placed := shop.Place(t, shoptest.Order(items...))
	shop.AwaitStatus(t, placed.ID, "rejected")
	return placed.ID
}

// shown is what popup events --alias prints of an order under upper-case names, once it shows the order's end.
// Transactions of other tests on the same server hold the log back for a moment.
func shown(t *testing.T, shop *shoptest.Shop, orderID, end string) (of map[string][]goods) {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		command := exec.Command(filepath.Join(bin, "popup"), "events", "--alias", "--order", orderID)
		command.Env = append(os.Environ(), "DATABASE_URL="+shop.URL)
		out, err := command.Output()
		require.NoError(t, err)
		of = map[string][]goods{}
		for line := range strings.Lines(string(out)) {
			var s step
			require.NoError(t, json.Unmarshal([]byte(line), &s), line)
			if s.EventType != "" {
				require.Equal(t, orderID, s.OrderID)
				of[s.EventType] = append(of[s.EventType], s.goods(t)...)
			}
		}
		return of[end] != nil
	}, 30*time.Second, 50*time.Millisecond, end)
	return of
}

// goods is the line of a step, every field of it filled, or nothing where a step is about money.
func (s step) goods(t *testing.T) []goods {
	t.Helper()
	if strings.HasPrefix(s.EventType, "TRANSACTION_") {
		require.Equal(t, step{EventType: s.EventType, OrderID: s.OrderID}, s)
		return nil
	}
	require.True(t, s.Label != nil && s.Quantity != nil && s.Reserved != nil, "%+v", s)
	return []goods{{*s.Label, *s.Quantity, *s.Reserved}}
}
