package servecatalogue_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
	"github.com/popup-shop/popup/internal/shoptest"
)

var update = flag.Bool("update", false, "write the statements to testdata")

// The files in testdata are the statements that run, for those who read and EXPLAIN them. go test -update writes them.
func TestStatementsAreThoseInTestdata(t *testing.T) {
	t.Parallel()
	var names []string
	for name, sql := range servecatalogue.Statements() {
		path := filepath.Join("testdata", name+".sql")
		names = append(names, path)
		text := "-- " + name + ": generated, run go test -update\n" + strings.Trim(sql, "\n") + ";\n"
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(written), text, name)
		require.NotContains(t, sql, "-- if")
		require.NotContains(t, sql, "{order}")
		require.NotContains(t, sql, "{first}")
		if strings.Contains(name, "_after") {
			require.NotContains(t, sql, "OFFSET", "a cursor passes over nothing")
		}
	}
	found, err := filepath.Glob("testdata/*.sql")
	require.NoError(t, err)
	require.ElementsMatch(t, names, found)
}

// indexes are those that a plan reads, by the beginning of its statement's name.
var indexes = map[string]string{
	"by_index": "products_(newest|by_name|by_price)", "by_tag": "tagged_(newest|by_name|by_price)", "by_keys": "products_by_keys",
	"search": "products_by_keys", "suggestions": "products_by_keys",
}

// CAT-25: the plan for all values of a statement's arguments reads the index that the statement is named after.
func TestStatementsReadTheirIndex(t *testing.T) {
	t.Parallel()
	shop := catalogue(t, 2000)
	statements := servecatalogue.Statements()
	for _, name := range slices.Sorted(maps.Keys(statements)) {
		t.Run(name, func(t *testing.T) {
			plan := explain(t, shop, statements[name])
			for prefix, index := range indexes {
				if strings.HasPrefix(strings.TrimPrefix(name, "count_"), prefix) {
					require.Regexp(t, "(using|on) "+index, plan)
				}
			}
			require.NotContains(t, plan, "Seq Scan on products", plan)
		})
	}
}

// explain returns the generic plan of a statement, in which a table is only read from end to end if nothing else is
// possible.
func explain(t *testing.T, shop *shoptest.Shop, sql string) (plan string) {
	t.Helper()
	sql, args, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), nil, sql, nil)
	require.NoError(t, err)
	execute := "EXECUTE explained"
	if len(args) > 0 {
		execute += "(" + strings.TrimPrefix(strings.Repeat(", NULL", len(args)), ", ") + ")"
	}
	require.NoError(t, pgx.BeginFunc(t.Context(), shop.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; PREPARE explained AS "+sql,
			pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		rows, err := tx.Query(t.Context(), "EXPLAIN (COSTS OFF) "+execute, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		plan = strings.Join(lines, "\n")
		_, err = tx.Exec(t.Context(), "DEALLOCATE explained")
		return err
	}))
	return plan
}
