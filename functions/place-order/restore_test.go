package placeorder_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// refusals are the ends of an order that restore its basket.
var refusals = map[string]func(t *testing.T, shop *shoptest.Shop, orderID string){
	"stock short": func(t *testing.T, shop *shoptest.Shop, orderID string) {
		shop.Send(t, "track-order", events.StockShort{OrderID: orderID})
	},
	"payment refused": func(t *testing.T, shop *shoptest.Shop, orderID string) {
		shop.Send(t, "track-order", events.PaymentFailed{OrderID: orderID, PaymentID: uuid.NewString(), Reason: "declined"})
	},
	"expired": func(t *testing.T, shop *shoptest.Shop, orderID string) {
		shop.ChangeOrder(t, orderID, "deadline = now()")
		shop.Send(t, "track-order", events.OrderOverdue{OrderID: orderID})
	},
}

// buyers returns the headers of each kind of caller with a basket.
func buyers(t *testing.T, shop *shoptest.Shop) map[string][]string {
	first := add(t, shop, shoptest.Cap, 2)
	return map[string][]string{
		"account": {"Authorization", shop.SignIn(t, token.Customer).Bearer},
		"guest":   {"Authorization", shop.SignIn(t, token.Guest).Bearer},
		"visitor": {"Popup-Basket-Token", first.Body["basket_token"].(string)},
	}
}

func add(t *testing.T, shop *shoptest.Shop, sku string, quantity int, headers ...string) shoptest.Response {
	t.Helper()
	a := shop.Call(t, "serve-baskets", http.MethodPost, "/v1/basket/items",
		map[string]any{"sku": sku, "quantity": quantity}, headers...)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return a
}

// contents returns the id of a basket, and its SKUs and quantities in order.
func contents(t *testing.T, shop *shoptest.Shop, headers ...string) (id any, lines []any) {
	t.Helper()
	a := shop.Call(t, "serve-baskets", http.MethodGet, "/v1/basket", nil, headers...)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	for _, l := range a.Body["lines"].([]any) {
		lines = append(lines, l.(map[string]any)["sku"], l.(map[string]any)["quantity"])
	}
	return a.Body["id"], lines
}

// BSK-11.
func TestRejectedOrderRestoresItsBasket(t *testing.T) {
	t.Parallel()
	for how, refuse := range refusals {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			shop := open(t)
			for who, headers := range buyers(t, shop) {
				add(t, shop, shoptest.Tee, 3, headers...)
				id, before := contents(t, shop, headers...)
				placed := shop.Place(t, fromBasket(id), headers...)
				closed, _ := contents(t, shop, headers...)
				require.Nil(t, closed, who)

				refuse(t, shop, placed.ID)
				again, after := contents(t, shop, headers...)
				require.Equal(t, id, again, who)
				require.Equal(t, before, after, who)
				second := shop.Place(t, fromBasket(id), headers...)
				require.NotEqual(t, placed.ID, second.ID, "it can be ordered with a new key")
			}
		})
	}
}

// BSK-11: the life of a basket is suspended while it is ordered.
func TestRestoredBasketKeepsItsRemainingLife(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := []string{"Authorization", shop.SignIn(t, token.Customer).Bearer}
	id := add(t, shop, shoptest.Cap, 1, ada...).Body["id"]
	placed := shop.Place(t, fromBasket(id), ada...)
	shop.Exec(t, `ALTER TABLE orders.baskets DISABLE TRIGGER USER`)
	shop.Exec(t, `UPDATE orders.baskets SET expires_at = now() - interval '1 day', updated_at = now() - interval '2 days'`)
	shop.Exec(t, `ALTER TABLE orders.baskets ENABLE TRIGGER USER`)
	shop.Send(t, "tidy-shop", events.HousekeepingDue{HousekeepingID: uuid.NewString(), Day: "2026-01-31"})
	shop.Send(t, "track-order", events.StockShort{OrderID: placed.ID})
	again, lines := contents(t, shop, ada...)
	require.Equal(t, id, again)
	require.Equal(t, []any{shoptest.Cap, 1.0}, lines)
}

// BSK-11: the lines of both baskets, at most 99 of a product.
func TestRestoredBasketIsMergedWithANewOne(t *testing.T) {
	t.Parallel()
	for how, refuse := range refusals {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			shop := open(t)
			for who, headers := range buyers(t, shop) {
				add(t, shop, shoptest.Tee, 60, headers...)
				first, _ := contents(t, shop, headers...)
				placed := shop.Place(t, fromBasket(first), headers...)
				add(t, shop, shoptest.Print, 1, headers...)
				second := add(t, shop, shoptest.Tee, 60, headers...).Body["id"]
				require.NotEqual(t, first, second)

				refuse(t, shop, placed.ID)
				id, lines := contents(t, shop, headers...)
				require.Equal(t, second, id, "the one that the customer has open")
				require.Subset(t, lines, []any{shoptest.Print, 1.0, shoptest.Tee, 99.0}, who)
				shop.Place(t, fromBasket(id), headers...)
			}
		})
	}
}

// BSK-09: an order that was cancelled by its customer, or is being shipped, keeps its basket.
func TestOtherOrdersKeepTheirBasket(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := []string{"Authorization", shop.SignIn(t, token.Customer).Bearer}
	placed := shop.Place(t, fromBasket(add(t, shop, shoptest.Cap, 1, ada...).Body["id"]), ada...)
	cancelled := shop.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+placed.ID+"/cancel",
		map[string]string{"reason": ""},
		append(ada, "Idempotency-Key", "one", "Prefer", "wait=0")...)
	require.Equal(t, http.StatusAccepted, cancelled.Status, cancelled.Raw)
	shop.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "cancelled", shop.Status(t, placed.ID))
	id, _ := contents(t, shop, ada...)
	require.Nil(t, id)
}

// BSK-11: an order is rejected while its customer fills and orders another basket.
func TestConcurrentRestoreLosesNoLine(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for range 10 {
		ada := []string{"Authorization", shop.SignIn(t, token.Customer).Bearer}
		placed := shop.Place(t, fromBasket(add(t, shop, shoptest.Cap, 1, ada...).Body["id"]), ada...)
		shoptest.Concurrently(
			func() shoptest.Response { return add(t, shop, shoptest.Tee, 1, ada...) },
			func() shoptest.Response { return add(t, shop, shoptest.Print, 1, ada...) },
			func() shoptest.Response {
				shop.Send(t, "track-order", events.StockShort{OrderID: placed.ID})
				return shoptest.Response{}
			},
		)
		_, lines := contents(t, shop, ada...)
		require.Subset(t, lines, []any{shoptest.Cap, shoptest.Tee, shoptest.Print})
		require.Len(t, lines, 6)
	}
}

// BSK-11, BSK-06: the basket that a visitor ordered before they signed in is restored to their account.
func TestVisitorsBasketIsRestoredToTheAccount(t *testing.T) {
	t.Parallel()
	shop := open(t)
	first := add(t, shop, shoptest.Cap, 2)
	shown := []string{"Popup-Basket-Token", first.Body["basket_token"].(string)}
	placed := shop.Place(t, fromBasket(first.Body["id"]), shown...)
	ada := []string{"Authorization", shop.SignIn(t, token.Customer).Bearer}
	contents(t, shop, append(ada, shown...)...)
	shop.Send(t, "track-order", events.StockShort{OrderID: placed.ID})
	_, lines := contents(t, shop, ada...)
	require.Equal(t, []any{shoptest.Cap, 2.0}, lines)
}
