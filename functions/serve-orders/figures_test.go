package serveorders_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

// INS-03: the figures of a day are those of its orders; orders that came to nothing are in the first number only.
func TestFiguresOfADayAreThoseOfItsOrders_INS_03(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, status := range []string{"confirmed", "delivered", "rejected", "cancelled", "pending"} {
		shop.OrderIn(t, status)
	}
	yen := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 2)))
	shop.AwaitStatus(t, yen.ID, "confirmed")
	staff := []string{"Authorization", shop.Staff(t)}
	figures := func(query string) shoptest.Response {
		return shop.Call(t, "serve-orders", http.MethodGet, "/v1/insights/daily"+query, nil, staff...)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	days := items(figures(""))
	require.Len(t, days, 1)
	require.Equal(t, []any{today, 6.0, 3.0, 4.0}, []any{days[0]["day"], days[0]["orders"], days[0]["kept"], days[0]["items"]})
	require.Equal(t, []any{
		map[string]any{"amount_minor": 4800.0, "currency": "EUR"},
		map[string]any{"amount_minor": 8360.0, "currency": "JPY"},
	}, days[0]["revenue"])

	require.Empty(t, items(figures("?from=2020-01-01&to=2020-02-01")))
	require.Len(t, items(figures("?from="+today)), 1)
	for _, query := range []string{"?from=2020-01-02&to=2020-01-01", "?from=2020-01-01&to=2022-01-01"} {
		require.Equal(t, []string{"to"}, figures(query).Fields(), query)
	}
}
