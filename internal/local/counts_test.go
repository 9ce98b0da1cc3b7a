package local_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// deliverAll waits until every consumer has received every event it subscribes to.
func (s *shop) deliverAll(within time.Duration) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return s.count(`
			SELECT count(*) FROM bus.event e JOIN bus.subscription s USING (type)
			WHERE NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)`) == 0
	}, within, 50*time.Millisecond, "events were not delivered")
}

// buy places n orders of one line, so many at a time, and waits until all that follows from them is done.
func (s *shop) buy(n, atOnce int) {
	s.t.Helper()
	_, err := s.Pool.Exec(s.t.Context(), `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', 100000, 'test' FROM stock.levels WHERE sku = 'MUG-ENAMEL'`)
	require.NoError(s.t, err)
	slots := make(chan struct{}, atOnce)
	var buyers sync.WaitGroup
	for range n {
		slots <- struct{}{}
		buyers.Go(func() {
			defer func() { <-slots }()
			p, err := s.post(uuid.NewString(), orderOf(1, "MUG-ENAMEL"), 10*time.Second)
			if err != nil || p.Code != http.StatusCreated {
				s.t.Errorf("order: status %d, error %v", p.Code, err)
			}
		})
	}
	buyers.Wait()
	s.deliverAll(time.Minute)
}

// rollbacks returns how many transactions of the database were rolled back.
func (s *shop) rollbacks() int {
	s.t.Helper()
	s.reportStatistics()
	return s.count(`SELECT xact_rollback::int FROM pg_stat_database WHERE datname = current_database()`)
}

// reportStatistics ends the connections of the shop: each reports what it did when it ends, and up to ten seconds late while it
// rests.
func (s *shop) reportStatistics() {
	s.t.Helper()
	var began time.Time
	require.NoError(s.t, s.Pool.QueryRow(s.t.Context(), `SELECT now()`).Scan(&began))
	s.Pool.Reset()
	require.Eventually(s.t, func() bool {
		return s.count(`SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND backend_start < $1`, began) == 0
	}, 10*time.Second, 10*time.Millisecond)
}

// counts are what orders cost the shop; they do not depend on the machine, except that a busier one makes larger batches.
type counts struct{ statements, roundTrips, commits, publishes, rollbacks int }

func (s *shop) counts() counts {
	s.t.Helper()
	c := counts{rollbacks: s.rollbacks()}
	sent := pgbatch.CounterOf(s.Pool)
	c.statements, c.roundTrips = int(sent.Statements()), int(sent.RoundTrips())
	c.publishes = int(s.Engine.Tell.(*local.InProcess).Runtime.Sent())
	c.commits = s.count(`SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int`) // of transactions that write
	return c
}

func TestOrdersRollNoTransactionBack(t *testing.T) {
	for _, shipping := range []string{"manual", "auto"} {
		t.Run(shipping, func(t *testing.T) {
			s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.Shipping = shipping })
			s.buy(20, 16)
			before := s.rollbacks()
			s.buy(200, 16)
			require.Zero(t, s.rollbacks()-before)
			s.check()
		})
	}
}

// What an order costs does not depend on the machine, except that orders that come faster make larger batches. This load took 21.9 to
// 22.7 statements, 8.8 to 9.1 round trips and 2.7 to 2.8 commits for an order, beside busy processors.
func TestOrdersThatComeTogetherCostFewStatements(t *testing.T) {
	const orders = 200
	s := open(t, durable, func(_ *local.Options, settings *functions.Settings) { settings.Shipping = "manual" })
	s.buy(20, 16)
	before := s.counts()
	s.buy(orders, 16)
	after := s.counts()
	require.Zero(t, after.rollbacks-before.rollbacks, "rollbacks")
	require.Equal(t, 5*orders, after.publishes-before.publishes, "publishes")
	for what, c := range map[string]struct {
		counted int
		most    float64
	}{
		"statements":  {after.statements - before.statements, 25},
		"round trips": {after.roundTrips - before.roundTrips, 10},
		"commits":     {after.commits - before.commits, 4},
	} {
		t.Logf("%s for an order: %.1f", what, float64(c.counted)/orders)
		require.LessOrEqual(t, float64(c.counted)/orders, c.most, "%s for an order", what)
	}
}
