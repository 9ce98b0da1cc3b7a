package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/printer"

	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
)

// plans is a domain of check beside those of the invariants.
const plans = "plans"

type checkCommand struct {
	database
	Rebuild bool     `help:"Recompute the current rows from the logs as well, and compare."`
	Only    []string `arg:"" optional:"" predictor:"domains" help:"Check only these domains: ${domains}; plans are the query plans of frequent requests."`
}

// checkDomains are the domains that can be checked.
func checkDomains() []string { return append(invariant.Domains(), plans) }

// Run prints one row for each promise: its name and how often it is broken. The results of all promises are kept for
// metrics.
func (c *checkCommand) Run(ctx context.Context, out *printer.Printer) error {
	for _, domain := range c.Only {
		if err := cli.OneOf("domain", domain, checkDomains()); err != nil {
			return err
		}
	}
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
	for _, r := range results {
		broken += r.Broken
	}
	err = printer.List(
		out, results,
		printer.Column[invariant.Result]{Name: "domain", Cell: func(r invariant.Result) any { return r.Domain }},
		printer.Column[invariant.Result]{Name: "promise", Cell: func(r invariant.Result) any { return r.Promise }},
		printer.Column[invariant.Result]{Name: "broken", Cell: func(r invariant.Result) any { return r.Broken }},
	)
	if err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%d violations of the shop's invariants", broken)
	}
	return nil
}

func (c *checkCommand) ask(ctx context.Context, pool *pgxpool.Pool) (results []invariant.Result, err error) {
	if slices.Contains(c.Only, plans) {
		seen := invariant.NewPlans(pool)
		if err := servecatalogue.ProbeQueries(ctx, seen); err != nil {
			return nil, err
		}
		for _, scan := range seen.Scans {
			fmt.Fprintln(os.Stderr, scan)
		}
		results = append(results, invariant.Result{
			Domain: plans, Promise: fmt.Sprintf("no large table is read from end to end in %d statements", seen.Seen),
			Broken: len(seen.Scans),
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
