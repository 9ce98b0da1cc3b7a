package local_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
)

func TestOrderTravelsToCompleted(t *testing.T) {
	t.Parallel()
	for _, p := range jetstream.Profiles() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := open(t, profile(p))
			answer := s.place(orderOf(2, "TEE-DROP-01"))
			require.Contains(t, []int{http.StatusCreated, http.StatusAccepted}, answer.Code)
			s.settle(60 * time.Second)
			s.check()
			require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed' AND stock = 'shipped' AND payment = 'paid'`))
			require.Len(t, s.mails(), 2, "confirmed, shipped")
			require.Equal(t, 1, s.count(`SELECT count(DISTINCT split_part(traceparent, '-', 2)) FROM bus.event WHERE traceparent <> '' AND order_id IS NOT NULL`), "one trace")
			require.Zero(t, s.count(`SELECT count(*) FROM bus.event WHERE traceparent = ''`), "in every event")
			require.Equal(t, 298, s.count(`SELECT sum(on_hand)::int FROM stock.levels WHERE sku = 'TEE-DROP-01'`))
		})
	}
}

func TestCancelGivesEverythingBack(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.Shipping = "manual" })
	p := s.place(orderOf(3, "PRINT-50"))
	require.Equal(t, http.StatusCreated, p.Code)
	require.Equal(t, 3, s.count(`SELECT reserved::int FROM stock.levels WHERE sku = 'PRINT-50'`))
	cancelled, err := s.client().CancelOrder(t.Context(), p.ID, client.CancelOrderRequest{Reason: "changed my mind"},
		client.OrderToken(p.OrderToken), client.Wait(10*time.Second))
	require.NoError(t, err)
	require.Equal(t, "cancelled", cancelled.Status)
	s.settle(30 * time.Second)
	s.check()
	require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'cancelled' AND stock = 'released' AND payment = 'refunded'`))
	require.Equal(t, 0, s.count(`SELECT reserved::int FROM stock.levels WHERE sku = 'PRINT-50'`))
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'order.cancelled'`))
}

func TestFiftyUnitsAreSoldToFiftyOfTwoHundredBuyers(t *testing.T) {
	t.Parallel()
	s := open(t)
	codes := s.crowd(200, func(int) client.PlaceOrderRequest { return orderOf(1, "PRINT-50") })
	require.Equal(t, map[int]int{http.StatusCreated: 50, http.StatusConflict: 150}, codes)
	s.settle(60 * time.Second)
	s.check()
	require.Equal(t, 50, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`))
	require.Equal(t, 150, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'rejected' AND reason = 'out_of_stock'`))
	require.Equal(t, 0, s.count(`SELECT sum(on_hand)::int FROM stock.levels WHERE sku = 'PRINT-50'`))
}

func TestCrossingOrdersNeverDeadlock(t *testing.T) {
	t.Parallel()
	s := open(t)
	there, back := orderOf(1, "MUG-ENAMEL", "CAP-NAVY"), orderOf(1, "CAP-NAVY", "MUG-ENAMEL")
	codes := s.crowd(100, func(i int) client.PlaceOrderRequest {
		if i%2 == 0 {
			return there
		}
		return back
	})
	require.Equal(t, map[int]int{http.StatusCreated: 100}, codes)
	s.settle(60 * time.Second)
	s.check()
	require.Zero(t, s.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}

func TestDelayedStockCheckIsADate(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.StockCheckDelay = 2 * time.Second })
	began := time.Now()
	p, err := s.post(uuid.NewString(), orderOf(1, "CAP-NAVY"), 0)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, p.Code)
	require.Equal(t, "pending", p.Status)
	s.settle(30 * time.Second)
	require.GreaterOrEqual(t, time.Since(began), 2*time.Second)
	s.check()
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'stock.due'`))
}

// STK-26.
func TestOrderWhoseTimeIsUpEnds(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *local.Options, settings *functions.Settings) {
		settings.StockCheckDelay, settings.HoldTime = 2*time.Second, 500*time.Millisecond
	})
	s.Engine.StopBroker()
	p, err := s.post(uuid.NewString(), orderOf(1, "CAP-NAVY"), 0)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, p.Code)
	require.Eventually(t, func() bool {
		return s.count(`SELECT count(*) FROM orders.orders WHERE deadline < now()`) == 1
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, s.Engine.StartBroker(t.Context()))
	s.settle(60 * time.Second)
	s.check()
}

// crowd posts n orders at once and counts the answers by code.
func (s *shop) crowd(n int, order func(i int) client.PlaceOrderRequest) map[int]int {
	s.t.Helper()
	var mu sync.Mutex
	codes := map[int]int{}
	var buyers sync.WaitGroup
	for i := range n {
		buyers.Go(func() {
			p, err := s.post(fmt.Sprintf("crowd-%d", i), order(i), 10*time.Second)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				p.Code = -1
			}
			codes[p.Code]++
		})
	}
	buyers.Wait()
	return codes
}
