package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/invariant"

	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
)

type checkCommand struct {
	database
	Rebuild bool     `help:"Recompute the current rows from the logs as well, and compare."`
	Only    []string `arg:"" optional:"" help:"Check only these domains: stock, orders, payments, delivery, mail, bus; or plans: the query plans of frequent requests."`
}

// Run prints one row for each promise: its name and how often it is broken. The results of all promises are kept for
// metrics.
func (c *checkCommand) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	results, err := c.ask(ctx, pool)
	if err != nil {
		return err
	}
	broken := 0
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%d\n", r.Domain, r.Promise, r.Broken)
		broken += r.Broken
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%d violations of the shop's invariants", broken)
	}
	return nil
}

func (c *checkCommand) ask(ctx context.Context, pool *pgxpool.Pool) (results []invariant.Result, err error) {
	if slices.Contains(c.Only, "plans") {
		plans := invariant.NewPlans(pool)
		if err := servecatalogue.ProbeQueries(ctx, plans); err != nil {
			return nil, err
		}
		for _, scan := range plans.Scans {
			fmt.Fprintln(os.Stderr, scan)
		}
		results = append(results, invariant.Result{
			Domain: "plans", Promise: fmt.Sprintf("no large table is read from end to end in %d statements", plans.Seen),
			Broken: len(plans.Scans),
		})
		if len(c.Only) == 1 {
			return results, nil
		}
	}
	all, err := invariant.Check(ctx, pool, c.Rebuild)
	if err == nil && len(c.Only) == 0 {
		err = invariant.StoreResults(ctx, pool, all)
	}
	for _, r := range all {
		if len(c.Only) == 0 || slices.Contains(c.Only, r.Domain) {
			results = append(results, r)
		}
	}
	return results, err
}
