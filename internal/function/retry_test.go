package function_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/shoptest"
)

// contended is a shop with two rows to fight over, and a runtime whose sessions have these settings.
func contended(
	t *testing.T, settings map[string]string, handle func(context.Context, pgx.Tx) error,
) (*shoptest.Shop, func() error) {
	t.Helper()
	shop := open(t, handling(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) ([]events.Event, error) {
		if err := handle(ctx, tx); err != nil {
			return nil, err
		}
		return works(ctx, tx, e)
	}))
	shop.Exec(t, `CREATE TABLE test.rows (id text PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO test.rows VALUES ('a'), ('b')`)
	pool, err := pgxpool.ParseConfig(shop.URL)
	require.NoError(t, err)
	for name, value := range settings {
		pool.ConnConfig.RuntimeParams[name] = value
	}
	rt := &function.Runtime{Sink: shop.Broker, Log: slog.New(slog.DiscardHandler)}
	rt.Pool, err = pgxpool.NewWithConfig(t.Context(), pool)
	require.NoError(t, err)
	t.Cleanup(rt.Pool.Close)
	m := shop.Store(t, told())
	return shop, func() error { return rt.Deliver(t.Context(), shop.Function(t, name), m) }
}

func lock(ctx context.Context, tx pgx.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE test.rows SET n = n + 1 WHERE id = $1`, id)
	return err
}

func begin(t *testing.T, shop *shoptest.Shop) pgx.Tx {
	t.Helper()
	tx, err := shop.Pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it may be over already
	return tx
}

// FUN-12.
func TestLockThatIsNotFreeIsTriedThreeTimes(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	shop, deliver := contended(t, map[string]string{"lock_timeout": "20ms"}, func(ctx context.Context, tx pgx.Tx) error {
		tries.Add(1)
		return lock(ctx, tx, "a")
	})
	holder := begin(t, shop)
	require.NoError(t, lock(t.Context(), holder, "a"))

	err := deliver()
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "55P03", pg.Code)
	require.EqualValues(t, 3, tries.Load())
	requireNothing(t, shop, 1)

	require.NoError(t, holder.Rollback(t.Context()))
	require.NoError(t, deliver())
	require.EqualValues(t, 4, tries.Load())
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

func TestLockThatBecomesFreeIsTakenAtTheNextTry(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	var free func()
	shop, deliver := contended(t, map[string]string{"lock_timeout": "20ms"}, func(ctx context.Context, tx pgx.Tx) error {
		if tries.Add(1) == 2 {
			free()
		}
		return lock(ctx, tx, "a")
	})
	holder := begin(t, shop)
	require.NoError(t, lock(t.Context(), holder, "a"))
	free = func() { require.NoError(t, holder.Rollback(t.Context())) }

	require.NoError(t, deliver())
	require.EqualValues(t, 2, tries.Load())
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// FUN-12.
func TestDeadlockIsResolvedInPlace(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	crossed := make(chan struct{})
	var cross func()
	shop, deliver := contended(t, map[string]string{"deadlock_timeout": "10ms"},
		func(ctx context.Context, tx pgx.Tx) error {
			if err := lock(ctx, tx, "a"); err != nil {
				return err
			}
			if tries.Add(1) == 1 {
				cross()
			}
			return lock(ctx, tx, "b")
		})
	other := begin(t, shop) // looks for deadlocks after a second, when the function has been the victim long since
	require.NoError(t, lock(t.Context(), other, "b"))
	cross = func() {
		go func() {
			defer close(crossed)
			_ = lock(context.Background(), other, "a")
			_ = other.Commit(context.Background())
		}()
		require.Eventually(t, func() bool {
			return shoptest.Scalar[bool](t, shop, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = $1)`,
				other.Conn().PgConn().PID())
		}, 5*time.Second, time.Millisecond)
	}

	require.NoError(t, deliver())
	<-crossed
	require.Contains(t, []int32{2, 3}, tries.Load(), "it may overtake the other before that has woken up, once")
	require.EqualValues(t, 4, shoptest.Scalar[int64](t, shop, `SELECT sum(n) FROM test.rows`),
		"both took both rows, one after the other")
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// FUN-12.
func TestSerialisationFailureIsTriedAgainInPlace(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	var shop *shoptest.Shop
	shop, deliver := contended(t, map[string]string{"default_transaction_isolation": "repeatable read"},
		func(ctx context.Context, tx pgx.Tx) error {
			if tries.Add(1) == 1 { // its snapshot is taken; now another transaction changes the row
				if _, err := tx.Exec(ctx, `SELECT FROM test.rows`); err != nil {
					return err
				}
				shop.Exec(t, `UPDATE test.rows SET n = n + 1`)
			}
			return lock(ctx, tx, "a")
		})

	require.NoError(t, deliver())
	require.EqualValues(t, 2, tries.Load())
	require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, `SELECT n FROM test.rows WHERE id = 'a'`))
	require.EqualValues(t, 1, count(t, shop, "test.effects"))
}

// FUN-12.
func TestOtherErrorsOfTheDatabaseAreNotTriedInPlace(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	_, deliver := contended(t, nil, func(ctx context.Context, tx pgx.Tx) error {
		tries.Add(1)
		_, err := tx.Exec(ctx, `INSERT INTO test.rows VALUES ('a')`)
		return err
	})
	require.Error(t, deliver())
	require.EqualValues(t, 1, tries.Load())
}
