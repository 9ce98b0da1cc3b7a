// Package tidyshop deletes what has run out. What that is the schema says too: a step sees no more of baskets and sessions.
package tidyshop

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New declares the function.
func New() function.Function {
	return function.Function{
		Name:   "tidy-shop",
		On:     []function.Handler{function.On(function.Each(tidy))},
		Writes: []string{"orders.baskets", "bus.idempotency", "bus.rates", "accounts.sessions", "accounts.throttles", "catalogue.viewed"},
	}
}

// patience is how long a day's tidying may take, so that the call ends before the broker repeats it.
const patience = 10 * time.Second

// tidy deletes batch after batch until nothing is left or its time is over. What is left then goes on the day after.
func tidy(ctx context.Context, tx pgx.Tx, _ events.HousekeepingDue) (events.Event, error) {
	until := time.Now().Add(patience)
	for _, delete := range []func(context.Context, pgx.Tx) (int64, error){baskets, keys, sessions, throttles, rates, views} {
		for gone := int64(batch); gone == batch && time.Now().Before(until); {
			var err error
			if gone, err = delete(ctx, tx); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}
