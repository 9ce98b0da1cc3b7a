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

//go:embed showcase.sql
var showcase string

// Demo makes a small shop: two stores, two warehouses, eight products and their stock.
func Demo(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, demo); err != nil {
		return fmt.Errorf("seed demo shop: %w", err)
	}
	return nil
}

// Showcase makes the demo shop one to look at: what it is called, its texts, something that is sold out and something of which three are
// left. A shop that has another name keeps it.
func Showcase(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, showcase); err != nil {
		return fmt.Errorf("seed what the demo shop is called: %w", err)
	}
	return nil
}
