package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cli/place"
	"github.com/popup-shop/popup/internal/local/postgres"
	"github.com/popup-shop/popup/internal/printer"
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
	return kong.Vars{"dir": ".popup", "bin": bin, "domains": strings.Join(checkDomains(), ", ")}
}

// database is the shop that a command looks into: that of the settings, or the one that runs on this machine.
type database struct {
	place.Folder
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

// findOrder returns the id of an order that is given by its id or its number; no name has no id.
func findOrder(ctx context.Context, pool *pgxpool.Pool, name string) (orderID string, err error) {
	if name == "" || uuid.Validate(name) == nil {
		return name, nil
	}
	err = pool.QueryRow(ctx, `
		SELECT order_id::text
		FROM orders.orders
		WHERE order_number = upper(@number)`, pgx.NamedArgs{"number": name}).Scan(&orderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("order %q does not exist", name)
	}
	if err != nil {
		return "", fmt.Errorf("find order %s: %w", name, err)
	}
	return orderID, nil
}

type migrateCommand struct {
	database
	firstAdmin
	Password string `env:"ROLE_PASSWORD" help:"Password of the functions' database roles; not needed where the database trusts its socket."`
}

// Run applies missing migrations, and updates subscriptions and roles.
func (c *migrateCommand) Run(ctx context.Context, out *printer.Printer) error {
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
	admin, err := c.ensure(ctx, pool)
	if err != nil {
		return err
	}
	admin.warn()
	return out.Done(admin, "%s", strings.TrimSpace(admin.line()+"the database is up to date"))
}

type seedCommand struct {
	database
	Size string `default:"demo" enum:"demo,10k,100k,1m" help:"Size: the demo shop, or a generated catalogue with this many products (${enum})."`
}

var seedSizes = map[string]int{"10k": 10_000, "100k": 100_000, "1m": 1_000_000}

// Run makes the demo shop, or a made-up catalogue.
func (c *seedCommand) Run(ctx context.Context, out *printer.Printer) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if n := seedSizes[c.Size]; n > 0 {
		err = seed.Catalogue(ctx, pool, n)
	} else {
		err = seed.Demo(ctx, pool)
	}
	if err != nil {
		return err
	}
	return out.Done(map[string]string{"size": c.Size}, "the shop has the goods of %s", c.Size)
}
