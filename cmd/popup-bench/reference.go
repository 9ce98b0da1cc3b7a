package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/local/postgres"
)

// reference is what this machine's Postgres does with nothing but a bare order.
type reference struct {
	rate float64 // orders a second
	cpu  float64 // of Postgres for an order, in milliseconds
}

const (
	referenceClients = 16
	referenceTables  = `
		DROP SCHEMA IF EXISTS bench CASCADE;
		CREATE SCHEMA bench;
		CREATE TABLE bench.stock (sku integer PRIMARY KEY, n integer NOT NULL CHECK (n >= 0)) WITH (fillfactor = 50);
		INSERT INTO bench.stock SELECT sku, 1000000000 FROM generate_series(1, 1000) AS sku;
		CREATE TABLE bench.orders (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text, total integer, at timestamptz DEFAULT now(), body text);
		CREATE TABLE bench.lines (order_id bigint REFERENCES bench.orders, n integer, sku integer, quantity integer, PRIMARY KEY (order_id, n));
		CREATE TABLE bench.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text, data text, at timestamptz DEFAULT now());
		CREATE TABLE bench.steps (order_id bigint, step integer, at timestamptz DEFAULT now(), PRIMARY KEY (order_id, step));`
	referenceOrder = `\set sku random(1, 1000)
BEGIN;
INSERT INTO bench.orders (state, total, body) VALUES ('pending', 100, repeat('x', 200)) RETURNING id \gset
INSERT INTO bench.lines VALUES (:id, 1, :sku, 1);
INSERT INTO bench.outbox (type, data) VALUES ('placed', repeat('x', 300));
UPDATE bench.stock SET n = n - 1 WHERE sku = :sku;
COMMIT;
`
	referenceStep = `BEGIN;
INSERT INTO bench.steps VALUES (:id, %[1]d);
UPDATE bench.orders SET state = 's%[1]d' WHERE id = :id;
INSERT INTO bench.outbox (type, data) VALUES ('step', repeat('x', 300));
COMMIT;
`
	referenceSteps = 5
)

var (
	tps       = regexp.MustCompile(`tps = ([0-9.]+)`)
	processed = regexp.MustCompile(`transactions actually processed: ([0-9]+)`)
)

// reference runs the one fixed script, whatever the load: an order with its line, an outbox row and a stock update in
// one commit, then five commits of a step, a change of state and an outbox row; 16 clients, prepared, each commit on
// disk.
func (b *bench) reference(ctx context.Context, lasts time.Duration) (r reference, err error) {
	conn, err := pgx.Connect(ctx, b.data.URL())
	if err != nil {
		return r, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, referenceTables); err != nil {
		return r, fmt.Errorf("make tables of the reference: %w", err)
	}
	script := referenceOrder
	for step := range referenceSteps {
		script += fmt.Sprintf(referenceStep, step+1)
	}
	before, err := b.data.CPUTime()
	if err != nil {
		return r, err
	}
	out, err := pgbench{dir: b.dir, script: script, clients: referenceClients, lasts: lasts}.run(ctx, b.data)
	if err != nil {
		return r, err
	}
	after, err := b.data.CPUTime()
	if err != nil {
		return r, err
	}
	orders, err := readNumber(processed, out)
	if err != nil {
		return r, err
	}
	r.cpu = ms(after-before) / orders
	r.rate, err = readNumber(tps, out)
	return r, err
}

// pgbench is a script that clients run again and again, with prepared statements.
type pgbench struct {
	dir     string // for its file
	script  string
	clients int
	lasts   time.Duration
	options string // of the connections
}

// run runs the script on a cluster and returns what the program prints.
func (p pgbench) run(ctx context.Context, data postgres.Found) (out string, err error) {
	file := filepath.Join(p.dir, "pgbench.sql")
	if err := os.WriteFile(file, []byte(p.script), 0o644); err != nil {
		return "", err
	}
	program, err := findPgbench()
	if err != nil {
		return "", err
	}
	socket, port := data.Socket()
	run := exec.CommandContext(ctx, program, "-n", "-h", socket, "-p", port, "-U", "popup", "-M", "prepared",
		"-c", strconv.Itoa(p.clients), "-j", "2", "-T", strconv.Itoa(int(p.lasts.Seconds())), "-f", file, "popup")
	run.Env = append(os.Environ(), "PGOPTIONS="+p.options)
	text, err := run.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench: %w: %s", err, text)
	}
	return string(text), nil
}

// readNumber finds a number in the output of pgbench.
func readNumber(expression *regexp.Regexp, out string) (float64, error) {
	found := expression.FindStringSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench printed no %s: %s", expression, strings.TrimSpace(out))
	}
	return strconv.ParseFloat(found[1], 64)
}

// findPgbench finds the program, which comes with Postgres.
func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("pgbench is not installed (Debian: postgresql-contrib)")
	}
	return found[len(found)-1], nil
}
