// Package invariant holds the checks of popup check: one query for each promise that takes more than one transaction to
// keep. It returns what breaks the promise.
package invariant

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Result is how often a promise is broken.
type Result struct {
	Domain  string `json:"domain"`
	Promise string `json:"promise"`
	Broken  int    `json:"broken"`
}

//go:embed checks/*.sql rebuild/*.sql
var checks embed.FS

// Check asks the database about every promise that takes more than one transaction to keep. Each is a query that finds
// what breaks it; the first line of its file is the promise. rebuild folds the logs too.
func Check(ctx context.Context, pool *pgxpool.Pool, rebuild bool) (results []Result, err error) {
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) (err error) {
			if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '5min'`); err != nil {
				return err
			}
			results, err = CheckIn(ctx, tx, rebuild)
			return err
		})
	return results, err
}

// CheckIn is Check in a transaction, which sees the rows of its caller.
func CheckIn(ctx context.Context, tx pgx.Tx, rebuild bool) (results []Result, err error) {
	folders := []string{"checks"}
	if rebuild {
		folders = append(folders, "rebuild")
	}
	for _, folder := range folders {
		files, err := fs.Glob(checks, folder+"/*.sql")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			r, err := runCheck(ctx, tx, file)
			if err != nil {
				return nil, fmt.Errorf("check %s: %w", file, err)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// Domains returns the domains that have promises.
func Domains() (domains []string) {
	files, err := fs.Glob(checks, "checks/*.sql")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		domain, _, _ := strings.Cut(path.Base(file), "_")
		if !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	return domains
}

// runCheck counts the rows that a check finds. A file is called domain_promise.sql.
func runCheck(ctx context.Context, tx pgx.Tx, file string) (r Result, err error) {
	sql, err := checks.ReadFile(file)
	if err != nil {
		return r, err
	}
	first, _, _ := strings.Cut(string(sql), "\n")
	r.Promise = strings.TrimSpace(strings.TrimPrefix(first, "--"))
	r.Domain, _, _ = strings.Cut(path.Base(file), "_")
	err = tx.QueryRow(ctx, `SELECT count(*) FROM (`+string(sql)+"\n) AS found").Scan(&r.Broken)
	return r, err
}

// StoreResults keeps the results of a whole check in the place of those before; metrics are read from them.
func StoreResults(ctx context.Context, pool *pgxpool.Pool, results []Result) error {
	domains, promises, failures := make([]string, len(results)), make([]string, len(results)), make([]int, len(results))
	for i, r := range results {
		domains[i], promises[i], failures[i] = r.Domain, r.Promise, r.Broken
	}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM bus.checks`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO bus.checks (domain, promise, failures)
			SELECT * FROM unnest(@domains::text[], @promises::text[], @failures::bigint[])`,
			pgx.NamedArgs{"domains": domains, "promises": promises, "failures": failures})
		return err
	})
	if err != nil {
		return fmt.Errorf("store the results of the check: %w", err)
	}
	return nil
}
