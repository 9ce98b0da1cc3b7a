package servegateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rates counts requests by caller and minute for all instances of the gateway.
type rates struct{ pool *pgxpool.Pool }

// add adds requests to the count of a minute and returns the count over all instances.
func (r rates) add(ctx context.Context, caller string, minute time.Time, calls int64) (all int64, err error) {
	if rand.IntN(200) == 0 {
		if err := r.forget(ctx, minute); err != nil {
			return 0, err
		}
	}
	err = r.pool.QueryRow(ctx, `
		INSERT INTO bus.rates AS r (caller, minute, calls)
		VALUES (@caller, @minute, @calls)
		ON CONFLICT (caller, minute) DO UPDATE SET calls = r.calls + excluded.calls
		RETURNING calls`, pgx.NamedArgs{"caller": caller, "minute": minute, "calls": calls}).Scan(&all)
	if err != nil {
		return 0, fmt.Errorf("count calls: %w", err)
	}
	return all, nil
}

// forget deletes the counts of past minutes.
func (r rates) forget(ctx context.Context, minute time.Time) error {
	_, err := r.pool.Exec(ctx, `
		DELETE FROM bus.rates
		WHERE minute < @minute`, pgx.NamedArgs{"minute": minute.Add(-time.Minute)})
	if err != nil {
		return fmt.Errorf("delete counts of past minutes: %w", err)
	}
	return nil
}

// eventStatus summarises the events that have not been handled.
type eventStatus struct {
	Undelivered int64
	Oldest      time.Duration // age of the oldest undelivered event
	DeadLetters int64
}

func readEventStatus(ctx context.Context, pool *pgxpool.Pool) (s eventStatus, err error) {
	var age float64
	err = pool.QueryRow(ctx, `
		SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8,
			(SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL)
		FROM bus.undelivered`).Scan(&s.Undelivered, &age, &s.DeadLetters)
	if err != nil {
		return s, fmt.Errorf("read backlog of events: %w", err)
	}
	s.Oldest = time.Duration(age * float64(time.Second))
	return s, nil
}
