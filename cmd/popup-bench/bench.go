package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/local/postgres"
)

type commands struct {
	Order     benchOrder     `cmd:"" help:"Orders from POST to confirmed: what each costs, beside a bare order in pgbench."`
	API       benchAPI       `cmd:"" help:"Lists and details through the gateway, beside a bare handler."`
	Catalogue benchCatalogue `cmd:"" help:"Lists, details and searches of small and large catalogues."`
	Web       benchWeb       `cmd:"" help:"Pages, beside the calls of the API that they are made from."`
	Hold      benchHold      `cmd:"" help:"The hold itself, on one SKU and on many, beside a bare update."`
	Cold      benchCold      `cmd:"" help:"Each function's program from start to its first answer and its first SQL."`
}

// bench is a shop of its own, in a process of its own, that is measured from outside.
type bench struct {
	program string // popup, this version or another one
	dir     string
	url     string
	flags   []string
	shop    *exec.Cmd
	pool    *pgxpool.Pool
	log     *os.File
	data    postgres.Found
	key     ed25519.PrivateKey // of the shop's tokens, if it was given one
}

// popupProgram returns the path of popup, which is installed beside this program.
func popupProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(filepath.Dir(self), "popup"))
}

// openBench starts a fresh shop in a folder for temporary files, with these settings in its environment.
func openBench(ctx context.Context, flags []string, settings ...string) (b *bench, err error) {
	program, err := popupProgram()
	if err != nil {
		return nil, err
	}
	return openVersion(ctx, program, flags, settings...)
}

// openVersion is openBench with the popup of another version.
func openVersion(ctx context.Context, program string, flags []string, settings ...string) (b *bench, err error) {
	b = &bench{program: program, flags: flags}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "popup-bench-"); err != nil {
		return b, err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // Postgres runs as another user when this program runs as root
		return b, err
	}
	if b.log, err = os.Create(filepath.Join(b.dir, "log")); err != nil {
		return b, err
	}
	return b, b.start(ctx, settings...)
}

// start opens the shop.
func (b *bench) start(ctx context.Context, settings ...string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	b.url = "http://" + address
	b.shop = exec.CommandContext(ctx, b.program,
		append([]string{"run", "--dir", b.dir, "--listen", address}, b.flags...)...)
	b.shop.Env = append(os.Environ(), settings...)
	b.shop.Stdout, b.shop.Stderr = b.log, b.log
	b.shop.Cancel = func() error { return b.shop.Process.Signal(syscall.SIGTERM) }
	if err := b.shop.Start(); err != nil {
		return err
	}
	if err := b.await(ctx); err != nil {
		return err
	}
	if b.data, err = postgres.Find(filepath.Join(b.dir, "postgres")); err != nil {
		return err
	}
	b.pool, err = config.Database{URL: b.data.URL(), Pool: 2}.Open(ctx)
	return err
}

// stop closes the shop, and its Postgres with it.
func (b *bench) stop() {
	if b.pool != nil {
		b.pool.Close()
	}
	if b.shop != nil && b.shop.Process != nil {
		_ = b.shop.Process.Signal(syscall.SIGTERM)
		_ = b.shop.Wait()
	}
}

// restart closes the shop and opens it with other settings.
func (b *bench) restart(ctx context.Context, settings ...string) error {
	b.stop()
	return b.start(ctx, settings...)
}

// await waits until the shop answers.
func (b *bench) await(ctx context.Context) error {
	_, err := client.New(b.url, client.Patience(time.Minute)).ListProducts(ctx,
		client.ListProductsQuery{Paging: client.Paging{Limit: 1}})
	if err == nil {
		return nil
	}
	text, _ := os.ReadFile(b.log.Name())
	return fmt.Errorf("the shop did not open: %w: %s", err, strings.TrimSpace(string(text)))
}

func (b *bench) close() {
	b.stop()
	if b.log != nil {
		_ = b.log.Close()
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// cpu is what the shop's process and its Postgres used so far.
func (b *bench) cpu() (shop, database time.Duration, err error) {
	database, err = b.data.CPUTime()
	if err != nil {
		return 0, 0, err
	}
	shop, err = ownTime(b.shop.Process.Pid)
	return shop, database, err
}

// ownTime reads the user and system time of a process, without its children, as proc(5) numbers them.
func ownTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU time of the shop: %w", err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("read CPU time of the shop: stat is cut short")
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// looped is what came of a closed loop.
type looped struct {
	times  []time.Duration // of the calls that went well, in order
	failed int
	err    error // of one that failed
	took   time.Duration
}

func (l looped) rate() float64 { return float64(len(l.times)) / l.took.Seconds() }

// at is the time that so many percent of the calls did not exceed.
func (l looped) at(percent int) time.Duration {
	if len(l.times) == 0 {
		return 0
	}
	return l.times[(len(l.times)-1)*percent/100]
}

// connections are as many as callers have at once.
func connections(parallel int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}, Timeout: 30 * time.Second}
}

// loop has callers make one request after the other. n numbers the requests.
func loop(ctx context.Context, parallel int, lasts time.Duration, call func(n int) error) looped {
	return loopUpTo(ctx, math.MaxInt, parallel, lasts, call)
}

// loopUpTo is loop with so many calls at most.
func loopUpTo(ctx context.Context, most, parallel int, lasts time.Duration, call func(n int) error) (l looped) {
	var failed, calls atomic.Int64
	var failure atomic.Value
	times := make([][]time.Duration, parallel)
	began := time.Now()
	var callers sync.WaitGroup
	for i := range parallel {
		callers.Go(func() {
			for n := int(calls.Add(1)); n <= most && time.Since(began) < lasts && ctx.Err() == nil; n = int(calls.Add(1)) {
				called := time.Now()
				if err := call(n); err != nil {
					failed.Add(1)
					failure.CompareAndSwap(nil, fmt.Errorf("call %d: %w", n, err))
					continue
				}
				times[i] = append(times[i], time.Since(called))
			}
		})
	}
	callers.Wait()
	l = looped{times: slices.Concat(times...), failed: int(failed.Load()), took: time.Since(began)}
	l.err, _ = failure.Load().(error)
	slices.Sort(l.times)
	return l
}

// report prints what was measured, and writes it to a file if there is one.
func report(text, file string) error {
	fmt.Print(text)
	if file == "" {
		return nil
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
