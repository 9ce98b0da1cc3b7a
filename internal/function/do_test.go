package function_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// change records an effect and emits order.confirmed, unless it fails.
func change(orderID string, err error) func(pgx.Tx) ([]events.Event, error) {
	return func(tx pgx.Tx) ([]events.Event, error) {
		if failed := note(context.Background(), tx, orderID); failed != nil {
			return nil, failed
		}
		return []events.Event{events.OrderConfirmed{OrderID: orderID, Version: 2}}, err
	}
}

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestARequestAndItsEventsAreOneTransaction(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	orderID := uuid.Must(uuid.NewV7()).String()
	refused := errors.New("refused")
	require.ErrorIs(t, shop.Runtime(t, name).Do(t.Context(), name, trace, pgbatch.Statement{}, change(orderID, refused)),
		refused)
	requireNothing(t, shop, 0)
	require.Empty(t, shop.Broker.Published())

	require.NoError(t, shop.Runtime(t, name).Do(t.Context(), name, trace, pgbatch.Statement{}, change(orderID, nil)))
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
	m := shop.Emitted(t, orderID, "order.confirmed")[0]
	require.Equal(t, []any{"/functions/" + name, orderID, int64(2), trace},
		[]any{m.Source, m.Subject, m.Version, m.TraceParent})
	got := shop.Broker.Published()
	require.Len(t, got, 1)
	require.Equal(t, []string{m.ID, m.TraceParent}, []string{got[0].ID, got[0].TraceParent})
}

func TestCallIsNotHeldUpByABrokerThatIsSlowOrAway(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	rt := shop.Runtime(t, name)
	for what, sink := range map[string]cloudevent.Publisher{
		"away": broker(func(cloudevent.Message) error { return errors.New("the broker is away") }),
		"slow": slow{},
	} {
		rt.Sink = sink
		orderID := uuid.Must(uuid.NewV7()).String()
		began := time.Now()
		require.NoError(t, rt.Do(t.Context(), name, trace, pgbatch.Statement{}, change(orderID, nil)), what)
		require.Less(t, time.Since(began), 2*time.Second, "%s: 300 ms are the broker's", what)
		require.Len(t, shop.Emitted(t, orderID, "order.confirmed"), 1, "%s: the sweeper publishes it", what)
	}
}

// A program that has just started may need a second for its first connection to the broker: its events do not wait for
// the sweeper.
func TestWhatACallEmitsIsPublishedAfterTheResponse(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	rt := shop.Runtime(t, name)
	rt.Sink = broker(func(m cloudevent.Message) error {
		time.Sleep(time.Second)
		return shop.Broker.Publish(t.Context(), []cloudevent.Message{m})[0]
	})
	began := time.Now()
	require.NoError(t, rt.Do(t.Context(), name, trace, pgbatch.Statement{}, change(uuid.Must(uuid.NewV7()).String(), nil)))
	require.Less(t, time.Since(began), time.Second)
	rt.Wait()
	require.Len(t, shop.Broker.Published(), 1)
}

// slow is a broker that never answers.
type slow struct{}

func (slow) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	<-ctx.Done()
	errs := make([]error, len(messages))
	for i := range errs {
		errs[i] = ctx.Err()
	}
	return errs
}

func TestARequestThatChangesNothingEmitsNothing(t *testing.T) {
	t.Parallel()
	shop := open(t, handling(works))
	require.NoError(t, shop.Runtime(t, name).Do(t.Context(), name, trace, pgbatch.Statement{},
		func(pgx.Tx) ([]events.Event, error) { return nil, nil }))
	requireNothing(t, shop, 0)
}

func TestCallIsTriedAgainInPlaceWhenALockIsNotFree(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	shop, _ := contended(t, nil, nil)
	holder := begin(t, shop)
	require.NoError(t, lock(t.Context(), holder, "a"))
	rt := &function.Runtime{Pool: shop.Pool, Sink: shop.Broker}
	err := rt.Do(t.Context(), name, trace, pgbatch.Statement{}, func(tx pgx.Tx) ([]events.Event, error) {
		if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '20ms'`); err != nil {
			return nil, err
		}
		if tries.Add(1) == 3 {
			require.NoError(t, holder.Rollback(t.Context()))
		}
		return nil, lock(t.Context(), tx, "a")
	})
	require.NoError(t, err)
	require.EqualValues(t, 3, tries.Load())
}
