// Package dbtest gives tests a real Postgres: private to the test process, migrated, and gone with it.
//
// Postgres starts with the first test that asks for it. Tx is the cheap way, for code that is given a transaction;
// DB is for code that commits; Server is for tests that crash Postgres.
package dbtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/postgres"
	"github.com/popup-shop/popup/migrations"
)

// shared is the database all transactions of Tx are in, made like every other from the migrated one.
const shared = "shared"

// cluster is the Postgres of this process. It is never stopped: it ends with the process.
type cluster struct {
	server *postgres.Server
	admin  *pgxpool.Pool // makes and drops databases
	shared *pgxpool.Pool // hands out transactions
	made   atomic.Int64  // databases so far
}

var running = sync.OnceValues(open)

// open starts Postgres and migrates the one database all others are copied from.
func open() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sweep()
	dir, err := makeDir()
	if err != nil {
		return nil, err
	}
	if err := removeAfterUs(dir); err != nil {
		return nil, err
	}
	c := &cluster{}
	c.server, err = postgres.Start(ctx, postgres.Options{Dir: dir, Settings: map[string]string{
		"autovacuum":         "off",
		"fsync":              "off",
		"full_page_writes":   "off",
		"max_connections":    "300",
		"synchronous_commit": "off",
	}})
	if err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, c.server.URL()); err != nil {
		return nil, err
	}
	return c, c.connect(ctx)
}

// connect refuses further connections to the migrated database, so that it can be copied at any time, and opens the
// pools.
func (c *cluster) connect(ctx context.Context) (err error) {
	if c.admin, err = pool(ctx, c.server.URLFor(postgres.Superuser, "postgres")); err != nil {
		return err
	}
	if _, err := c.admin.Exec(ctx, `ALTER DATABASE popup WITH ALLOW_CONNECTIONS false`); err != nil {
		return fmt.Errorf("close template: %w", err)
	}
	if err := c.create(ctx, shared); err != nil {
		return err
	}
	c.shared, err = pool(ctx, c.server.URLFor(postgres.Superuser, shared))
	return err
}

// create copies the migrated database.
func (c *cluster) create(ctx context.Context, name string) error {
	_, err := c.admin.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` TEMPLATE popup`)
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// drop removes a database and its connections.
func (c *cluster) drop(ctx context.Context, name string) error {
	_, err := c.admin.Exec(ctx, `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`)
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

func pool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse url of test database: %w", err)
	}
	config.MaxConns = 32
	return pgxpool.NewWithConfig(ctx, config)
}

// DB returns a pool on a migrated database of the test's own. It is dropped when the test ends, so connections must
// have been given back by then.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	db, err := pool(context.Background(), URL(t))
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// URL returns where a migrated database of the test's own is. It is dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	c, err := running()
	require.NoError(t, err)
	name := fmt.Sprintf("test_%d", c.made.Add(1))
	require.NoError(t, c.create(t.Context(), name))
	t.Cleanup(func() { require.NoError(t, c.drop(context.Background(), name)) })
	return c.server.URLFor(postgres.Superuser, name)
}

// Tx returns a transaction on a migrated, empty database, rolled back when the test ends. Other tests have theirs on
// the same database at the same time: none sees another's rows, but equal keys make one wait for the other.
func Tx(t testing.TB) pgx.Tx {
	t.Helper()
	c, err := running()
	require.NoError(t, err)
	tx, err := c.shared.Begin(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it may be over already
	return tx
}

// Server returns a migrated Postgres of the test's own, for tests that kill and restart it. What it has committed
// survives Kill. It is stopped and removed when the test ends.
func Server(t testing.TB) *postgres.Server {
	t.Helper()
	dir, err := makeDir()
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a later run sweeps what remains
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir, Settings: map[string]string{"fsync": "off"}})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	require.NoError(t, migrations.Up(t.Context(), s.URL()))
	return s
}
