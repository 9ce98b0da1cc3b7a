// Package tidyshop deletes expired rows once a day, on housekeeping.due. Row-level security lets it see only the
// baskets and sessions that have expired.
package tidyshop

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// New returns the function.
func New() function.Function {
	return function.Function{
		Name: "tidy-shop",
		On:   []function.Handler{function.On(function.Each(tidy))},
		Writes: []string{
			"orders.baskets", "bus.idempotency", "bus.rates", "accounts.sessions", "accounts.throttles", "accounts.resets", "catalogue.viewed",
			"mail.recipients", "payments.notices", "payments.reconciliations",
		},
	}
}

// maxDuration limits the time of a run, so that it ends before the broker redelivers the event.
const maxDuration = 10 * time.Second

// tidy deletes expired rows in batches until none is left or the time is over. The rest is deleted on the next day.
func tidy(ctx context.Context, tx pgx.Tx, _ events.HousekeepingDue) (events.Event, error) {
	until := time.Now().Add(maxDuration)
	for _, e := range expiries {
		deleted := int64(batchSize)
		for deleted == batchSize && time.Now().Before(until) {
			var err error
			deleted, err = e.deleteBatch(ctx, tx)
			if err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}
