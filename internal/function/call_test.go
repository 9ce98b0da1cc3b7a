package function_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// outside is an external service that a function calls.
type outside struct {
	call func() error // happens at every call

	mu   sync.Mutex
	keys []string
}

func (o *outside) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.keys
}

// external is a call to an outside service, handled for one event after the other.
type external struct {
	Prepare func(context.Context, pgx.Tx, events.StockReserved) (*string, error)
	Known   func(question string) (answer string, known bool)
	Call    func(ctx context.Context, key string, question string) (string, error)
	Record  func(context.Context, pgx.Tx, events.StockReserved, string, string) ([]events.Event, error)
	Failed  func(context.Context, pgx.Tx, events.StockReserved, string, error) error
}

func (x external) handler() function.Handler {
	type call = function.Call[events.StockReserved, string, string]
	return function.OnCall(function.ExternalCall[events.StockReserved, string, string]{
		Prepare: function.EachCall(func(ctx context.Context, tx pgx.Tx, c *call) (err error) {
			c.Request, err = x.Prepare(ctx, tx, c.Event)
			return err
		}),
		Local: x.Known, Call: x.Call, OnError: x.Failed,
		Record: function.EachCall(func(ctx context.Context, tx pgx.Tx, c *call) error {
			all, err := x.Record(ctx, tx, c.Event, *c.Request, c.Response)
			for _, e := range all {
				c.Emit(e)
			}
			return err
		}),
	})
}

// asking is a function that notes that it will ask, asks, and notes the answer.
func asking(o *outside, change ...func(*external)) function.Function {
	a := external{
		Prepare: func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (*string, error) {
			return &e.OrderID, note(ctx, tx, "prepared")
		},
		Call: func(_ context.Context, key, _ string) (string, error) {
			o.mu.Lock()
			o.keys = append(o.keys, key)
			o.mu.Unlock()
			return "fine", o.call()
		},
		Record: func(ctx context.Context, tx pgx.Tx, e events.StockReserved, question, answer string) ([]events.Event,
			error,
		) {
			return []events.Event{events.OrderConfirmed{OrderID: question}}, note(ctx, tx, answer)
		},
		Failed: func(ctx context.Context, tx pgx.Tx, _ events.StockReserved, _ string, cause error) error {
			return note(ctx, tx, "failed: "+cause.Error())
		},
	}
	for _, c := range change {
		c(&a)
	}
	f := handling(works)
	f.On = []function.Handler{a.handler()}
	return f
}

func fine() error { return nil }

func effects(t *testing.T, shop *shoptest.Shop) []string {
	return shoptest.Scalar[[]string](t, shop, `SELECT coalesce(array_agg(what ORDER BY ctid), '{}') FROM test.effects`)
}

func TestAnExternalCallIsMadeAfterItsPreparationIsDurable(t *testing.T) {
	t.Parallel()
	var shop *shoptest.Shop
	o := &outside{call: func() error {
		require.Equal(t, []string{"prepared"}, effects(t, shop), "others see it")
		require.Zero(t, shoptest.Scalar[int](t, shop, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND (xact_start IS NOT NULL OR state LIKE 'idle in transaction%')`))
		require.Zero(t, count(t, shop, "bus.inbox"), "it is not done")
		return nil
	}}
	shop = open(t, asking(o))
	require.Len(t, shop.Send(t, name, told()), 1)
	require.Equal(t, []string{"prepared", "fine"}, effects(t, shop))
}

func TestEveryAttemptHasTheSameKeyAndFailuresAreRecorded(t *testing.T) {
	t.Parallel()
	away := errors.New("nobody is there")
	o := &outside{call: func() error { return away }}
	shop := open(t, asking(o))
	m := shop.Store(t, told())
	for range 2 {
		require.ErrorIs(t, shop.TryDeliver(t, name, m), away)
	}
	o.call = fine
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.Equal(t, []string{"prepared", "failed: nobody is there", "prepared", "failed: nobody is there", "prepared", "fine"}, effects(t, shop))
	require.Len(t, o.asked(), 3)
	require.Equal(t, []string{o.asked()[0], o.asked()[0]}, o.asked()[1:])

	shop.Send(t, name, told())
	require.NotEqual(t, o.asked()[0], o.asked()[3], "another event has another key")
}

func TestNothingToCallIsDone(t *testing.T) {
	t.Parallel()
	o := &outside{call: fine}
	shop := open(t, asking(o, func(a *external) {
		a.Prepare = func(context.Context, pgx.Tx, events.StockReserved) (*string, error) { return nil, nil }
	}))
	m := shop.Store(t, told())
	require.Empty(t, shop.Deliver(t, name, m))
	require.EqualValues(t, 1, count(t, shop, "bus.inbox"))
	require.Empty(t, o.asked())
}

func TestACallThatIsRecordedIsNotRepeated(t *testing.T) {
	t.Parallel()
	o := &outside{call: fine}
	shop := open(t, asking(o))
	m := shop.Store(t, told())
	for range 3 {
		require.Len(t, shop.Deliver(t, name, m), 1)
	}
	require.Len(t, o.asked(), 1)
	require.Equal(t, []string{"prepared", "fine"}, effects(t, shop))
}

func TestAnUnknownEventLeadsToNoCall(t *testing.T) {
	t.Parallel()
	o := &outside{call: fine}
	shop := open(t, asking(o))
	m := shop.Store(t, told())
	m.ID = uuid.NewString()
	require.NoError(t, shop.TryDeliver(t, name, m))
	require.Empty(t, o.asked())
	require.Empty(t, effects(t, shop))
	require.EqualValues(t, 1, count(t, shop, "bus.dead_letters"))
}

func TestACallThatCannotBeRecordedIsRepeated(t *testing.T) {
	t.Parallel()
	o := &outside{call: fine}
	broken := true
	shop := open(t, asking(o, func(a *external) {
		record := a.Record
		a.Record = func(ctx context.Context, tx pgx.Tx, e events.StockReserved, question, answer string) ([]events.Event,
			error,
		) {
			said, err := record(ctx, tx, e, question, answer)
			if broken {
				err = errors.New("the disk is full")
			}
			return said, err
		}
	}))
	m := shop.Store(t, told())
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "the disk is full")
	broken = false
	require.Len(t, shop.Deliver(t, name, m), 1)
	require.Equal(t, []string{"prepared", "prepared", "fine"}, effects(t, shop))
	require.Equal(t, o.asked()[0], o.asked()[1])
}

func TestTwoDeliveriesAtOnceRecordOneCall(t *testing.T) {
	t.Parallel()
	o := &outside{call: fine}
	shop := open(t, asking(o))
	m := shop.Store(t, told())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { shop.Deliver(t, name, m) })
	}
	all.Wait()
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM test.effects WHERE what = 'fine'`))
	require.Len(t, shop.EmittedFor(t, name, m), 1)
	for _, key := range o.asked() {
		require.Equal(t, o.asked()[0], key)
	}
}

func TestPanicAndPermanentErrorOfACallAreThoseOfAHandler(t *testing.T) {
	t.Parallel()
	o := &outside{call: func() error { panic("no such method") }}
	shop := open(t, asking(o))
	m := shop.Store(t, told())
	require.ErrorContains(t, shop.TryDeliver(t, name, m), "no such method")
	require.Zero(t, count(t, shop, "bus.inbox"))

	o.call = func() error { return function.Permanent(errors.New("it will never work")) }
	require.NoError(t, shop.TryDeliver(t, name, m))
	require.Equal(t, "it will never work", shoptest.Scalar[string](t, shop, `SELECT reason FROM bus.dead_letters`))
}
