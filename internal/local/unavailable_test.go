package local_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	storedeadletter "github.com/popup-shop/popup/functions/store-dead-letter"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// A connection that is cut on the last attempt is no verdict on the event: it is not dead-lettered and is delivered once the
// database is back.
func TestMissingResponseIsNoVerdict(t *testing.T) {
	t.Parallel()
	for what, fault := range map[string]func(context.Context, pgx.Tx) error{
		"the server ends the connection": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		},
		"the response does not arrive": func(ctx context.Context, tx pgx.Tx) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			_, err := tx.Exec(ctx, `SELECT pg_sleep(1)`)
			return err
		},
		"the statement takes too long": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', '10ms', true)`)
			_, err2 := tx.Exec(ctx, `SELECT pg_sleep(1)`)
			return errors.Join(err, err2)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			cut := function.Function{Name: "test-cut", On: []function.Handler{
				function.On(function.Each(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (events.Event, error) {
					tries.Add(1)
					return nil, fault(ctx, tx)
				})),
			}}
			all := []function.Function{cut, storedeadletter.New()}
			shop := shoptest.Open(t, func(struct{}) []function.Function { return all })
			trigger := triggerOf(cut.Name, events.StockReserved{})
			trigger.Delivery.Retry, trigger.Delivery.Delay = 1, 10*time.Millisecond
			e := &local.Engine{
				Functions: all, Triggers: []jetstream.Trigger{trigger}, Profile: jetstream.Spec, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Every: time.Minute,
			}
			e.Tell = local.NewInProcess(&function.Runtime{Pool: shop.Pool, Sink: shop.Broker, Log: e.Log}, all)
			run(t, e, nil)
			require.NoError(t, e.Publish(t.Context(), []cloudevent.Message{shop.Store(t, events.StockReserved{OrderID: orderID()})})[0])
			require.Eventually(t, func() bool { return tries.Load() >= 2 }, 20*time.Second, time.Millisecond, "it is tried again")
			consumers(t, e, e.Triggers, "nothing is left to deliver", atRest)
			require.Equal(t, "", shoptest.Scalar[string](t, shop, `SELECT coalesce(string_agg(reason, ' '), '') FROM bus.dead_letters`))
		})
	}
}
