package function_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// clock is a schedule that reads due times from a table.
func clock() function.Function {
	return function.Function{
		Name: name, Emits: []events.Event{events.OrderOverdue{}}, Writes: []string{"test.effects", "test.dues"},
		Schedule: func(ctx context.Context, tx pgx.Tx, now time.Time) (said []events.Event, next time.Time, err error) {
			rows, err := tx.Query(ctx, `SELECT order_id::text, at FROM test.dues ORDER BY at`)
			if err != nil {
				return nil, next, err
			}
			var due events.OrderOverdue
			_, err = pgx.ForEachRow(rows, []any{&due.OrderID, &due.Deadline}, func() error {
				if due.Deadline = due.Deadline.UTC(); !due.Deadline.After(now) {
					said = append(said, due)
				} else if next.IsZero() {
					next = due.Deadline
				}
				return nil
			})
			return said, next, err
		},
	}
}

// ticking is a shop with such a clock, and how to strike it.
func ticking(t *testing.T) (*shoptest.Shop, func() error) {
	t.Helper()
	shop := open(t, clock())
	shop.Exec(t, `CREATE TABLE test.dues (order_id uuid NOT NULL, at timestamptz NOT NULL)`)
	rt := shop.Runtime(t, name)
	return shop, func() error { return rt.Tick(t.Context(), shop.Function(t, name)) }
}

// due makes something due for an order.
func due(t *testing.T, shop *shoptest.Shop, orderID string, in time.Duration) {
	t.Helper()
	shop.Exec(t, `INSERT INTO test.dues VALUES ($1, $2)`, orderID, time.Now().Add(in))
}

func requireSaid(t *testing.T, shop *shoptest.Shop, orderID string, within time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool { return len(shop.Emitted(t, orderID, "order.overdue")) == 1 }, within,
		5*time.Millisecond)
}

func TestADueItemIsEmittedOncePerTime(t *testing.T) {
	t.Parallel()
	shop, strike := ticking(t)
	orderID := uuid.Must(uuid.NewV7()).String()
	due(t, shop, orderID, -time.Minute)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { require.NoError(t, strike()) })
	}
	all.Wait()
	requireSaid(t, shop, orderID, time.Second)
	require.Len(t, shop.Broker.Published(), 1)

	due(t, shop, orderID, -time.Second)
	require.NoError(t, strike())
	require.Len(t, shop.Emitted(t, orderID, "order.overdue"), 2, "another time is another tick")
	require.Len(t, shop.Broker.Published(), 2)
}

func TestClockStaysAwakeForWhatIsDueSoon(t *testing.T) {
	t.Parallel()
	shop, strike := ticking(t)
	var orders []string
	for i := range 3 {
		orders = append(orders, uuid.Must(uuid.NewV7()).String())
		due(t, shop, orders[i], time.Duration(i+1)*150*time.Millisecond)
	}
	require.NoError(t, strike())
	require.Empty(t, shop.Broker.Published(), "the answer does not wait")
	for _, orderID := range orders {
		requireSaid(t, shop, orderID, 5*time.Second)
	}
}

func TestClockThatIsAwakeIsWokenForWhatIsDueSooner(t *testing.T) {
	t.Parallel()
	shop, strike := ticking(t)
	later, sooner := uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
	due(t, shop, later, 40*time.Second)
	require.NoError(t, strike())
	due(t, shop, sooner, 200*time.Millisecond)
	require.NoError(t, strike())
	requireSaid(t, shop, sooner, 5*time.Second)
	require.Empty(t, shop.Emitted(t, later, "order.overdue"))
}

func TestClockIsWokenByAnEventThatArmsIt(t *testing.T) {
	t.Parallel()
	shop, _ := ticking(t)
	orderID := uuid.Must(uuid.NewV7()).String()
	due(t, shop, orderID, 200*time.Millisecond)
	require.NoError(t, shop.TryDeliver(t, name, cloudevent.Message{Type: "order.placed"}))
	requireSaid(t, shop, orderID, 5*time.Second)
}

func TestTickIsAboutWhatIsDueAndBeginsATrace(t *testing.T) {
	t.Parallel()
	shop, strike := ticking(t)
	orderID := uuid.Must(uuid.NewV7()).String()
	due(t, shop, orderID, 0)
	require.NoError(t, strike())
	m := shop.Emitted(t, orderID, "order.overdue")[0]
	require.Equal(t, []string{orderID, "/functions/" + name, orderID}, []string{m.Subject, m.Source, m.CausationID})
	require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, m.TraceParent)
}

func TestClockWhoseBrokerIsAwayHasStoredWhatIsDue(t *testing.T) {
	t.Parallel()
	shop, strike := ticking(t)
	orderID := uuid.Must(uuid.NewV7()).String()
	due(t, shop, orderID, 0)
	shop.Broker.Fail(errors.New("the broker is away"))
	require.Error(t, strike())
	require.Len(t, shop.Emitted(t, orderID, "order.overdue"), 1, "the sweeper publishes it")
}
