package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// Grace is how long an event may take until it is handled before the sweeper publishes it again.
const Grace = 5 * time.Second

// Alarm is the age at which an undelivered event is a fault.
const Alarm = 15 * time.Minute

const batch = 500

// Sweep publishes the events again that one of their consumers has not handled. It examines the events since the last sweep once,
// all together; only late ones get a row in bus.undelivered, and are published again with an exponential backoff. An event that
// waits in the backlog of a busy consumer is left there: publishing it again would only make the backlog longer.
func Sweep(ctx context.Context, pool *pgxpool.Pool, sink cloudevent.Publisher) error {
	if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return advance(ctx, tx) }); err != nil {
		return fmt.Errorf("look for undelivered events: %w", err)
	}
	busy, err := readProgress(ctx, pool)
	if err != nil {
		return fmt.Errorf("read the progress of consumers: %w", err)
	}
	var rejected error
	for {
		due, err := takeDue(ctx, pool, busy)
		if err != nil {
			return fmt.Errorf("read undelivered events: %w", err)
		}
		if len(due) == 0 {
			return rejected
		}
		accepted, err := publish(ctx, pool, sink, due)
		rejected = errors.Join(rejected, err)
		if len(due) < batch || accepted == 0 {
			return rejected
		}
	}
}

// publish publishes events and returns how many the broker stored. Where it stored none, it is unavailable: all are due again in a
// second, without a backoff. What it rejects while it stores others backs off.
func publish(ctx context.Context, pool *pgxpool.Pool, sink cloudevent.Publisher, due []cloudevent.Message) (accepted int, err error) {
	var failed []string
	var failure error
	for i, err := range sink.Publish(ctx, due) {
		if err != nil {
			failed = append(failed, due[i].ID)
			failure = fmt.Errorf("publish %s %s again: %w", due[i].Type, due[i].ID, err)
		}
	}
	accepted = len(due) - len(failed)
	if failure == nil || accepted > 0 {
		return accepted, failure
	}
	_, err = pool.Exec(ctx, `
		UPDATE bus.undelivered SET attempts = attempts - 1, next_at = now() + interval '1 s'
		WHERE event_id = ANY (@ids::uuid[])`, pgx.NamedArgs{"ids": failed})
	return accepted, errors.Join(failure, err)
}

// advance moves the mark over all events of ended transactions that are past their grace, and notes those that a consumer has no
// inbox record for. Of two sweepers at once, one finds nothing.
func advance(ctx context.Context, tx pgx.Tx) error {
	for _, sql := range []string{`
		DELETE FROM bus.undelivered u USING bus.inbox i WHERE (i.event_id, i.consumer) = (u.event_id, u.consumer)`, `
		DELETE FROM bus.undelivered u WHERE NOT EXISTS (SELECT FROM bus.event e WHERE e.event_id = u.event_id)`, `
		UPDATE bus.dead_letters p SET resolved_at = now()
		WHERE resolved_at IS NULL AND kind = 'unknown' AND EXISTS (SELECT FROM bus.event e WHERE e.event_id = bus.id_of(p.event_id))`, `
		UPDATE bus.dead_letters p SET resolved_at = now()
		WHERE resolved_at IS NULL AND kind = 'undelivered' AND EXISTS (
			SELECT FROM bus.inbox i WHERE i.event_id = bus.id_of(p.event_id) AND i.consumer = p.consumer)`, `
		SELECT bus.make_months()`} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	var mark, upto string
	err := tx.QueryRow(ctx, `
		SELECT mark::text, LEAST(pg_snapshot_xmin(pg_current_snapshot()), (
			SELECT e.xid FROM bus.event e
			WHERE e.xid >= sweep.mark AND e.created_at > now() - @grace::interval
			ORDER BY e.xid
			LIMIT 1))::text
		FROM bus.sweep
		FOR UPDATE`, pgx.NamedArgs{"grace": Grace}).Scan(&mark, &upto)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO bus.undelivered (event_id, consumer, created_at)
		SELECT e.event_id, s.consumer, e.created_at
		FROM bus.event e
		JOIN bus.subscription s ON s.type = e.type AND s.since <= e.created_at
		WHERE e.xid >= @mark::xid8 AND e.xid < @upto::xid8
		AND NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"mark": mark, "upto": upto})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE bus.sweep SET mark = @upto::xid8 WHERE mark < @upto::xid8`, pgx.NamedArgs{"upto": upto})
	return err
}

// progress is the newest commit of which each busy consumer has handled an event. A consumer that has handled none within Grace is
// not in it.
type progress struct{ consumers, newest []string }

// readProgress returns the progress of the consumers that events are due for.
func readProgress(ctx context.Context, pool *pgxpool.Pool) (p progress, err error) {
	err = pool.QueryRow(ctx, `
		SELECT coalesce(array_agg(consumer), '{}'), coalesce(array_agg(newest::text), '{}')
		FROM (
			SELECT i.consumer, max(e.xid) AS newest
			FROM bus.inbox i JOIN bus.event e USING (event_id)
			WHERE i.claimed_at > now() - @grace::interval
			AND i.consumer IN (SELECT u.consumer FROM bus.undelivered u WHERE u.next_at <= now())
			GROUP BY i.consumer
		) AS busy`, pgx.NamedArgs{"grace": Grace}).Scan(&p.consumers, &p.newest)
	return p, err
}

// takeDue returns the events that are due to be published again, each once, and sets their next time. It leaves out those that a
// busy consumer has yet to reach, and open dead letters.
func takeDue(ctx context.Context, pool *pgxpool.Pool, busy progress) ([]cloudevent.Message, error) {
	rows, err := pool.Query(ctx, `
		WITH busy AS (
			SELECT * FROM unnest(@consumers::text[], @newest::xid8[]) AS b (consumer, newest)
		), due AS (
			SELECT u.event_id, u.consumer
			FROM bus.undelivered u
			LEFT JOIN busy b USING (consumer)
			WHERE u.next_at <= now()
			AND (b.newest IS NULL OR EXISTS (SELECT FROM bus.event e WHERE e.event_id = u.event_id AND e.xid < b.newest))
			AND NOT EXISTS (
				SELECT FROM bus.dead_letters p
				WHERE p.event_id = u.event_id::text AND p.consumer = u.consumer AND p.resolved_at IS NULL)
			ORDER BY u.next_at
			LIMIT @batch
			FOR UPDATE OF u SKIP LOCKED
		), again AS (
			UPDATE bus.undelivered u SET attempts = u.attempts + 1, next_at = `+nextAttempt+`
			FROM due WHERE (u.event_id, u.consumer) = (due.event_id, due.consumer)
			RETURNING u.event_id
		)`+SelectMessages+`
		WHERE e.event_id IN (SELECT event_id FROM again)
		ORDER BY e.xid, e.n`, pgx.NamedArgs{"batch": batch, "consumers": busy.consumers, "newest": busy.newest})
	if err != nil {
		return nil, err
	}
	return CollectMessages(rows)
}

// CountLate returns the number of deliveries that have been missing for longer than Alarm.
func CountLate(ctx context.Context, pool *pgxpool.Pool) (n int, err error) {
	err = pool.QueryRow(ctx, `SELECT count(*) FROM bus.undelivered WHERE created_at < now() - @alarm::interval`,
		pgx.NamedArgs{"alarm": Alarm}).Scan(&n)
	return n, err
}

// Replay has the sweeper deliver to a consumer all events since a time that it has not handled.
func Replay(ctx context.Context, pool *pgxpool.Pool, consumer string, since time.Time) (events int64, err error) {
	tag, err := pool.Exec(ctx, `
		WITH from_then AS (
			UPDATE bus.subscription SET since = LEAST(since, @since) WHERE consumer = @consumer RETURNING type
		)
		INSERT INTO bus.undelivered (event_id, consumer, created_at)
		SELECT e.event_id, @consumer, e.created_at
		FROM bus.event e JOIN from_then USING (type)
		WHERE e.created_at >= @since
		AND NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = @consumer)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"consumer": consumer, "since": since})
	if err != nil {
		return 0, fmt.Errorf("replay for %s: %w", consumer, err)
	}
	return tag.RowsAffected(), nil
}
