package orderstore_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/orderstore"
	"github.com/popup-shop/popup/internal/shoptest"
)

func TestVersionThatDoesNotFollowTheLastIsRefused(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	save := func(version int64) error {
		return pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) error {
			o, err := orderstore.Lock(t.Context(), tx, placed.ID)
			require.NoError(t, err)
			require.True(t, o.Hold())
			o.Version = version
			return orderstore.Save(t.Context(), tx, o, "test", "test")
		})
	}
	for _, version := range []int64{0, 2, 7} {
		require.ErrorContains(t, save(version), "cannot follow", version)
	}
	require.NoError(t, save(1))
	require.Equal(t, []string{"1 pending", "2 held"}, shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(version || ' ' || stock ORDER BY version) FROM orders.history WHERE order_id = $1`, placed.ID))
}

func TestMoveThatIsNotInTheTableIsRefused(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	err := pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) error {
		o, err := orderstore.Lock(t.Context(), tx, placed.ID)
		require.NoError(t, err)
		o.Status = order.Shipped
		return orderstore.Save(t.Context(), tx, o, "test", "test")
	})
	require.ErrorContains(t, err, "does not go from pending to shipped")
}

func TestOrderThatDoesNotFulfilTheConditionIsNotLocked(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	require.NoError(t, pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) error {
		o, err := orderstore.LockWithStatus(t.Context(), tx, []string{placed.ID}, order.Delivered)
		require.NoError(t, err)
		require.Equal(t, []*order.Order{nil}, o)
		o, err = orderstore.LockWithStatus(t.Context(), tx, []string{uuid.NewString()}, "")
		require.NoError(t, err)
		require.Equal(t, []*order.Order{nil}, o)
		_, err = shop.Pool.Exec(t.Context(), `SELECT FROM orders.orders FOR UPDATE NOWAIT`)
		return err
	}))
}
