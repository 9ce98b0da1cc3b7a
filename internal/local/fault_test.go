package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
)

// flaky crashes a tenth of all calls: half of them between commit and publish, half between publish and acknowledge.
type flaky struct{ cloudevent.Publisher }

var errCrash = errors.New("crash")

func (f flaky) Publish(ctx context.Context, messages []cloudevent.Message) []error {
	return cloudevent.PublisherFunc(func(ctx context.Context, m cloudevent.Message) error {
		switch n := rand.IntN(100); {
		case n < 5:
			return errCrash
		case n < 10:
			return errors.Join(f.Publisher.Publish(ctx, []cloudevent.Message{m})[0], errCrash)
		}
		return f.Publisher.Publish(ctx, []cloudevent.Message{m})[0]
	}).Publish(ctx, messages)
}

// stormy delivers every event five times, shuffled, and crashes calls.
func stormy(o *local.Options, _ *functions.Settings) {
	o.Copies = 4
	o.Sink = func(to cloudevent.Publisher) cloudevent.Publisher { return flaky{to} }
}

// orders is how many orders a storm has.
func orders() int {
	if os.Getenv("POPUP_SLOW") != "" {
		return 500
	}
	return 150
}

// shopping is the same for every shop: mostly what there is, some of what there is not.
func shopping(i int) client.PlaceOrderRequest {
	switch {
	case i%25 == 0:
		return orderOf(99, "PLATE-03") // there are 30
	case i%3 == 0:
		return orderOf(1, "MUG-ENAMEL", "TEE-DROP-01")
	}
	return orderOf(1, "MUG-ENAMEL")
}

// changeable is what customers order who then cancel: it is in no other order, for it depends on chance how these end.
const changeable = "CAP-NAVY"

// sell lets n customers buy, so many at a time. For every four of them there is one more who cancels, up to 1.5 s later.
func (s *shop) sell(n, atOnce int) {
	s.t.Helper()
	_, err := s.Pool.Exec(s.t.Context(), `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', 100000, 'test' FROM stock.levels WHERE sku IN ('MUG-ENAMEL', 'TEE-DROP-01')`)
	require.NoError(s.t, err)
	s.deliver(changeable, n)
	slots := make(chan struct{}, atOnce)
	var customers sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		customers.Go(func() {
			defer func() { <-slots }()
			s.insist(fmt.Sprintf("customer-%d", i), shopping(i))
		})
		if i%4 == 0 && !s.steady {
			customers.Go(func() { s.orderAndCancel(fmt.Sprintf("changing-%d", i)) })
		}
	}
	customers.Wait()
}

// requireSold reports whether the n orders of a sale ended as they must: how those end that are cancelled depends on chance.
func (s *shop) requireSold(n int) {
	s.t.Helper()
	rejected := (n + 24) / 25
	require.Equal(s.t, rejected, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'rejected'`))
	require.Equal(s.t, n-rejected, s.count(`SELECT count(*) FROM orders.orders o WHERE status = 'completed'
		AND NOT EXISTS (SELECT FROM orders.lines l WHERE l.order_id = o.order_id AND sku = $1)`, changeable))
}

// orderAndCancel places an order and cancels it up to 1.5 s later, each until there is a response.
func (s *shop) orderAndCancel(key string) {
	p := s.insist(key, orderOf(1, changeable))
	time.Sleep(rand.N(1500 * time.Millisecond))
	s.retry("cancel "+key, func() (int, error) { return s.cancel(p) })
}

// insist posts an order until it is answered, as a good client does, under one key.
func (s *shop) insist(key string, order client.PlaceOrderRequest) (p placed) {
	s.retry("order "+key, func() (_ int, err error) {
		p, err = s.post(key, order, 0)
		return p.Code, err
	})
	return p
}

// retry calls until there is a response that is not about the shop's own state.
func (s *shop) retry(what string, call func() (status int, err error)) {
	for range 200 {
		status, err := call()
		if err == nil && status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Errorf("%s was never answered", what)
}

// FUN-01, FUN-02, EVT-03, EVT-07.
func TestStormEndsAsACalmDay(t *testing.T) {
	calm := open(t)
	calm.sell(orders(), 16)
	calm.settle(3 * time.Minute)
	calm.check()
	want := calm.digest()
	calm.Close()
	for _, p := range jetstream.Profiles() {
		t.Run(string(p), func(t *testing.T) {
			s := open(t, profile(p), stormy)
			s.sell(orders(), 16)
			s.settle(15 * time.Minute)
			s.check()
			s.requireUndone()
			require.Equal(t, want, s.digest())
			s.Close()
		})
	}
}

// during runs a fault while customers buy, and then demands that all is as if nothing had been.
func (s *shop) during(n int, fault func()) {
	s.t.Helper()
	var selling sync.WaitGroup
	selling.Go(func() { s.sell(n, 8) })
	time.Sleep(300 * time.Millisecond) // in mid-flow
	fault()
	selling.Wait()
	s.settle(2 * time.Minute)
	s.check()
	s.requireSold(n)
	s.requireUndone()
}

// FUN-04.
func TestBrokerMayLoseItsDisk(t *testing.T) {
	s := open(t)
	s.during(150, func() {
		require.NoError(t, s.Engine.LoseBroker(context.Background()))
	})
}

// FUN-05.
func TestBrokerMayBeAway(t *testing.T) {
	s := open(t)
	s.during(100, func() {
		s.Engine.StopBroker()
		p, err := s.post(uuid.NewString(), orderOf(1, "CAP-NAVY"), 0)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, p.Code)
		_, err = s.Pool.Exec(t.Context(), `SELECT pg_sleep(2)`)
		require.NoError(t, err)
		require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'pending'`, p.ID))
		require.NoError(t, s.Engine.StartBroker(context.Background()))
		require.Eventually(t, func() bool {
			return s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'completed'`, p.ID) == 1
		}, time.Minute, 100*time.Millisecond)
	})
}

// ORD-28. A crash may take an event with it that was published already; its cause is handled again and emits it again, unless the
// order was cancelled meanwhile: then the event waits as a dead letter for a person. So these customers cancel nothing.
func TestPostgresMayStopForFiveSeconds(t *testing.T) {
	s := open(t, durable)
	s.steady = true
	s.during(100, func() {
		require.NoError(t, s.Postgres.Kill())
		time.Sleep(5 * time.Second)
		require.NoError(t, s.Postgres.Restart(context.Background()))
	})
}

// Commits of steps do not wait for the disk. A crash loses the last of them, and the ledger plays them again: every order
// that was answered is there, and nothing happened twice.
func TestCrashOfPostgresLosesNoConfirmedResponse(t *testing.T) {
	s := open(t, durable, func(o *local.Options, _ *functions.Settings) {
		o.Postgres = map[string]string{"wal_writer_delay": "10s"} // lose as much as can be lost
	})
	var answered sync.Map
	var selling sync.WaitGroup
	const n = 200
	for c := range 8 {
		selling.Go(func() {
			for i := c; i < n; i += 8 {
				key := fmt.Sprintf("customer-%d", i)
				for range 1000 { // the gateway leaves a function that fails in peace for ten seconds, which is 200 tries
					p, err := s.post(key, orderOf(1, "MUG-ENAMEL"), 2*time.Second)
					if err == nil && (p.Code == http.StatusCreated || p.Code == http.StatusAccepted) {
						answered.Store(key, p)
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond)
		require.NoError(t, s.Postgres.Kill())
		require.NoError(t, s.Postgres.Restart(context.Background()))
	}
	selling.Wait()
	s.settle(2 * time.Minute)
	s.check()
	kept := 0
	answered.Range(func(_, value any) bool {
		p := value.(placed)
		require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'completed'`, p.ID))
		kept++
		return true
	})
	require.Equal(t, n, kept)
	require.Equal(t, n, s.count(`SELECT count(*) FROM orders.orders`), "no order twice")
	require.Equal(t, 500-n, s.count(`SELECT on_hand::int FROM stock.levels WHERE sku = 'MUG-ENAMEL'`))
}

// FUN-06, FUN-07.
func TestForgedAndPoisonEventsAreDeadLettersAndDelayNoOther(t *testing.T) {
	s := open(t)
	p, err := s.post(uuid.NewString(), orderOf(1, "CAP-NAVY"), 10*time.Second)
	require.NoError(t, err)
	orderID := uuid.Must(uuid.NewV7()).String()
	forged := cloudevent.Message{
		ID: uuid.NewString(), Type: "payment.paid", Source: "/functions/create-payment", Subject: orderID, OrderID: orderID,
		CausationID: uuid.NewString(), Time: time.Now(), Data: []byte(`{"payment_id":"` + orderID + `","order_id":"` + p.ID + `"}`),
	}
	require.NoError(t, s.Engine.Publish(t.Context(), []cloudevent.Message{forged})[0])
	poison := forged
	poison.ID, poison.Type, poison.Source, poison.Data = s.say("stock.reserved", `{"order_id": 7}`, orderID), "stock.reserved", "/functions/reserve-stock", []byte(`{}`)
	require.NoError(t, s.Engine.Publish(t.Context(), []cloudevent.Message{poison})[0])
	after := s.place(orderOf(1, "CAP-NAVY"))
	require.Equal(t, http.StatusCreated, after.Code, "the next one is handled")
	require.Eventually(t, func() bool {
		return s.count(`SELECT count(*) FROM bus.dead_letters WHERE kind = 'unknown' AND type = 'payment.paid'`) == 2 &&
			s.count(`SELECT count(*) FROM bus.dead_letters WHERE kind = 'poison' AND type = 'stock.reserved'`) == 2
	}, 30*time.Second, 100*time.Millisecond, s.why())
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.paid' AND order_id = $1`, p.ID))
}

// emit puts an event into the event store.
func (s *shop) say(eventType, data, orderID string) (id string) {
	s.t.Helper()
	id = uuid.Must(uuid.NewV7()).String()
	_, err := s.Pool.Exec(s.t.Context(), `
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, data)
		VALUES ($1, $2, '/functions/reserve-stock', $3::uuid::text, $3::uuid, gen_random_uuid(), 0, $4)`, id, eventType, orderID, data)
	require.NoError(s.t, err)
	return id
}

// The mail server refuses for longer than the broker retries. The mails go out once it is back, without any action.
func TestMailServerMayBeAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Mailbox.RejectWith(func() error { return errors.New("not now") })
	p := s.place(orderOf(1, "CAP-NAVY"))
	require.Equal(t, http.StatusCreated, p.Code)
	require.Eventually(t, func() bool {
		return s.count(`SELECT count(*) FROM bus.undelivered WHERE consumer = 'send-email' AND attempts > 1`) == 2
	}, 90*time.Second, 200*time.Millisecond, "both are with the sweeper")
	require.Empty(t, s.mails())
	s.Mailbox.RejectWith(nil)
	s.settle(60 * time.Second)
	s.check()
	require.Len(t, s.mails(), 2)
}
