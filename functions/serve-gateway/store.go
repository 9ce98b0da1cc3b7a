package servegateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rates is what all copies of the gateway know about how often somebody called.
type rates struct{ pool *pgxpool.Pool }

// add counts calls of a minute and returns how many all copies have counted.
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

// forget deletes minutes that are over.
func (r rates) forget(ctx context.Context, minute time.Time) error {
	_, err := r.pool.Exec(ctx, `
		DELETE FROM bus.rates
		WHERE minute < @minute`, pgx.NamedArgs{"minute": minute.Add(-time.Minute)})
	if err != nil {
		return fmt.Errorf("forget calls: %w", err)
	}
	return nil
}

// standing is how the events of the shop stand.
type standing struct {
	Unheard int64
	Oldest  time.Duration // of what somebody has not heard
	Parked  int64
}

func readStanding(ctx context.Context, pool *pgxpool.Pool) (s standing, err error) {
	var age float64
	err = pool.QueryRow(ctx, `
		SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8, (SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL)
		FROM bus.undelivered`).Scan(&s.Unheard, &age, &s.Parked)
	if err != nil {
		return s, fmt.Errorf("read how events stand: %w", err)
	}
	s.Oldest = time.Duration(age * float64(time.Second))
	return s, nil
}
