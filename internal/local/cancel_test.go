package local_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
)

// shipping is who moves shipments, and how fast.
func shipping(by string, pace time.Duration) change {
	return func(_ *local.Options, settings *functions.Settings) {
		settings.Shipping, settings.CarrierPace = by, pace
	}
}

// cancel cancels an order and returns the status of the response.
func (s *shop) cancel(p placed) (int, error) {
	var answered http.Response
	_, err := s.client().CancelOrder(s.t.Context(), p.ID, client.CancelOrderRequest{Reason: "changed my mind"},
		client.Key(p.ID), client.OrderToken(p.OrderToken), client.Wait(0), client.Answered(&answered))
	if problem := (*client.Problem)(nil); errors.As(err, &problem) {
		err = nil
	}
	return answered.StatusCode, err
}

// cancelled places orders of one cup each, cancels every one of them 0 to 1.5 s after its response, and counts the responses
// to the cancels by status.
func (s *shop) cancelled(n int) map[int]int {
	s.t.Helper()
	s.deliver("MUG-ENAMEL", n)
	var mu sync.Mutex
	codes := map[int]int{}
	slots := make(chan struct{}, 16)
	var customers sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		customers.Go(func() {
			p, err := s.post(fmt.Sprintf("customer-%d", i), orderOf(1, "MUG-ENAMEL"), 0)
			<-slots
			time.Sleep(rand.N(1500 * time.Millisecond))
			code := -1
			if err == nil {
				code, err = s.cancel(p)
			}
			if err != nil {
				s.t.Errorf("order %s: %v", p.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	customers.Wait()
	return codes
}

// deliver adds goods to the stock of a SKU.
func (s *shop) deliver(sku string, quantity int) {
	s.t.Helper()
	_, err := s.Pool.Exec(s.t.Context(), `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', $2, 'test' FROM stock.levels WHERE sku = $1 ORDER BY level_id LIMIT 1`, sku, quantity)
	require.NoError(s.t, err)
}

// requireUndone demands that nothing was shipped for an order that is cancelled, and that everything came back.
func (s *shop) requireUndone() {
	s.t.Helper()
	require.Zero(s.t, s.count(`
		SELECT count(*) FROM orders.orders o JOIN delivery.shipments sh USING (order_id) WHERE o.status = 'cancelled' AND sh.status <> 'cancelled'`))
	require.Zero(s.t, s.count(`
		SELECT count(*) FROM orders.orders o JOIN stock.reservations r USING (order_id) WHERE o.status = 'cancelled' AND r.status <> 'released'`))
	require.Zero(s.t, s.count(`
		SELECT count(*) FROM orders.orders o JOIN payments.payments p USING (order_id) WHERE o.status = 'cancelled' AND captured_minor <> refunded_minor`))
}

// ORD-30: an order is either cancelled and nothing of it is shipped, or it is completed.
func TestACancelledOrderIsNotShipped(t *testing.T) {
	for name, by := range map[string]change{
		"automatic":             shipping("auto", 0),
		"automatic with a pace": shipping("auto", 100*time.Millisecond),
		"manual":                shipping("manual", 0),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, by)
			n := shoptest.InFull(200, 60)
			codes := s.cancelled(n)
			s.settleBut("confirmed", time.Minute)
			s.check()
			s.requireUndone()
			undone := s.count(`SELECT count(*) FROM orders.orders WHERE status = 'cancelled'`)
			t.Logf("%d of %d orders cancelled: %v", undone, n, codes)
			require.Equal(t, undone, codes[http.StatusOK]+codes[http.StatusAccepted])
			if name == "manual" {
				require.Equal(t, n, undone, "a planned shipment is no obstacle")
				return
			}
			require.Equal(t, n-undone, codes[http.StatusConflict])
			require.Equal(t, n-undone, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`))
		})
	}
}
