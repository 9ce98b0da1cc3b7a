package servegateway

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// popularity stores how often products are viewed, for all instances of the gateway.
//
// The score of a product is the logarithm of its views, in which a view counts half as much for each day that has
// passed. Instead of lowering all scores every day, a new view counts twice as much as one of the day before.
type popularity struct{ pool *pgxpool.Pool }

// add adds views to the scores. It locks the products in the order of their ids, as other instances do.
func (v popularity) add(ctx context.Context, counts map[string]int64) error {
	ids := slices.Sorted(maps.Keys(counts))
	views := make([]int64, len(ids))
	for i, id := range ids {
		views[i] = counts[id]
	}
	_, err := v.pool.Exec(ctx, `
		INSERT INTO catalogue.viewed AS v (product_id, heat)
		SELECT product_id, extract(epoch FROM now()) / 86400 + log(2, views)
		FROM unnest(@ids::uuid[], @views::numeric[]) AS seen (product_id, views)
		ON CONFLICT (product_id) DO UPDATE
		SET heat = greatest(v.heat, excluded.heat) + ln(1 + power(2, -least(abs(v.heat - excluded.heat), 60))) / ln(2::float8)`,
		pgx.NamedArgs{"ids": ids, "views": views})
	if err != nil {
		return fmt.Errorf("add views: %w", err)
	}
	return nil
}

// mostViewed returns the ids of the products that are viewed most, the most viewed one first.
func (v popularity) mostViewed(ctx context.Context, n int) ([]string, error) {
	rows, err := v.pool.Query(ctx, `
		SELECT product_id::text
		FROM catalogue.viewed
		ORDER BY heat DESC
		LIMIT @n`, pgx.NamedArgs{"n": n})
	if err != nil {
		return nil, fmt.Errorf("read the most viewed products: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read the most viewed products: %w", err)
	}
	return ids, nil
}
