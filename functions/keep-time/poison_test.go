package keeptime_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/shoptest"
)

// holdMany inserts holds of one cap each that are due, and returns the first.
func holdMany(t *testing.T, shop *shoptest.Shop, n int) (first string) {
	t.Helper()
	shop.SetStock(t, shoptest.Cap, shoptest.Harbour, int64(n))
	shop.Exec(t, `
		WITH made AS (
			INSERT INTO stock.holds (hold_id, by, expires_at)
			SELECT gen_random_uuid(), 'staff', now() - n * interval '1 s' FROM generate_series(1, $1) n
			RETURNING hold_id
		)
		INSERT INTO stock.reservations (hold_id, line, level_id, quantity)
		SELECT hold_id, 1, level_id, 1 FROM made, stock.levels WHERE sku = $2`, n, shoptest.Cap)
	return shoptest.Scalar[string](t, shop, `SELECT hold_id::text FROM stock.holds ORDER BY expires_at LIMIT 1`)
}

// releaseDue delivers the events of due reservations to release-stock.
func releaseDue(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	var all sync.WaitGroup
	for _, m := range shop.Broker.Published() {
		if m.Type == "reservation.due" {
			all.Go(func() { shop.Deliver(t, "release-stock", m) })
		}
	}
	all.Wait()
}

func holds(t *testing.T, shop *shoptest.Shop, status string) int64 {
	t.Helper()
	return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM stock.holds WHERE status = $1`, status)
}

func runTick(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	require.NoError(t, shop.Runtime(t, name).Tick(t.Context(), shop.Function(t, name)))
}

// FUN-17.
func TestUnstorableDueItemStopsNoOther(t *testing.T) {
	t.Parallel()
	shop := open(t)
	poisoned := holdMany(t, shop, 1000)
	shop.Exec(t, `ALTER TABLE bus.event ADD CONSTRAINT no_poison CHECK (subject <> '`+poisoned+`')`)
	runTick(t, shop)
	require.Eventually(t, func() bool {
		return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event WHERE type = 'reservation.due'`) == 999
	}, 10*time.Second, 10*time.Millisecond, shop.Log())
	releaseDue(t, shop)
	require.Equal(t, []int64{999, 1}, []int64{holds(t, shop, "expired"), holds(t, shop, "held")})

	runTick(t, shop)
	dead, err := eventstore.ListDeadLetters(t.Context(), shop.Pool, name)
	require.NoError(t, err)
	require.Len(t, dead, 1)
	require.Equal(t, "poison", dead[0].Kind, "it is not tried again")
	require.Equal(t, "reservation.due", dead[0].Type, "it is not tried again")
	require.Equal(t, 1, dead[0].Attempts, "it is not tried again")
	require.Contains(t, dead[0].Reason, "no_poison")
	require.Contains(t, dead[0].Event, poisoned)
	requireDeadLetterShows(t, shop)

	shop.Exec(t, `ALTER TABLE bus.event DROP CONSTRAINT no_poison`)
	n, err := eventstore.Redrive(t.Context(), shop.Pool, "ann", name)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	runTick(t, shop)
	releaseDue(t, shop)
	require.Zero(t, holds(t, shop, "held"))
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL`))
}

// requireDeadLetterShows requires that status, metrics and popup check count one dead letter.
func requireDeadLetterShows(t *testing.T, shop *shoptest.Shop) {
	t.Helper()
	status := shop.Call(t, "serve-gateway", http.MethodGet, "/v1/status", nil)
	require.Contains(t, status.Raw, `{"name":"dead-letters","ok":false`)
	metrics := shop.Call(t, "serve-gateway", http.MethodGet, "/metrics", nil, "Authorization", shop.Staff(t))
	require.Contains(t, metrics.Raw, `popup_dead_letters{function="keep-time"} 1`)
	promises, err := invariant.Check(t.Context(), shop.Pool, false)
	require.NoError(t, err)
	for _, p := range promises {
		if p.Promise == "there is no open dead letter" {
			require.EqualValues(t, 1, p.Broken)
			return
		}
	}
	require.Fail(t, "no check counts dead letters")
}

// FUN-17.
func TestDeadLetteredItemIsNotDueAgain(t *testing.T) {
	t.Parallel()
	shop := open(t)
	poisoned := holdMany(t, shop, 2)
	shop.Exec(t, `ALTER TABLE bus.event ADD CONSTRAINT no_poison CHECK (subject <> '`+poisoned+`')`)
	runTick(t, shop)
	n, err := eventstore.Discard(t.Context(), shop.Pool, "ann", name)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	shop.Exec(t, `ALTER TABLE bus.event DROP CONSTRAINT no_poison`)
	runTick(t, shop)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop,
		`SELECT count(*) FROM bus.event WHERE type = 'reservation.due'`))
	require.Zero(t, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL`))
}

// FUN-17: a time that cannot be encoded in an event.
func TestUnencodableDueItemStopsNoOther(t *testing.T) {
	t.Parallel()
	shop := open(t)
	bad, good := place(t, shop), place(t, shop)
	shop.ChangeOrder(t, bad.ID, "deadline = '4000-01-01 BC'")
	shop.ChangeOrder(t, good.ID, "deadline = now()")
	runTick(t, shop)
	runTick(t, shop)
	require.Empty(t, shop.Emitted(t, bad.ID, "order.overdue"))
	require.Len(t, shop.Emitted(t, good.ID, "order.overdue"), 1)
	dead, err := eventstore.ListDeadLetters(t.Context(), shop.Pool, name)
	require.NoError(t, err)
	require.Len(t, dead, 1)
	require.Contains(t, dead[0].Reason, "year outside of range")
	require.Equal(t, 1, dead[0].Attempts, "it is not tried again")
	require.Contains(t, dead[0].Event, bad.ID)
}
