// Package seed fills an empty shop with something to sell. It writes as the owner of the tables, and twice does no more
// than once.
package seed

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed demo.sql
var demo string

// Demo makes a small shop: two stores, two warehouses, eight products and their stock.
func Demo(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, demo); err != nil {
		return fmt.Errorf("seed demo shop: %w", err)
	}
	return nil
}
