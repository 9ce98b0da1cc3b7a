package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/function"
)

// Subscribe stores the subscriptions of functions. A new consumer receives the events from now on; one that no longer
// exists is removed. It returns an error when two functions have the same name.
func Subscribe(ctx context.Context, pool *pgxpool.Pool, functions []function.Function) error {
	var types, consumers []string
	seen := map[string]bool{}
	for _, f := range functions {
		if seen[f.Name] {
			return errors.New("two functions are called " + f.Name)
		}
		seen[f.Name] = true
		for _, h := range f.On {
			types, consumers = append(types, h.Event.EventType()), append(consumers, f.Name)
		}
	}
	_, err := pool.Exec(ctx, `
		WITH told AS (
			SELECT * FROM unnest(@types::text[], @consumers::text[]) AS told (type, consumer)
		), gone AS (
			DELETE FROM bus.subscription s WHERE NOT EXISTS (SELECT FROM told WHERE told = (s.type, s.consumer))
		)
		INSERT INTO bus.subscription (type, consumer)
		SELECT type, consumer FROM told
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"types": types, "consumers": consumers})
	if err != nil {
		return fmt.Errorf("write subscriptions: %w", err)
	}
	return nil
}
