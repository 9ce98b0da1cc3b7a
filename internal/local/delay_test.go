package local_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// call is one event in the hands of a function.
type call struct{ began, ended time.Time }

// callLog is a log that knows from the shell's lines which calls there were.
type callLog struct {
	slog.Handler
	mu    sync.Mutex
	calls []call
}

func (l *callLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *callLog) Handle(_ context.Context, line slog.Record) error {
	c := call{ended: line.Time}
	line.Attrs(func(a slog.Attr) bool {
		if a.Key == "ms" {
			c.began = c.ended.Add(-time.Duration(a.Value.Int64()) * time.Millisecond)
		}
		return true
	})
	if !c.began.IsZero() {
		l.mu.Lock()
		l.calls = append(l.calls, c)
		l.mu.Unlock()
	}
	return nil
}

// between are the calls that ran at any time between two.
func (l *callLog) between(from, to time.Time) (found []call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		if c.ended.After(from) && c.began.Before(to) {
			found = append(found, c)
		}
	}
	return found
}

// longest is how long the longest call took.
func (l *callLog) longest() (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		longest = max(longest, c.ended.Sub(c.began))
	}
	return longest
}

// watched is a shop whose stock checks are put off, and in which for a while nothing happens by itself: the clock strikes
// when it opens and not again before they are due.
func watched(t *testing.T, delay time.Duration) (*shop, *callLog) {
	t.Helper()
	log := &callLog{Handler: slog.DiscardHandler}
	return open(t, func(o *local.Options, settings *functions.Settings) {
		o.Log, o.Tick, settings.StockCheckDelay = slog.New(log), 20*time.Second, delay
	}), log
}

// rush places n orders at once and leaves.
func (s *shop) rush(n int) {
	s.t.Helper()
	var buyers sync.WaitGroup
	for range n {
		buyers.Go(func() {
			if p, err := s.post(uuid.NewString(), orderOf(1, "MUG-ENAMEL"), 0); err != nil || p.Code/100 != 2 {
				s.t.Errorf("order was answered %d, %v", p.Code, err)
			}
		})
	}
	buyers.Wait()
}

// inHand is how many events wait or are being handled.
func (s *shop) inHand() (n int) {
	s.t.Helper()
	for _, trigger := range s.Engine.Triggers {
		info, err := s.Engine.Consumer(s.t.Context(), trigger)
		require.NoError(s.t, err)
		n += int(info.NumPending) + info.NumAckPending
	}
	return n
}

// FUN-10, ORD-27.
func TestADelayOfAHundredOrdersNeedsNoCPU(t *testing.T) {
	t.Parallel()
	const n = 100
	delay, late := shoptest.InFull(15*time.Second, 6*time.Second), shoptest.InFull(2*time.Second, 30*time.Second)
	s, log := watched(t, delay)
	s.rush(n)
	require.Eventually(t, func() bool { return s.inHand() == 0 }, delay, time.Millisecond, "all have heard of all orders")
	began, looks := time.Now(), 0
	for ended := began; ; ended, looks = time.Now(), looks+1 {
		inHand := s.inHand()
		working := s.count(`
			SELECT count(*) FROM pg_stat_activity
			WHERE xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()`)
		if s.count(`SELECT count(*) FROM orders.orders WHERE stock_check_at <= clock_timestamp()`) > 0 {
			require.Empty(t, log.between(began, ended), "no function was called")
			break
		}
		require.Zero(t, inHand, "no event is in hand")
		require.Zero(t, working, "no transaction is open")
	}
	require.NotZero(t, looks)

	s.settle(2 * time.Minute)
	s.check()
	require.Less(t, log.longest(), delay, "nobody slept through the delay")
	require.Equal(t, n, s.count(`
		SELECT count(*) FROM bus.event e JOIN orders.orders o USING (order_id)
		WHERE e.type = 'order.confirmed' AND e.created_at BETWEEN o.stock_check_at AND o.stock_check_at + $1`, late),
		"all are confirmed soon after their time: none waits for another")
}

// FUN-10.
func TestAnOrderThatIsHeldUpHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.StockCheckDelay = time.Second })
	for what, lock := range map[string]string{
		"its row":   `SELECT FROM orders.orders WHERE order_id = $1 FOR UPDATE`,
		"its goods": `SELECT FROM stock.levels WHERE sku = (SELECT sku FROM orders.lines WHERE order_id = $1) FOR UPDATE`,
	} {
		heldUp, err := s.post(uuid.NewString(), orderOf(1, "CAP-NAVY"), 0)
		require.NoError(t, err)
		require.Equal(t, "pending", heldUp.Status)
		tx, err := s.Pool.Begin(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // it may be over already
		_, err = tx.Exec(t.Context(), lock, heldUp.ID)
		require.NoError(t, err)
		waiting := func() bool {
			return s.count(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`) > 0
		}
		require.Eventually(t, waiting, 20*time.Second, time.Millisecond, "somebody waits for %s", what)

		other := s.place(orderOf(1, "PRINT-50"))
		require.Equal(t, http.StatusCreated, other.Code, what)
		require.Equal(t, []string{"pending"}, s.statuses(heldUp.ID), what)
		require.NoError(t, tx.Rollback(t.Context()))
		s.settle(time.Minute)
		require.Equal(t, []string{"completed", "completed"}, s.statuses(other.ID, heldUp.ID), what)
	}
	s.check()
}

// statuses are the states of orders.
func (s *shop) statuses(ids ...string) (all []string) {
	s.t.Helper()
	for _, id := range ids {
		var status string
		require.NoError(s.t, s.Pool.QueryRow(s.t.Context(), `SELECT status FROM orders.orders WHERE order_id = $1`, id).Scan(&status))
		all = append(all, status)
	}
	return all
}
