package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/shoptest"
)

// ORD-30, with each function as a process of its own.
func TestAsProcessesACancelledOrderIsNotShipped(t *testing.T) {
	settings := map[string][]string{"automatic": {"SHIPPING=auto"}, "manual": {"SHIPPING=manual"}}
	if shoptest.InFull(true, false) { // the schedule of processes ticks each minute, and moves each shipment once
		settings["automatic with a pace"] = []string{"SHIPPING=auto", "CARRIER_PACE=100ms"}
	}
	for name, env := range settings {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t, "--processes", "--idle", "30s")
			p.flags, p.env = append(p.flags, "--bin", p.bin), env
			p.start()
			require.NotEmpty(t, p.order("first", 10*time.Second), "%s", &p.log)
			ids := p.cancelAll(shoptest.InFull(60, 20))
			for _, id := range ids {
				p.rests(id, name == "manual")
			}
			out, err := p.popup("check", "--rebuild")
			require.NoError(t, err, out)
		})
	}
}

// cancelAll places n orders, cancels each up to 1.5 s after its response, and returns their ids.
func (p *program) cancelAll(n int) (ids []string) {
	p.t.Helper()
	var mu sync.Mutex
	var customers sync.WaitGroup
	for i := range n {
		customers.Go(func() {
			placed, err := p.shop().PlaceOrder(p.t.Context(), cup(), client.Key(fmt.Sprintf("cancelled-%d", i)))
			if err != nil {
				p.t.Errorf("order: %v", err)
				return
			}
			mu.Lock()
			ids = append(ids, placed.ID)
			mu.Unlock()
			time.Sleep(rand.N(1500 * time.Millisecond))
			_, err = p.shop().CancelOrder(p.t.Context(), placed.ID, client.CancelOrderRequest{},
				client.OrderToken(placed.OrderToken))
			if problem := (*client.Problem)(nil); err != nil &&
				!(errors.As(err, &problem) && problem.Status == http.StatusConflict) {
				p.t.Errorf("cancel: %v", err)
			}
		})
	}
	customers.Wait()
	return ids
}

// rests waits until an order is cancelled and nothing of it was shipped, or is completed; a shop that ships by hand may
// leave it confirmed.
func (p *program) rests(id string, manual bool) {
	p.t.Helper()
	var out string
	ended := func() bool {
		var err error
		out, err = p.popup("events", "--order", id)
		return err == nil && (strings.Contains(out, "order.completed") || strings.Contains(out, "order.cancelled") || manual && strings.Contains(out, "shipment.created"))
	}
	for until := time.Now().Add(shoptest.InFull(6*time.Minute,
		90*time.Second)); !ended(); time.Sleep(300 * time.Millisecond) {
		require.True(p.t, time.Now().Before(until), "order %s did not come to its end\n%s\n%s", id, out, &p.log)
	}
	if strings.Contains(out, "order.withdrawn") {
		require.NotContains(p.t, out, "order.shipped")
		require.NotContains(p.t, out, "order.delivered")
	}
}
