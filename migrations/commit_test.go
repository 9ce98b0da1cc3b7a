package migrations_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// pair is two transactions of which at most one may commit: an order's end, and money or a shipment that moves.
type pair struct{ name, end, moved, promise string }

var pairs = []pair{
	{"an order expires while its money comes", `SELECT test.move(` + pending + `, 'expired', 'held', 'expired')`, `SELECT test.enter(` + pending + `, 'captured', 2000, 'late')`, "ended_orders_are_settled"},
	{"an order is completed while its money goes", `SELECT test.move(` + delivered + `, 'completed', 'shipped', 'paid')`, `SELECT test.enter(` + delivered + `, 'refunded', 1, 'back')`, "ended_orders_are_settled"},
	{"an order is cancelled while it gets a shipment", `SELECT test.move(` + pending + `, 'cancelling', 'held', 'created')`, shipment(pending, "planned"), "undone_orders_ship_nothing"},
}

func TestWhicheverCommitsLastIsRefusedWhen(t *testing.T) {
	t.Parallel()
	for _, p := range pairs {
		for name, commits := range map[string]func(t *testing.T, db *pgxpool.Pool, p pair, end, moved pgx.Tx) error{
			"the end first":      endFirst,
			"the move first":     moveFirst,
			"both at once":       bothAtOnce,
			"the move must wait": moveWaits,
		} {
			t.Run(p.name+", "+name, func(t *testing.T) {
				t.Parallel()
				db := filled(t)
				end, moved := begin(t, db, p.end), begin(t, db, p.moved)
				requireRefused(t, commits(t, db, p, end, moved), p.promise)
			})
		}
	}
}

func begin(t testing.TB, db *pgxpool.Pool, sql string) pgx.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it is over already
	_, err = tx.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
	require.NoError(t, err)
	return tx
}

func endFirst(t *testing.T, _ *pgxpool.Pool, _ pair, end, moved pgx.Tx) error {
	require.NoError(t, end.Commit(t.Context()))
	return moved.Commit(t.Context())
}

// moveFirst must not be possible while the order's row is locked by its end: what is tried is an end that begins later.
func moveFirst(t *testing.T, db *pgxpool.Pool, p pair, end, moved pgx.Tx) error {
	require.NoError(t, end.Rollback(t.Context()))
	require.NoError(t, moved.Commit(t.Context()))
	return commit(t, db, p.end)
}

// bothAtOnce returns the one error that there must be.
func bothAtOnce(t *testing.T, _ *pgxpool.Pool, _ pair, end, moved pgx.Tx) error {
	ended := make(chan error)
	go func() { ended <- end.Commit(t.Context()) }()
	late := moved.Commit(t.Context())
	early := <-ended
	require.False(t, early == nil && late == nil, "both are committed")
	return errors.Join(early, late)
}

// moveWaits commits the move while the order's end holds the row: it waits, and is refused once the end is there.
func moveWaits(t *testing.T, db *pgxpool.Pool, _ pair, end, moved pgx.Tx) error {
	committed := make(chan error)
	pid := moved.Conn().PgConn().PID()
	go func() { committed <- moved.Commit(t.Context()) }()
	require.Eventually(t, func() bool {
		var waits bool
		err := db.QueryRow(t.Context(), `SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1`,
			pid).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, time.Millisecond, "the move waits for the order's row")
	require.NoError(t, end.Commit(t.Context()))
	return <-committed
}

// A move of a shipment that is being cancelled waits for the cancellation, and is then rejected.
func TestAShipmentThatWasCancelledMeanwhileIsNotMoved(t *testing.T) {
	t.Parallel()
	db := filled(t)
	cancel := begin(t, db, `SELECT test.move(`+packed+`, 'cancelling', 'held', 'refunding'); UPDATE delivery.shipments SET status = 'cancelled' WHERE order_id = `+packed)
	moved := make(chan error)
	go func() {
		moved <- commit(t, db, `UPDATE delivery.shipments SET status = 'preparing' WHERE order_id = `+packed)
	}()
	require.NoError(t, cancel.Commit(t.Context()))
	requireRefused(t, <-moved, "cancelled_shipments_never_move")
}
