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

// rollbacks is how many transactions of the database were rolled back.
func (s *shop) rollbacks() int {
	s.t.Helper()
	_, err := s.Pool.Exec(s.t.Context(), `SELECT pg_sleep(1.2)`) // backends report at most once a second
	require.NoError(s.t, err)
	return s.count(`SELECT xact_rollback::int FROM pg_stat_database WHERE datname = current_database()`)
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
