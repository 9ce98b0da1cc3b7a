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

// pairs are two transactions of which at most one may commit: an order's end and the money that comes or goes.
var pairs = []struct{ name, end, money string }{
	{"an order expires while its money comes", `SELECT test.move(` + pending + `, 'expired', 'held', 'expired')`, `SELECT test.enter(` + pending + `, 'captured', 2000, 'late')`},
	{"an order is completed while its money goes", `SELECT test.move(` + delivered + `, 'completed', 'shipped', 'paid')`, `SELECT test.enter(` + delivered + `, 'refunded', 1, 'back')`},
}

func TestWhicheverCommitsLastIsRefusedWhen(t *testing.T) {
	t.Parallel()
	for _, p := range pairs {
		for name, commits := range map[string]func(t *testing.T, db *pgxpool.Pool, end, money pgx.Tx) error{
			"the end first":       endFirst,
			"the money first":     moneyFirst,
			"both at once":        bothAtOnce,
			"the money must wait": moneyWaits,
		} {
			t.Run(p.name+", "+name, func(t *testing.T) {
				t.Parallel()
				db := filled(t)
				end, money := begin(t, db, p.end), begin(t, db, p.money)
				requireRefused(t, commits(t, db, end, money), "ended_orders_are_settled")
			})
		}
	}
}

func begin(t testing.TB, db *pgxpool.Pool, sql string) pgx.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it is over already
	_, err = tx.Exec(t.Context(), sql)
	require.NoError(t, err)
	return tx
}

func endFirst(t *testing.T, _ *pgxpool.Pool, end, money pgx.Tx) error {
	require.NoError(t, end.Commit(t.Context()))
	return money.Commit(t.Context())
}

// moneyFirst must not be possible while the order's row is locked by its end: what is tried is an end that begins later.
func moneyFirst(t *testing.T, db *pgxpool.Pool, end, money pgx.Tx) error {
	sql := ""
	require.NoError(t, end.QueryRow(t.Context(), `SELECT format('SELECT test.move(%L, %L, %L, %L)', order_id, status, stock, payment)
		FROM orders.orders WHERE deadline IS NULL AND xmin = pg_current_xact_id()::xid`).Scan(&sql))
	require.NoError(t, end.Rollback(t.Context()))
	require.NoError(t, money.Commit(t.Context()))
	return commit(t, db, sql)
}

// bothAtOnce returns the one error that there must be.
func bothAtOnce(t *testing.T, _ *pgxpool.Pool, end, money pgx.Tx) error {
	ended := make(chan error)
	go func() { ended <- end.Commit(t.Context()) }()
	late := money.Commit(t.Context())
	early := <-ended
	require.NotEqual(t, early == nil, late == nil, "the end: %v; the money: %v", early, late)
	return errors.Join(early, late)
}

// moneyWaits commits the money while the order's end holds the row: it waits, and is refused once the end is there.
func moneyWaits(t *testing.T, db *pgxpool.Pool, end, money pgx.Tx) error {
	paid := make(chan error)
	pid := money.Conn().PgConn().PID()
	go func() { paid <- money.Commit(t.Context()) }()
	require.Eventually(t, func() bool {
		var waits bool
		err := db.QueryRow(t.Context(), `SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1`, pid).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, time.Millisecond, "the money waits for the order's row")
	require.NoError(t, end.Commit(t.Context()))
	return <-paid
}
