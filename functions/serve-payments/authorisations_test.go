package servepayments_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

const name = "serve-payments"

// customer is a customer of a shop that offers pre-authorised amounts.
type customer struct {
	*shoptest.Shop
	t      *testing.T
	bearer string
}

func setup(t *testing.T, change ...func(*functions.Settings)) customer {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) {
		s.PaymentMethods = []string{"simulated", payment.PreAuthorised}
		for _, each := range change {
			each(s)
		}
	})
	return customer{shop, t, shop.SignIn(t, token.Customer).Bearer}
}

func (c customer) call(method, path string, body any, key string) shoptest.Response {
	c.t.Helper()
	return c.Call(c.t, name, method, path, body, "Authorization", c.bearer, "Idempotency-Key", key)
}

// authorise returns the id of an authorised amount of euros.
func (c customer) authorise(minor int64) string {
	c.t.Helper()
	a := c.call(http.MethodPost, "/v1/authorisations", map[string]any{"amount_minor": minor, "currency": "EUR"}, fmt.Sprint("authorise ", minor))
	require.Equal(c.t, http.StatusCreated, a.Status, a.Raw)
	return a.Body["id"].(string)
}

// free returns what is free of an authorisation.
func (c customer) free(id string) float64 {
	c.t.Helper()
	a := c.call(http.MethodGet, "/v1/authorisations/"+id, nil, "")
	require.Equal(c.t, http.StatusOK, a.Status, a.Raw)
	return a.Body["free"].(map[string]any)["amount_minor"].(float64)
}

// order returns an order of a cap for 24.00 from an authorisation.
func order(id string) shoptest.Body {
	return shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("payment_method", payment.PreAuthorised).With("authorisation_id", id)
}

// checked sends the events of an order until its payment is decided, and returns what create-payment emitted.
func (c customer) checked(id string) (shoptest.Placed, []events.Event) {
	c.t.Helper()
	placed := c.Place(c.t, order(id), "Authorization", c.bearer)
	reserved := c.Send(c.t, "reserve-stock", placed.OrderPlaced)
	c.Send(c.t, "track-order", reserved[0])
	return placed, c.Send(c.t, "create-payment", reserved[0])
}

// PAY-28.
func TestAnAmountIsAuthorised_PAY_28(t *testing.T) {
	t.Parallel()
	c := setup(t)
	id := c.authorise(100_000)
	require.Equal(t, id, c.authorise(100_000), "the same key")
	require.EqualValues(t, 100_000, c.free(id))
	for body, field := range map[string]string{
		`0 EUR`: "amount_minor", `-1 EUR`: "amount_minor", `100000001 EUR`: "amount_minor", `5 ABC`: "currency", `5 `: "currency",
	} {
		var minor int64
		var currency string
		_, _ = fmt.Sscanf(body, "%d %s", &minor, &currency)
		a := c.call(http.MethodPost, "/v1/authorisations", map[string]any{"amount_minor": minor, "currency": currency}, body)
		require.Equal(t, http.StatusBadRequest, a.Status, body)
		require.Contains(t, strings.Join(a.Fields(), " "), field, body)
	}
	stranger := c.SignIn(t, token.Customer)
	require.Equal(t, http.StatusNotFound, c.Call(t, name, http.MethodGet, "/v1/authorisations/"+id, nil, "Authorization", stranger.Bearer).Status)
	require.EqualValues(t, 1, c.call(http.MethodGet, "/v1/authorisations", nil, "").Body["total"])
}

// PAY-29: an order from an amount that is not the caller's is refused before anything is stored.
func TestAnothersAuthorisationIsUnknown_PAY_29(t *testing.T) {
	t.Parallel()
	c := setup(t)
	others := c.authorise(100_000)
	c.bearer = c.SignIn(t, token.Customer).Bearer
	place := func(body shoptest.Body) shoptest.Response {
		return c.Call(t, "place-order", http.MethodPost, "/v1/orders", body, "Authorization", c.bearer, "Idempotency-Key", "one", "Prefer", "wait=0")
	}
	for _, id := range []string{others, "019c1363-49c0-73ee-b7e9-6e59ce40f9cb"} {
		a := place(order(id))
		require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
		require.Equal(t, "/problems/authorisation-unknown", a.Body["type"])
	}
	require.Equal(t, []string{"authorisation_id"}, place(order("x")).Fields())
	require.Equal(t, []string{"authorisation_id"}, place(order(others).With("authorisation_id", nil)).Fields())
	require.Equal(t, []string{"authorisation_id"}, place(order(others).With("payment_method", "simulated")).Fields())
	require.Zero(t, shoptest.Scalar[int64](t, c.Shop, `SELECT (SELECT count(*) FROM orders.orders) + (SELECT count(*) FROM bus.event WHERE type = 'order.placed')`))
}

// PAY-30: however many orders are checked at once, they take no more than the authorisation.
func TestOrdersNeverExceedAnAuthorisation_PAY_30(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.Exec(t, `UPDATE catalogue.products SET price_minor = 1999 WHERE sku = $1`, shoptest.Cap)
	c.SetStock(t, shoptest.Cap, shoptest.Harbour, 100)
	id := c.authorise(100_000)
	var mu sync.Mutex
	outcomes := map[string]int{}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 25 {
				_, emitted := c.checked(id)
				outcome := emitted[0].(interface{ EventType() string }).EventType()
				if failed, ok := emitted[len(emitted)-1].(events.PaymentFailed); ok {
					outcome = failed.Reason
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Equal(t, map[string]int{"payment.authorised": 50, payment.NotEnoughMoney: 25}, outcomes)
	require.EqualValues(t, 100_000-50*1999, c.free(id))
}

// PAY-31: an order is paid once it is confirmed, once; a cancelled order frees its part.
func TestCaptureOnceConfirmed_PAY_31(t *testing.T) {
	t.Parallel()
	c := setup(t)
	id := c.authorise(10_000)
	placed, emitted := c.checked(id)
	set := emitted[0].(events.PaymentAuthorised)
	require.Equal(t, events.PaymentAuthorised{
		PaymentID: set.PaymentID, OrderID: placed.ID, AuthorisationID: id, AmountMinor: 2400, Currency: "EUR",
	}, set)
	capture := func() shoptest.Response {
		return c.call(http.MethodPost, "/v1/payments/"+set.PaymentID+"/capture", nil, "")
	}
	require.Equal(t, http.StatusConflict, capture().Status, "the order is pending")
	confirmed := c.Send(t, "track-order", set)
	require.IsType(t, events.OrderConfirmed{}, confirmed[0])
	require.Empty(t, c.Send(t, "ship-order", confirmed[0]), "it waits for the money")
	require.EqualValues(t, 7600, c.free(id))
	for range 2 {
		require.Equal(t, "paid", capture().Body["status"])
	}
	paid := c.Emitted(t, placed.ID, "payment.paid")
	require.Len(t, paid, 1)
	settled := c.Deliver(t, "track-order", paid[0])
	require.IsType(t, events.ShipmentCreated{}, c.Send(t, "ship-order", settled[0])[0])
	require.EqualValues(t, 7600, c.free(id), "what is paid stays used")
	require.Equal(t, http.StatusNotFound, c.call(http.MethodPost, "/v1/payments/"+id+"/capture", nil, "").Status)

	second, emitted := c.checked(id)
	c.Send(t, "track-order", emitted[0])
	cancelled := c.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+second.ID+"/cancel", map[string]string{"reason": "I changed my mind"},
		"Idempotency-Key", "cancel", "Prefer", "wait=0", "Authorization", c.bearer)
	require.Equal(t, http.StatusAccepted, cancelled.Status, cancelled.Raw)
	withdrawn := shoptest.EventOf(t, c.Emitted(t, second.ID, "order.withdrawn")[0])
	require.Equal(t, http.StatusConflict, c.call(http.MethodPost, "/v1/payments/"+emitted[0].(events.PaymentAuthorised).PaymentID+"/capture", nil, "").Status)
	require.EqualValues(t, 5200, c.free(id))
	require.IsType(t, events.PaymentVoided{}, c.Send(t, "refund-payment", withdrawn)[0])
	require.EqualValues(t, 7600, c.free(id), "the part is free again")
}

// ORD-26: the payment is checked after its delay, and after the stock.
func TestPaymentCheckIsPutOff_ORD_26(t *testing.T) {
	t.Parallel()
	c := setup(t, func(s *functions.Settings) { s.PaymentCheckDelay = time.Hour })
	placed, emitted := c.checked(c.authorise(10_000))
	require.Empty(t, emitted, "not yet")
	tick := func() []string {
		require.NoError(t, c.Runtime(t, "keep-time").Tick(t.Context(), c.Function(t, "keep-time")))
		return shoptest.Scalar[[]string](t, c.Shop, `SELECT coalesce(array_agg(order_id::text), '{}') FROM bus.event WHERE type = 'payment.due'`)
	}
	require.Empty(t, tick())
	require.Empty(t, c.Send(t, "create-payment", events.PaymentDue{OrderID: placed.ID}), "too early")
	c.ChangeOrder(t, placed.ID, "stock_check_at = created_at, payment_check_at = created_at + interval '1 ms'")
	require.Equal(t, []string{placed.ID}, tick())
	require.Equal(t, []string{placed.ID}, tick(), "once")
	require.IsType(t, events.PaymentAuthorised{}, c.Send(t, "create-payment", events.PaymentDue{OrderID: placed.ID})[0])
	require.Empty(t, c.Send(t, "create-payment", events.PaymentDue{OrderID: placed.ID}), "once")
}
