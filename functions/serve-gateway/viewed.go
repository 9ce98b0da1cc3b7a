package servegateway

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// viewed is what all copies of the gateway know about which products are looked at.
type viewed struct{ pool *pgxpool.Pool }

// add adds views of now to what is known, product by product in the order of their ids: other copies do so too.
func (v viewed) add(ctx context.Context, counts map[string]int64) error {
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

// most are the products that are looked at most, the first one most of all.
func (v viewed) most(ctx context.Context, n int) ([]string, error) {
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
