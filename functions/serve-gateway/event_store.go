package servegateway

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// backlog summarises the events that a function has not handled.
type backlog struct {
	Function string
	Events   int64
	Age      float64 // of the oldest event, in seconds
	Retries  int64
}

// readBacklogs returns the backlogs as of the last sweep, by function.
func readBacklogs(ctx context.Context, pool *pgxpool.Pool) (map[string]backlog, error) {
	rows, err := pool.Query(ctx, `
		SELECT consumer, count(*), extract(epoch FROM now() - min(created_at))::float8, sum(attempts)
		FROM bus.undelivered
		GROUP BY consumer`)
	if err != nil {
		return nil, fmt.Errorf("read undelivered events: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[backlog])
	if err != nil {
		return nil, fmt.Errorf("read undelivered events: %w", err)
	}
	byFunction := map[string]backlog{}
	for _, b := range all {
		byFunction[b.Function] = b
	}
	return byFunction, nil
}

// readDeadLetters counts the dead letters that wait for a person, by function.
func readDeadLetters(ctx context.Context, pool *pgxpool.Pool) (map[string]int64, error) {
	rows, err := pool.Query(ctx, `
		SELECT consumer, count(*)
		FROM bus.dead_letters
		WHERE resolved_at IS NULL
		GROUP BY consumer`)
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	counts, err := collectCounts(rows)
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	return counts, nil
}

// readOpenOrders counts the orders that are not at their end, by status.
func readOpenOrders(ctx context.Context, pool *pgxpool.Pool) (map[string]int64, error) {
	rows, err := pool.Query(ctx, `
		SELECT status, orders FROM orders.open_by_status()`)
	if err != nil {
		return nil, fmt.Errorf("count open orders: %w", err)
	}
	counts, err := collectCounts(rows)
	if err != nil {
		return nil, fmt.Errorf("count open orders: %w", err)
	}
	return counts, nil
}

// collectCounts reads rows of a name and a number.
func collectCounts(rows pgx.Rows) (map[string]int64, error) {
	counts := map[string]int64{}
	var name string
	var n int64
	_, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		counts[name] = n
		return nil
	})
	return counts, err
}

// readOverdue returns by how many seconds the order that is longest past its deadline is past it.
func readOverdue(ctx context.Context, pool *pgxpool.Pool) (seconds float64, err error) {
	err = pool.QueryRow(ctx, `
		SELECT orders.seconds_overdue()`).Scan(&seconds)
	if err != nil {
		return 0, fmt.Errorf("read overdue orders: %w", err)
	}
	return seconds, nil
}

// readChecks returns the broken promises of the last run of popup check and its Unix time.
func readChecks(ctx context.Context, pool *pgxpool.Pool) (failures, checkedAt float64, err error) {
	err = pool.QueryRow(ctx, `
		SELECT coalesce(sum(failures), 0)::float8, coalesce(extract(epoch FROM max(checked_at)), 0)::float8
		FROM bus.checks`).Scan(&failures, &checkedAt)
	if err != nil {
		return 0, 0, fmt.Errorf("read results of popup check: %w", err)
	}
	return failures, checkedAt, nil
}

// databaseStatistics are statistics of Postgres about the shop's database.
type databaseStatistics struct{ Commits, Rollbacks, Size, Connections, MaxConnections float64 }

func readDatabaseStatistics(ctx context.Context, pool *pgxpool.Pool) (s databaseStatistics, err error) {
	err = pool.QueryRow(ctx, `
		SELECT xact_commit::float8, xact_rollback::float8, pg_database_size(datid)::float8, numbackends::float8,
			current_setting('max_connections')::float8
		FROM pg_stat_database
		WHERE datname = current_database()`).Scan(&s.Commits, &s.Rollbacks, &s.Size, &s.Connections, &s.MaxConnections)
	if err != nil {
		return s, fmt.Errorf("read statistics of the database: %w", err)
	}
	return s, nil
}

// eventCounts counts the emitted events by function and type, up to a position of the event store.
type eventCounts struct {
	mark   string // the position; empty before the first update, which counts nothing
	counts map[eventKey]int64
}

// update counts the events that were emitted since the mark, and returns how many seconds each order took that was
// confirmed since then. The next mark is the oldest running transaction: no event is added before it any more.
func (c *eventCounts) update(ctx context.Context, pool *pgxpool.Pool) (confirmed []float64, err error) {
	var next string
	err = pool.QueryRow(ctx, `
		SELECT pg_snapshot_xmin(pg_current_snapshot())::text`).Scan(&next)
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	if c.mark != "" {
		confirmed, err = c.add(ctx, pool, next)
	}
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	c.mark = next
	return confirmed, nil
}

func (c *eventCounts) add(ctx context.Context, pool *pgxpool.Pool, next string) (confirmed []float64, err error) {
	rows, err := pool.Query(ctx, `
		SELECT type, split_part(source, '/', 3), count(*)
		FROM bus.event
		WHERE xid >= @mark::text::xid8 AND xid < @next::text::xid8
		GROUP BY type, source`, pgx.NamedArgs{"mark": c.mark, "next": next})
	if err != nil {
		return nil, err
	}
	found := map[eventKey]int64{}
	var key eventKey
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&key.Type, &key.Function, &n}, func() error {
		found[key] += n
		return nil
	})
	if err != nil {
		return nil, err
	}
	if confirmed, err = readConfirmations(ctx, pool, c.mark, next); err != nil {
		return nil, err
	}
	for key, n := range found {
		c.counts[key] += n
	}
	return confirmed, nil
}

// readConfirmations returns the seconds from placing to confirmation of each order that was confirmed between two
// marks.
func readConfirmations(ctx context.Context, pool *pgxpool.Pool, mark, next string) ([]float64, error) {
	rows, err := pool.Query(ctx, `
		SELECT extract(epoch FROM confirmed.created_at - placed.created_at)::float8
		FROM bus.event confirmed
		JOIN bus.event placed ON placed.order_id = confirmed.order_id AND placed.type = 'order.placed'
		WHERE confirmed.xid >= @mark::text::xid8 AND confirmed.xid < @next::text::xid8 AND confirmed.type = 'order.confirmed'`,
		pgx.NamedArgs{"mark": mark, "next": next})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[float64])
}

// claimsSettled is longer than the transaction of a batch may take: no claim that is older can still be committed.
const claimsSettled = 25 * time.Second

// handledCounts counts the handled events by function, up to a point in time.
type handledCounts struct {
	mark   time.Time // zero before the first update, which counts nothing
	counts map[string]int64
}

// update counts the events that were handled since the mark.
func (c *handledCounts) update(ctx context.Context, pool *pgxpool.Pool) error {
	var next time.Time
	err := pool.QueryRow(ctx, `
		SELECT now() - @settled::interval`, pgx.NamedArgs{"settled": claimsSettled}).Scan(&next)
	if err == nil && !c.mark.IsZero() {
		err = c.add(ctx, pool, next)
	}
	if err != nil {
		return fmt.Errorf("count handled events: %w", err)
	}
	c.mark = next
	return nil
}

func (c *handledCounts) add(ctx context.Context, pool *pgxpool.Pool, next time.Time) error {
	rows, err := pool.Query(ctx, `
		SELECT consumer, count(*)
		FROM bus.inbox
		WHERE claimed_at >= @mark AND claimed_at < @next
		GROUP BY consumer`, pgx.NamedArgs{"mark": c.mark, "next": next})
	if err != nil {
		return err
	}
	found, err := collectCounts(rows)
	if err != nil {
		return err
	}
	for function, n := range found {
		c.counts[function] += n
	}
	return nil
}
