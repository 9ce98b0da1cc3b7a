package migrations_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/migrations"
)

func TestTheMovesOfTheDatabaseAreThoseOfTheRules(t *testing.T) {
	t.Parallel()
	rows, err := dbtest.Tx(t).Query(t.Context(), `SELECT from_status || ' to ' || to_status FROM orders.moves`)
	require.NoError(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var ruled []string
	for _, from := range order.Statuses() {
		for _, to := range order.Statuses() {
			if from.CanMoveTo(to) {
				ruled = append(ruled, string(from)+" to "+string(to))
			}
		}
	}
	require.ElementsMatch(t, ruled, stored)
	require.Len(t, stored, 19)
}

func TestSeveralMigrateAnEmptyDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	db := dbtest.DB(t)
	_, err := db.Exec(t.Context(), `CREATE DATABASE empty TEMPLATE template0`)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.Exec(context.Background(), `DROP DATABASE empty WITH (FORCE)`)
		require.NoError(t, err)
	})
	empty, err := url.Parse(db.Config().ConnString())
	require.NoError(t, err)
	empty.Path = "/empty"
	migrated := make(chan error)
	for range 3 {
		go func() { migrated <- migrations.Up(t.Context(), empty.String()) }()
	}
	for range 3 {
		require.NoError(t, <-migrated)
	}
	require.NoError(t, migrations.Up(t.Context(), empty.String()), "and once more")
}
