package local_test

import (
	"cmp"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
)

// visitor is a visitor with a basket.
type visitor struct {
	*shop
	basket client.Basket
	token  string
}

// fill puts things into the basket of a new visitor.
func (s *shop) fill(quantity int64, skus ...string) *visitor {
	s.t.Helper()
	v := &visitor{shop: s}
	for _, sku := range skus {
		basket, err := s.client().AddBasketItem(s.t.Context(), client.AddBasketItemRequest{SKU: sku, Quantity: quantity}, client.BasketToken(v.token))
		require.NoError(s.t, err)
		v.basket, v.token = basket, cmp.Or(basket.Token, v.token)
	}
	return v
}

// order orders the basket with a new key and returns the kind of the refusal, or "".
func (v *visitor) order(wait time.Duration) string {
	v.t.Helper()
	order := orderOf(1)
	order.BasketID = v.basket.ID
	_, err := v.client().PlaceOrder(v.t.Context(), order, client.Key(uuid.NewString()), client.Wait(wait), client.BasketToken(v.token))
	problem := (*client.Problem)(nil)
	if errors.As(err, &problem) {
		require.Equal(v.t, http.StatusConflict, problem.Status)
		return problem.Kind()
	}
	require.NoError(v.t, err)
	return ""
}

// requireBasket demands that the visitor's basket is as it was.
func (v *visitor) requireBasket() {
	v.t.Helper()
	now, err := v.client().GetBasket(v.t.Context(), client.BasketToken(v.token))
	require.NoError(v.t, err)
	require.Equal(v.t, v.basket.ID, now.ID)
	require.Len(v.t, now.Lines, len(v.basket.Lines))
	for i, line := range v.basket.Lines {
		require.Equal(v.t, []any{line.ID, line.SKU, line.Quantity}, []any{now.Lines[i].ID, now.Lines[i].SKU, now.Lines[i].Quantity})
	}
}

// BSK-11: stock that is short, a payment that is refused, and a time that is up.
func TestARefusedOrderGivesItsBasketBack(t *testing.T) {
	t.Parallel()
	t.Run("stock short", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		first, second := s.fill(30, "PRINT-50", "CAP-NAVY"), s.fill(30, "PRINT-50", "CAP-NAVY") // there are 50 prints
		require.Empty(t, first.order(10*time.Second))
		require.Equal(t, "out-of-stock", second.order(10*time.Second))
		second.requireBasket()
		line := second.basket.Lines[0]
		_, err := s.client().ChangeBasketItem(t.Context(), line.ID, client.ChangeBasketItemRequest{Quantity: 10}, client.BasketToken(second.token))
		require.NoError(t, err)
		require.Empty(t, second.order(10*time.Second), "it is ordered once it is corrected")
		s.settle(30 * time.Second)
		s.check()
	})
	t.Run("payment refused", func(t *testing.T) {
		t.Parallel()
		s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.SimulatedSuccess = 0 })
		v := s.fill(2, "MUG-ENAMEL", "CAP-NAVY", "TEE-DROP-01")
		for range 2 {
			require.Equal(t, "payment-refused", v.order(10*time.Second))
			v.requireBasket()
		}
		s.settle(30 * time.Second)
		s.check()
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		s := open(t, func(_ *local.Options, settings *functions.Settings) {
			settings.StockCheckDelay, settings.HoldTime = 3*time.Second, 2*time.Second
		})
		v := s.fill(2, "MUG-ENAMEL", "CAP-NAVY")
		require.Empty(t, v.order(0))
		s.openPage()
		s.settle(60 * time.Second)
		s.check()
		require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'expired'`))
		v.requireBasket()
	})
}
