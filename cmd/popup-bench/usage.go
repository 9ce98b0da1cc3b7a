package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/internal/token"
)

// usage is what was counted and used so far: the figures below, CPU in milliseconds.
type usage [figures]float64

const (
	statements = iota
	roundTrips
	commits // transactions that wrote: each has a number of its own
	walBytes
	publishes
	shopCPU
	clientCPU
	backendCPU
	walWriterCPU
	otherCPU   // of Postgres
	machineCPU // of all processes
	elapsed    // milliseconds
	figures
)

// usage reads all figures.
func (b *bench) usage(ctx context.Context) (u usage, err error) {
	return u, errors.Join(b.countSent(ctx, &u), b.countDatabase(ctx, &u), b.readCPU(&u))
}

func (u usage) plus(other usage) usage {
	for i := range u {
		u[i] += other[i]
	}
	return u
}

func (u usage) minus(other usage) usage {
	for i := range u {
		u[i] -= other[i]
	}
	return u
}

func (u usage) per(n int) usage {
	for i := range u {
		u[i] /= float64(n)
	}
	return u
}

// database returns the CPU of all processes of Postgres.
func (u usage) database() float64 { return u[backendCPU] + u[walWriterCPU] + u[otherCPU] }

// others returns how many cores other processes kept busy, which take from what is measured.
func (u usage) others() float64 {
	return (u[machineCPU] - u[shopCPU] - u[clientCPU] - u.database()) / u[elapsed]
}

// countSent reads what the shop counts itself.
func (b *bench) countSent(ctx context.Context, u *usage) error {
	sent, err := b.metrics(ctx)
	u[statements] = sent["popup_database_statements_total"]
	u[roundTrips] = sent["popup_database_round_trips_total"]
	u[publishes] = sent["popup_events_published_total"]
	return err
}

// metrics reads the metrics of the shop that have no labels.
func (b *bench) metrics(ctx context.Context) (map[string]float64, error) {
	scraper := token.Claims{ID: uuid.NewString(), Role: token.Client, Scopes: []string{"metrics"}}
	signed, err := token.NewSigning(b.key).Sign(scraper, time.Now())
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+signed)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read metrics: %s", response.Status)
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = value
		}
	}
	return values, nil
}

// countDatabase reads what only Postgres can count. What its statistics views show comes up to ten seconds late; this
// does not.
func (b *bench) countDatabase(ctx context.Context, u *usage) error {
	return b.pool.QueryRow(ctx, `
		SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8`).
		Scan(&u[commits], &u[walBytes])
}

// statisticsLate is how late a connection that rests reports what it did.
const statisticsLate = 11 * time.Second

// rollbacks returns how many transactions were rolled back, as far as connections have reported it.
func (b *bench) rollbacks(ctx context.Context) (n int64, err error) {
	err = b.pool.QueryRow(ctx, `SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&n)
	return n, err
}

func (b *bench) readCPU(u *usage) error {
	shop, database, err := b.cpu()
	if err != nil {
		return err
	}
	processes, err := b.data.Processes()
	if err != nil {
		return err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return fmt.Errorf("read CPU time of the callers: %w", err)
	}
	u[shopCPU] = ms(shop)
	u[clientCPU] = ms(time.Duration(own.Utime.Nano() + own.Stime.Nano()))
	for _, p := range processes {
		switch p.Kind {
		case "backend":
			u[backendCPU] += ms(p.CPUTime)
		case "walwriter":
			u[walWriterCPU] += ms(p.CPUTime)
		}
	}
	u[otherCPU] = ms(database) - u[backendCPU] - u[walWriterCPU]
	u[elapsed] = float64(time.Now().UnixMilli())
	u[machineCPU], err = machineTime()
	return err
}

// machineTime returns how long processors were busy since the machine started, in milliseconds, as proc(5) numbers it.
func machineTime() (float64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read CPU time of the machine: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line) // cpu, user, nice, system, idle, iowait, irq, softirq
	if len(fields) < 8 {
		return 0, errors.New("read CPU time of the machine: stat is cut short")
	}
	var ticks float64
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time of the machine: %w", err)
		}
		ticks += n
	}
	return 10 * ticks, nil
}

// awaitQuiet waits until the shop writes no more than it does at rest, so that all the work of the orders is counted.
func (b *bench) awaitQuiet(ctx context.Context) error {
	const atRest = 3 // commits in half a second
	for before := -1e9; ; {
		var u usage
		if err := b.countDatabase(ctx, &u); err != nil {
			return err
		}
		if u[commits]-before <= atRest {
			return nil
		}
		before = u[commits]
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// pss returns the memory of a process, with its part of what it shares with others.
func pss(pid int) (kilobytes int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("read memory of %d: no Pss", pid)
}
