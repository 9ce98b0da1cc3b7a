package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Activity is what a function did lately, and what waits for it. A function at zero cannot be asked: this is what the event store has.
type Activity struct {
	Function    string
	LastRun     *time.Time // within a day
	Handled     int64      // events in the last hour
	Emitted     int64      // events in the last hour
	Waiting     int64      // events that it has not handled within some seconds
	Late        int64      // of these, those that are older than Alarm
	Retries     int64      // how often these were published again
	OldestAt    *time.Time // of these
	DeadLetters int64      // that are open
}

// ReadActivity returns the activity of all functions that there is anything of.
func ReadActivity(ctx context.Context, db Querier) ([]Activity, error) {
	rows, err := db.Query(ctx, `
		WITH handled AS (
			SELECT consumer AS function, max(claimed_at) AS at, count(*) FILTER (WHERE claimed_at > now() - interval '1 hour') AS n
			FROM bus.inbox
			WHERE claimed_at > now() - interval '1 day'
			GROUP BY consumer
		), emitted AS (
			SELECT split_part(source, '/', 3) AS function, max(created_at) AS at, count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS n
			FROM bus.event
			WHERE created_at > now() - interval '1 day'
			GROUP BY split_part(source, '/', 3)
		), waiting AS (
			SELECT consumer AS function, count(*) AS n, count(*) FILTER (WHERE created_at < now() - @alarm::interval) AS late,
				sum(attempts) AS attempts, min(created_at) AS oldest
			FROM bus.undelivered
			GROUP BY consumer
		), dead AS (
			SELECT consumer AS function, count(*) AS n
			FROM bus.dead_letters
			WHERE resolved_at IS NULL
			GROUP BY consumer
		)
		SELECT function, greatest(h.at, e.at), coalesce(h.n, 0), coalesce(e.n, 0), coalesce(w.n, 0), coalesce(w.late, 0),
			coalesce(w.attempts, 0), w.oldest, coalesce(d.n, 0)
		FROM handled h
		FULL JOIN emitted e USING (function)
		FULL JOIN waiting w USING (function)
		FULL JOIN dead d USING (function)
		ORDER BY function`, pgx.NamedArgs{"alarm": Alarm})
	if err != nil {
		return nil, fmt.Errorf("read the activity of functions: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Activity])
	if err != nil {
		return nil, fmt.Errorf("read the activity of functions: %w", err)
	}
	return all, nil
}

// Arrow is how many events of a type a function emitted, or handled.
type Arrow struct {
	Function string
	Type     string
	Events   int64
}

// ReadEmitted returns how many events functions emitted since a time, by type.
func ReadEmitted(ctx context.Context, db Querier, since time.Time) ([]Arrow, error) {
	return readArrows(ctx, db, since, `
		SELECT split_part(source, '/', 3) AS function, type, count(*)
		FROM bus.event
		WHERE created_at > @since
		GROUP BY 1, 2
		ORDER BY 1, 2`)
}

// ReadHandled returns how many events functions handled since a time, by type.
func ReadHandled(ctx context.Context, db Querier, since time.Time) ([]Arrow, error) {
	return readArrows(ctx, db, since, `
		SELECT i.consumer, e.type, count(*)
		FROM bus.inbox i
		JOIN bus.event e USING (event_id)
		WHERE i.claimed_at > @since
		GROUP BY 1, 2
		ORDER BY 1, 2`)
}

func readArrows(ctx context.Context, db Querier, since time.Time, sql string) ([]Arrow, error) {
	rows, err := db.Query(ctx, sql, pgx.NamedArgs{"since": since})
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	arrows, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Arrow])
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	return arrows, nil
}
