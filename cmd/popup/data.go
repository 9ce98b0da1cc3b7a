package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local/postgres"
	"github.com/popup-shop/popup/internal/provision"
	"github.com/popup-shop/popup/internal/seed"
	"github.com/popup-shop/popup/migrations"
)

// vars are the defaults that depend on the machine.
func vars() kong.Vars {
	bin := "bin"
	if self, err := os.Executable(); err == nil {
		bin = filepath.Dir(self)
	}
	return kong.Vars{"dir": ".popup", "bin": bin}
}

// database is the shop that a command looks into: that of the settings, or the one that runs on this machine.
type database struct {
	place
	Database string `env:"DATABASE_URL" help:"Address of the shop's Postgres; by default that of the shop on this machine."`
}

func (d database) url() (string, error) {
	if d.Database != "" {
		return d.Database, nil
	}
	if os.Getenv("DB_HOST") != "" {
		settings, err := config.Read[config.Database]()
		return settings.Address(), err
	}
	found, err := postgres.Find(filepath.Join(d.Dir, "postgres"))
	if err != nil {
		return "", fmt.Errorf("no shop is running in %s and DATABASE_URL is not set; start one with popup run: %w", d.Dir,
			err)
	}
	return found.URL(), nil
}

func (d database) open(ctx context.Context) (*pgxpool.Pool, error) {
	url, err := d.url()
	if err != nil {
		return nil, err
	}
	pool, err := config.Database{URL: url, Pool: 4}.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the shop's database: %w", err)
	}
	return pool, nil
}

type migrateCommand struct {
	database
	firstAdmin
	Password string `env:"ROLE_PASSWORD" help:"Password of the functions' database roles; not needed where the database trusts its socket."`
}

// Run applies missing migrations, and updates subscriptions and roles.
func (c *migrateCommand) Run(ctx context.Context) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	if err := migrations.Up(ctx, url); err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	all := functions.All(functions.Settings{})
	if err := provision.Subscribe(ctx, pool, all); err != nil {
		return err
	}
	if err := provision.GrantRoles(ctx, pool, all, c.Password); err != nil {
		return err
	}
	secret, err := c.ensure(ctx, pool)
	fmt.Print(c.newAdmin(secret))
	return err
}

type seedCommand struct {
	database
	Size string `default:"demo" enum:"demo,10k,100k,1m" help:"Size: the demo shop, or a generated catalogue with this many products (${enum})."`
}

var seedSizes = map[string]int{"10k": 10_000, "100k": 100_000, "1m": 1_000_000}

// Run makes the demo shop, or a made-up catalogue.
func (c *seedCommand) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if n := seedSizes[c.Size]; n > 0 {
		return seed.Catalogue(ctx, pool, n)
	}
	return seed.Demo(ctx, pool)
}
