package local_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// What comes due in a running shop, by its own clock: in the slow suite after as long as is promised.

// staffed is a shop that knows its staff and puts the stock check off.
func staffed(t *testing.T, delay time.Duration, changes ...change) *shop {
	return open(t, append(changes, func(_ *local.Options, settings *functions.Settings) {
		settings.StockCheckDelay, settings.TokenPublicKeys = delay, []string{shoptest.PublicKey()}
	})...)
}

// staff calls as a member of staff.
func (s *shop) staff() *client.Client {
	s.t.Helper()
	c := token.Claims{ID: uuid.NewString(), Role: token.Staff, Session: uuid.NewString(), Email: "staff@example.test"}
	require.NoError(s.t, shoptest.AddAccount(s.t.Context(), s.Pool, c))
	return s.client().With(client.Token(strings.TrimPrefix(shoptest.Bearer(s.t, c), "Bearer ")))
}

// begin places an order whose stock check is put off.
func (s *shop) begin(sku string) placed {
	s.t.Helper()
	p, err := s.post(uuid.NewString(), orderOf(1, sku), 0)
	require.NoError(s.t, err)
	require.Equal(s.t, []any{http.StatusAccepted, "pending"}, []any{p.Code, p.Status})
	return p
}

// CAT-09.
func TestAProductDeletedWhileStockIsPutOffRejectsItsOrderAlone(t *testing.T) {
	t.Parallel()
	delay := shoptest.InFull(15*time.Second, 6*time.Second)
	s := staffed(t, delay)
	began := time.Now()
	gone, other := s.begin("CAP-NAVY"), s.begin("TEE-DROP-01")
	time.Sleep(delay / 3)
	require.NoError(t, s.staff().DeleteProduct(t.Context(), gone.Lines[0].ProductID))
	require.Equal(t, 2, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'pending'`), "nothing happens before its time")

	s.settle(delay + 30*time.Second)
	require.Greater(t, time.Since(began), delay)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND (status, reason) = ('rejected', 'invalid')`, gone.ID))
	require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'completed'`, other.ID))
	s.check()
}

// STK-25.
func TestAnOrderCancelledWhileStockIsPutOffHoldsNothing(t *testing.T) {
	t.Parallel()
	delay := shoptest.InFull(15*time.Second, 6*time.Second)
	s := staffed(t, delay)
	p := s.begin("CAP-NAVY")
	time.Sleep(delay * 7 / 15)
	_, err := s.client().With(client.OrderToken(p.OrderToken)).CancelOrder(t.Context(), p.ID, client.CancelOrderRequest{Reason: "changed my mind"})
	require.NoError(t, err)

	time.Sleep(delay * 23 / 15)
	s.settle(30 * time.Second)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = 'cancelled'`, p.ID))
	require.Zero(t, s.count(`SELECT sum(reserved) FROM stock.levels`))
	require.Zero(t, s.count(`SELECT count(*) FROM stock.reservations`))
	s.check()
}

// openPage opens a payment page for each order that stays unpaid.
func (s *shop) openPage() {
	s.t.Helper()
	_, err := s.Pool.Exec(s.t.Context(), `
		WITH opened AS (
			INSERT INTO payments.payments (payment_id, order_id, method, provider, amount_minor, currency, provider_ref, uri)
			SELECT gen_random_uuid(), order_id, payment_method, 'simulated', total_minor, currency, 'page', 'https://bank.test/page' FROM orders.orders
			RETURNING payment_id, amount_minor, currency, provider, provider_ref
		)
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, 'created', amount_minor, currency, provider, provider_ref FROM opened`)
	require.NoError(s.t, err)
}

// STK-26: another customer's payment page is open and stays unpaid.
func TestAHoldThatIsNotPaidForIsGivenBackAtTheDeadline(t *testing.T) {
	t.Parallel()
	hold, late := shoptest.InFull(10*time.Second, 2*time.Second), shoptest.InFull(time.Second, 10*time.Second)
	s := open(t, func(_ *local.Options, settings *functions.Settings) {
		settings.StockCheckDelay, settings.HoldTime = 5*time.Second, hold
	})
	p := s.begin("CAP-NAVY")
	s.openPage()
	reserved := func() int { return s.count(`SELECT sum(reserved) FROM stock.levels`) }
	require.Eventually(t, func() bool { return reserved() == 1 }, 30*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return reserved() == 0 }, hold+late, 50*time.Millisecond)
	s.settle(30 * time.Second)
	require.Equal(t, 1, s.count(`
		SELECT count(*) FROM orders.orders o JOIN orders.history h USING (order_id) JOIN stock.movements m ON m.reference = o.order_id::text
		WHERE o.order_id = $1 AND o.status = 'expired' AND h.version = 1 AND m.kind = 'release'
		AND m.created_at BETWEEN h.deadline AND h.deadline + $2`, p.ID, late))
	s.check()
}

// STK-34.
func TestWhatIsHeldByHandComesBackByItself(t *testing.T) {
	t.Parallel()
	lasts := shoptest.InFull(10*time.Second, 4*time.Second)
	s := staffed(t, 0)
	held, err := s.staff().AddReservation(t.Context(), client.AddReservationRequest{
		Lines: []client.HoldLine{{SKU: "CAP-NAVY", Quantity: 3}}, ExpiresInS: int64(lasts.Seconds()),
	})
	require.NoError(t, err)
	began := time.Now()
	require.Equal(t, 3, s.count(`SELECT sum(reserved) FROM stock.levels`))
	require.Eventually(t, func() bool { return s.count(`SELECT sum(reserved) FROM stock.levels`) == 0 }, lasts+time.Minute, 100*time.Millisecond)
	require.Greater(t, time.Since(began), lasts-500*time.Millisecond)
	s.settle(30 * time.Second)
	for _, said := range []string{"reservation.due", "stock.released"} {
		require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = $1 AND subject = $2`, said, held.ReservationID), said)
	}
	s.check()
}
