package keeptime_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// PAY-40: a comparison is due once an hour for each provider that was called in the last 72 hours.
func TestBooksAreComparedEveryHour_PAY_40(t *testing.T) {
	t.Parallel()
	shop := open(t)
	due := func() []string {
		require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
		return shoptest.Scalar[[]string](t, shop, `
			SELECT coalesce(array_agg(data->>'provider' ORDER BY data->>'provider'), '{}') FROM bus.event WHERE type = 'reconciliation.due'`)
	}
	require.Empty(t, due(), "nobody was called")
	place := func(provider, age string) {
		placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
		shop.Exec(t, `
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, check_at, created_at)
			VALUES ($1, $1, $2, $2, 1, 'EUR', now() - interval '1 day', now() - $3::interval)`, placed.ID, provider, age)
	}
	place("card", "73 hours 1 minute")
	require.Empty(t, due(), "nobody was called in that time")
	place("card", "71 hours")
	place("taler", "1 minute")
	require.WithinDuration(t, time.Now().Truncate(time.Hour).Add(time.Hour), next(t, shop), time.Second)
	require.Equal(t, []string{"card", "taler"}, due())
	require.Equal(t, []string{"card", "taler"}, due(), "once")
	place("konbini", "1 minute")
	require.Equal(t, []string{"card", "taler"}, due(), "a provider that was called first in this hour is compared in the next")
	shop.Exec(t, `DELETE FROM bus.event WHERE type = 'reconciliation.due'`)
	require.Equal(t, []string{"card", "konbini", "taler"}, due())
	shop.Exec(t, `UPDATE payments.payments SET check_at = NULL`)
	shop.Exec(t, `DELETE FROM bus.event WHERE type = 'reconciliation.due'`)
	require.Empty(t, due(), "payments that no provider was called for")
}
