package local_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
)

// signedIn lets the shop know the tokens of tests.
func signedIn(_ *local.Options, settings *functions.Settings) {
	settings.TokenPublicKeys = []string{shoptest.PublicKey()}
}

// PAY-30, PAY-31: of orders that are placed at once, as many are confirmed as the authorised amount pays for; each is paid once, though it
// is captured twice at once, and half of them are cancelled instead.
func TestOrdersAtOnceFromOneAuthorisation_PAY_30(t *testing.T) {
	t.Parallel()
	s := open(t, methods, signedIn)
	_, err := s.Pool.Exec(t.Context(), `UPDATE catalogue.products SET price_minor = 1999 WHERE sku = $1`, euro)
	require.NoError(t, err)
	s.deliver(euro, 100)
	caller := s.staff()
	authorised, err := caller.Authorise(t.Context(), client.Amount{Minor: 100_000, Currency: "EUR"}, client.Key("authorise"))
	require.NoError(t, err)
	order := orderOf(1, euro)
	order.PaymentMethod, order.AuthorisationID = payment.PreAuthorised, authorised.ID
	var all sync.WaitGroup
	var mu sync.Mutex
	var confirmed []string
	refused := 0
	for range 75 {
		all.Go(func() {
			made, err := caller.PlaceOrder(t.Context(), order, client.Key(uuid.NewString()), client.Wait(10*time.Second))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			confirmed = append(confirmed, made.ID)
		})
	}
	all.Wait()
	require.Equal(t, []int{50, 25}, []int{len(confirmed), refused})
	for i, id := range confirmed {
		all.Go(func() {
			if i%2 == 0 {
				_, err := caller.CancelOrder(t.Context(), id, client.CancelOrderRequest{Reason: "changed my mind"}, client.Key("cancel "+id))
				require.NoError(t, err)
				return
			}
			of, err := caller.GetOrderPayment(t.Context(), id)
			require.NoError(t, err)
			var twice sync.WaitGroup
			for range 2 {
				twice.Go(func() {
					_, err := caller.CapturePayment(t.Context(), of.ID)
					require.NoError(t, err)
				})
			}
			twice.Wait()
		})
	}
	all.Wait()
	s.settle(30 * time.Second)
	require.Equal(t, 25, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'rejected' AND reason = 'not_enough_money'`))
	require.Equal(t, 25, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'cancelled' AND payment <> 'authorised'`))
	require.Equal(t, 25, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'completed'`))
	require.Equal(t, 25, s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.paid'`))
	require.Equal(t, 25*1999, s.count(`SELECT used_minor FROM payments.authorisations`))
	s.check()
}

// A customer who does not pay a confirmed order loses it, and the amount is free again.
func TestAnOrderThatIsNotCapturedInTimeIsCancelled_PAY_31(t *testing.T) {
	t.Parallel()
	s := open(t, methods, signedIn, func(_ *local.Options, settings *functions.Settings) { settings.PayTime = time.Second })
	caller := s.staff()
	authorised, err := caller.Authorise(t.Context(), client.Amount{Minor: 100_000, Currency: "EUR"}, client.Key("authorise"))
	require.NoError(t, err)
	order := orderOf(1, euro)
	order.PaymentMethod, order.AuthorisationID = payment.PreAuthorised, authorised.ID
	made, err := caller.PlaceOrder(t.Context(), order, client.Key("one"), client.Wait(10*time.Second))
	require.NoError(t, err)
	s.await(placed{made, http.StatusCreated}, "cancelled")
	require.Zero(t, s.count(`SELECT used_minor FROM payments.authorisations`))
	s.settle(30 * time.Second)
	s.check()
}

// ORD-26: the payment is opened after its delay, and the stock is held until then.
func TestPaymentChecksArePutOff_ORD_26(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *local.Options, settings *functions.Settings) { settings.PaymentCheckDelay = 3 * time.Second })
	began := time.Now()
	p, err := s.post(uuid.NewString(), orderOf(1, euro), 0)
	require.NoError(t, err)
	s.eventually("the stock is held", `SELECT count(*) FROM orders.orders WHERE order_id = $1 AND stock = 'held'`, p.ID)
	require.Zero(t, s.count(`SELECT count(*) FROM payments.payments`))
	s.await(p, "completed")
	require.Greater(t, time.Since(began), 3*time.Second)
	require.Less(t, time.Since(began), 8*time.Second)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.due'`))
	s.check()
}
