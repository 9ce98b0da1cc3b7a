package local_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	storedeadletter "github.com/popup-shop/popup/functions/store-dead-letter"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// Settings of the programs that this test binary is started as.
const (
	programName   = "POPUP_TEST_PROGRAM"
	poisonOrder   = "POPUP_TEST_POISON"
	stoppedBefore = "POPUP_TEST_STOPPED"
)

// A test binary that is started under a function's name is that function's program.
func init() {
	for _, f := range programs() {
		if f.Name == os.Getenv(programName) {
			function.Main(f)
			os.Exit(0)
		}
	}
}

func programs() []function.Function {
	return []function.Function{storedeadletter.New(), onPoison("test-crash", func() { os.Exit(1) }), onPoison("test-stop", stopOnce)}
}

// stopOnce stops the process, unless one was stopped before.
func stopOnce() {
	if os.Mkdir(os.Getenv(stoppedBefore), 0o700) == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// onPoison is a function that locks each order's level and does something to its process at the order in poisonOrder.
func onPoison(name string, do func()) function.Function {
	return function.Function{Name: name, Locks: []string{"stock.levels"}, On: []function.Handler{
		function.On(function.Each(func(ctx context.Context, tx pgx.Tx, e events.StockReserved) (events.Event, error) {
			_, err := tx.Exec(ctx, `SELECT FROM stock.levels WHERE sku = $1 ORDER BY level_id FOR NO KEY UPDATE`, shoptest.Cap)
			if e.OrderID == os.Getenv(poisonOrder) {
				do()
			}
			return nil, err
		})),
	}}
}

// processes is a shop whose functions are processes of their own, with a broker that gives up soon.
type processes struct {
	*shoptest.Shop
	*local.Processes
	engine *local.Engine
}

func openProcesses(t *testing.T, poison string, names ...string) processes {
	t.Helper()
	all := slices.DeleteFunc(programs(), func(f function.Function) bool { return !slices.Contains(names, f.Name) })
	shop := shoptest.Open(t, func(struct{}) []function.Function { return all })
	bin := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	for _, name := range names {
		script := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s\n", programName, name, self)
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755))
	}
	apart := &local.Processes{
		Bin: bin, Functions: names, Idle: time.Minute, Address: "http://shop.test", Log: slog.New(slog.DiscardHandler), Out: io.Discard,
		Env: func(string) []string {
			return []string{"DATABASE_URL=" + shop.URL, poisonOrder + "=" + poison, stoppedBefore + "=" + filepath.Join(bin, "stopped")}
		},
	}
	trigger := triggerOf(names[1], events.StockReserved{})
	trigger.Delivery.Retry, trigger.Delivery.Delay = 2, 20*time.Millisecond
	e := &local.Engine{
		Functions: all, Triggers: []jetstream.Trigger{trigger}, Profile: jetstream.Spec, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Every: time.Minute,
	}
	e.Tell = apart
	run(t, e, nil)
	t.Cleanup(apart.StopAll)
	return processes{shop, apart, e}
}

// emit publishes events about orders, as if they had been emitted a minute ago.
func (p processes) emit(t *testing.T, orders ...string) {
	t.Helper()
	var messages []cloudevent.Message
	for _, id := range orders {
		messages = append(messages, p.Store(t, events.StockReserved{OrderID: id}))
	}
	p.Exec(t, `UPDATE bus.event SET created_at = now() - interval '1 min'`)
	p.Exec(t, `UPDATE bus.subscription SET since = now() - interval '1 hour'`)
	for _, err := range p.engine.Publish(t.Context(), messages) {
		require.NoError(t, err)
	}
}

// sweep publishes again what is undelivered, whatever its next time is, once the broker has given up.
func (p processes) sweep(t *testing.T) {
	t.Helper()
	consumers(t, p.engine, p.engine.Triggers, "nothing is left to deliver", atRest)
	p.Exec(t, `UPDATE bus.undelivered SET next_at = now()`)
	require.NoError(t, eventstore.Sweep(t.Context(), p.Pool, p.engine))
}

func (p processes) handled(t *testing.T) int64 {
	return shoptest.Scalar[int64](t, p.Shop, `SELECT count(*) FROM bus.inbox`)
}

func (p processes) deadLetters(t *testing.T) []string {
	return shoptest.Scalar[[]string](t, p.Shop, `
		SELECT coalesce(array_agg(concat_ws(' ', kind, consumer, reason, convert_from(event, 'UTF8')::json->>'subject')), '{}') FROM bus.dead_letters WHERE resolved_at IS NULL`)
}

// B3: an event that ends its function's process becomes a dead letter, and no event beside it does.
func TestAnEventThatEndsItsProcessIsADeadLetter(t *testing.T) {
	t.Parallel()
	poison := orderID()
	p := openProcesses(t, poison, "store-dead-letter", "test-crash")
	orders := []string{poison}
	for range 20 {
		orders = append(orders, orderID())
	}
	p.emit(t, orders...)
	for rounds := 0; len(p.deadLetters(t)) == 0 || p.handled(t) < 20; rounds++ {
		require.Less(t, rounds, 10, "%d are handled", p.handled(t))
		p.sweep(t)
	}
	consumers(t, p.engine, p.engine.Triggers, "nothing is left to deliver", atRest)
	require.Equal(t, []string{"undelivered test-crash 502 no response " + poison}, p.deadLetters(t))
	require.EqualValues(t, 20, p.handled(t))
}

// FUN-03: a function whose program is not there is not at fault, however long it takes.
func TestAnEventOfAFunctionThatCannotBeReachedIsNoDeadLetter(t *testing.T) {
	t.Parallel()
	p := openProcesses(t, "", "store-dead-letter", "test-crash")
	program := filepath.Join(p.Bin, "test-crash")
	require.NoError(t, os.Rename(program, program+".away"))
	p.emit(t, orderID())
	for range 6 {
		p.sweep(t)
	}
	require.Empty(t, p.deadLetters(t))
	require.NoError(t, os.Rename(program+".away", program))
	require.Eventually(t, func() bool {
		p.sweep(t)
		return p.handled(t) == 1
	}, 20*time.Second, 10*time.Millisecond)
}

// C6: a function that is stopped inside its transaction loses its locks after ten seconds, and others go on.
func TestAStoppedFunctionLosesItsLocks(t *testing.T) {
	t.Parallel()
	poison := orderID()
	p := openProcesses(t, poison, "store-dead-letter", "test-stop")
	t.Cleanup(func() {
		if pid, ok := p.Running()["test-stop"]; ok {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	p.emit(t, poison)
	locked := func() bool {
		_, err := p.Pool.Exec(t.Context(), `SELECT FROM stock.levels WHERE sku = $1 FOR NO KEY UPDATE NOWAIT`, shoptest.Cap)
		return err != nil
	}
	require.Eventually(t, locked, time.Minute, 10*time.Millisecond, "it holds its locks")
	began := time.Now()
	require.Eventually(t, func() bool { return !locked() }, 20*time.Second, 100*time.Millisecond)
	require.Less(t, time.Since(began), 12*time.Second)

	require.NoError(t, syscall.Kill(p.Running()["test-stop"], syscall.SIGCONT))
	require.Eventually(t, func() bool { return p.handled(t) == 1 }, 20*time.Second, 10*time.Millisecond, "and it goes on, too")
	require.Empty(t, p.deadLetters(t), "it is no verdict on the event")
}
