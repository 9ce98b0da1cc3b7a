package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/payment/simulator"
	"github.com/popup-shop/popup/internal/shoptest"
)

// methods offers every method of payment, and asks about open payments soon.
func methods(_ *local.Options, settings *functions.Settings) {
	settings.PaymentMethods, settings.PaymentSilence = payment.Codes(), 500*time.Millisecond
}

// deaf turns the notices of providers off.
func (s *shop) deaf() *shop {
	s.Simulator.Notify = nil
	return s
}

const (
	yen  = "YUNOMI-01"
	euro = "MUG-ENAMEL"
)

// pay places an order with a method and returns it once it can be paid, or was.
func (s *shop) pay(method string) placed {
	s.t.Helper()
	order := orderOf(1, euro)
	if m, _ := payment.MethodOf(method); m.Currency == "JPY" {
		order = orderOf(1, yen)
	}
	order.PaymentMethod = method
	p := s.place(order)
	require.Equal(s.t, http.StatusCreated, p.Code, method)
	return p
}

// book returns the payment of an order in the provider's books.
func (s *shop) book(p placed) simulator.Payment {
	s.t.Helper()
	booked, ok := s.Simulator.Of(p.ID)
	require.True(s.t, ok, "the provider has no payment of the order")
	return booked
}

func (s *shop) act(p placed, act string) {
	s.t.Helper()
	booked := s.book(p)
	_, err := s.Simulator.Act(booked.Provider, booked.Ref, act)
	require.NoError(s.t, err, act)
}

// await waits until an order has a status.
func (s *shop) await(p placed, status string) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("order %s is %s", p.ID, status),
		`SELECT count(*) FROM orders.orders WHERE order_id = $1 AND status = $2`, p.ID, status)
}

// eventually waits until a query counts something.
func (s *shop) eventually(what, sql string, args ...any) {
	s.t.Helper()
	for until := time.Now().Add(30 * time.Second); s.count(sql, args...) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			require.FailNow(s.t, "it did not happen", "%s\n%s\n%s", what, s.why(), s.story())
		}
	}
}

// story returns the newest events, attempts and dead letters, for a failed test.
func (s *shop) story() (text string) {
	require.NoError(s.t, s.Pool.QueryRow(s.t.Context(), `
		SELECT string_agg(line, E'\n') FROM (
			(SELECT format('%s %s %s', event_id, type, data) AS line FROM bus.event ORDER BY event_id DESC LIMIT 12)
			UNION ALL SELECT format('%s %s %s', at, act, result) FROM payments.attempts
			UNION ALL SELECT format('%s %s', kind, reason) FROM bus.dead_letters) AS lines`).Scan(&text))
	return text
}

// requireBooksAgree compares every payment that a provider has with what the shop has recorded, and what all of them have
// with the shop's book.
func (s *shop) requireBooksAgree() {
	s.t.Helper()
	kept := map[string]int64{}
	for _, booked := range s.Simulator.Payments() {
		var captured, refunded, suspended int64
		err := s.Pool.QueryRow(s.t.Context(), `
			SELECT captured_minor, refunded_minor, (
				SELECT coalesce(sum(amount_minor), 0)::bigint FROM payments.suspense s
				WHERE s.payment_id = p.payment_id AND returned_at IS NULL)
			FROM payments.payments p
			WHERE provider = $1 AND provider_ref = $2`, booked.Provider, booked.Ref).Scan(&captured, &refunded, &suspended)
		require.NoError(s.t, err)
		require.Equal(s.t, booked.Kept(), captured-refunded+suspended, "%+v", booked)
		kept[booked.Provider] += booked.Kept()
	}
	for provider, kept := range kept { // PAY-46
		require.EqualValues(s.t, kept, s.count(`SELECT coalesce(sum(debit - credit), 0) FROM books.balances WHERE account = 'provider:' || $1`, provider))
	}
}

// PAY-01, PAY-03, PAY-16, PAY-18: with each method an order is paid, and completed.
func TestEachMethodEndsPaid(t *testing.T) {
	t.Parallel()
	s := open(t, methods)
	methods := slices.DeleteFunc(payment.Codes(), func(code string) bool { return code == payment.PreAuthorised }) // which needs an account
	for _, method := range methods {
		p := s.pay(method)
		m, _ := payment.MethodOf(method)
		if m.Mode == payment.Deferred {
			require.NotEmpty(t, p.PaymentURI, method)
			require.Equal(t, p.Total.Minor, s.book(p).Amount, "PAY-02")
			s.act(p, "pay")
		}
		s.await(p, "completed")
	}
	s.settle(30 * time.Second)
	require.Equal(t, len(methods), s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.paid'`))
	s.requireBooksAgree()
	s.check()
	for _, secret := range []string{s.Simulator.Key, s.Simulator.Secret} { // PAY-06, PAY-11
		require.Zero(t, s.count(`
			SELECT (SELECT count(*) FROM bus.event e WHERE e::text LIKE '%'||$1||'%') + (SELECT count(*) FROM payments.payments p WHERE p::text LIKE '%'||$1||'%')
				+ (SELECT count(*) FROM payments.attempts a WHERE a::text LIKE '%'||$1||'%') + (SELECT count(*) FROM payments.notices n WHERE n::text LIKE '%'||$1||'%')`, secret))
	}
	order := orderOf(1, euro)
	for _, wrong := range []string{"bitcoin", "konbini_lawson", "paypay"} { // slips and wallets take yen
		order.PaymentMethod = wrong
		require.Equal(t, http.StatusBadRequest, s.place(order).Code, wrong)
	}
}

// PAY-15: a payment is found without any notice, also after the provider was unavailable.
func TestPaidWithoutANoticeIsFoundOut(t *testing.T) {
	t.Parallel()
	s := open(t, methods).deaf()
	p := s.pay("card")
	s.Simulator.Fault = func(r *http.Request) simulator.Fault {
		if r.Method == http.MethodGet {
			return simulator.Down
		}
		return simulator.None
	}
	s.act(p, "pay")
	s.eventually("the provider was asked in vain", `SELECT count(*) FROM payments.attempts WHERE act = 'query'`)
	s.Simulator.Fault = nil
	s.await(p, "completed")
	s.settle(30 * time.Second)
	require.Zero(t, s.count(`SELECT count(*) FROM bus.dead_letters`))
	s.check()
}

// ORD-22: an amount that the provider does not accept rejects the order and releases its stock; nothing is retried.
func TestAnAmountThatCannotBePaidRejectsTheOrder(t *testing.T) {
	t.Parallel()
	s := open(t, methods)
	_, err := s.Pool.Exec(t.Context(), `UPDATE catalogue.products SET price_minor = 10 WHERE sku = $1`, euro)
	require.NoError(t, err)
	order := orderOf(1, euro)
	order.PaymentMethod = "card"
	require.Equal(t, http.StatusConflict, s.place(order).Code)
	s.settle(30 * time.Second)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM orders.orders WHERE status = 'rejected' AND reason = 'payment_failed'`))
	require.Zero(t, s.count(`SELECT sum(reserved) FROM stock.levels`))
	require.Zero(t, s.count(`SELECT count(*) FROM bus.dead_letters`))
	s.check()
}

// PAY-45: three cards are refused, the fourth pays: one order, one hold, one charge.
func TestAnotherCardOnTheSameHold(t *testing.T) {
	t.Parallel()
	s := open(t, methods)
	p := s.pay("card")
	for range 3 {
		s.act(p, "decline")
	}
	time.Sleep(time.Second)
	require.Equal(t, "pending", s.statuses(p.ID)[0])
	s.act(p, "pay")
	s.await(p, "completed")
	require.Len(t, s.Simulator.Payments(), 1)
	require.Equal(t, 1, s.count(`SELECT count(DISTINCT order_id) FROM stock.reservations`))
	s.settle(30 * time.Second)
	s.check()
}

// PAY-27: a wrong amount goes into suspense, staff gets a mail, and the order keeps its state. When the order is cancelled,
// the money is refunded.
func TestMoneyThatDoesNotFitGoesToSuspense(t *testing.T) {
	t.Parallel()
	for _, act := range []string{"pay-less", "pay-more"} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			s := staffed(t, 0, methods)
			p := s.pay("card")
			s.act(p, act)
			s.eventually("it is in suspense", `SELECT count(*) FROM payments.suspense WHERE why = 'wrong' AND returned_at IS NULL`)
			s.eventually("staff has a mail", `SELECT count(*) FROM mail.mails WHERE kind = 'staff_mismatch' AND status = 'sent'`)
			require.Equal(t, "pending", s.statuses(p.ID)[0])
			require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.mismatched'`))
			list, err := s.staff().ListSuspense(t.Context(), client.ListSuspenseQuery{})
			require.NoError(t, err)
			require.Equal(t, s.book(p).Received, list.Items[0].Got.Minor)
			s.requireBooksAgree()

			status, err := s.cancel(p)
			require.NoError(t, err)
			require.Less(t, status, http.StatusMultipleChoices)
			s.await(p, "cancelled")
			require.Zero(t, s.book(p).Kept(), "it went back")
			s.settle(30 * time.Second)
			s.check()
		})
	}
}

// PAY-39: a payment after the end of its order is refunded.
func TestMoneyForAnEndedOrderGoesBack(t *testing.T) {
	t.Parallel()
	s := open(t, methods)
	for _, method := range []string{"card", "taler", "konbini_seicomart"} {
		p := s.pay(method)
		_, err := s.cancel(p)
		require.NoError(t, err)
		s.await(p, "cancelled")
		require.Equal(t, "voided", s.book(p).Status)
		s.act(p, "pay-late")
		s.eventually("it was refunded", `SELECT count(*) FROM payments.refunds WHERE order_id = $1 AND status = 'refunded'`, p.ID)
		require.Zero(t, s.book(p).Kept())
		s.act(p, "pay-twice")
		s.eventually("the second payment was refunded",
			`SELECT (count(*) = 2)::int FROM payments.refunds WHERE order_id = $1 AND status = 'refunded'`, p.ID)
		require.Zero(t, s.book(p).Kept())
		require.Equal(t, "cancelled", s.statuses(p.ID)[0])
	}
	s.settle(30 * time.Second)
	s.requireBooksAgree()
	s.check()
}

// A double payment is refunded once, however often the notice arrives.
func TestWhatIsPaidTwiceGoesBackOnce(t *testing.T) {
	t.Parallel()
	s := open(t, methods)
	for _, method := range []string{"card", "taler", "konbini_lawson"} {
		p := s.pay(method)
		s.act(p, "pay")
		s.await(p, "completed")
		for times := range 2 {
			s.act(p, "pay-twice")
			s.eventually("the second payment was refunded",
				`SELECT (count(*) = $2)::int FROM payments.refunds WHERE order_id = $1 AND status = 'refunded'`, p.ID, times+1)
		}
		require.Equal(t, p.Total.Minor, s.book(p).Kept())
	}
	s.settle(30 * time.Second)
	s.requireBooksAgree()
	s.check()
}

// PAY-17, PAY-20: a slip that is not paid in time expires its order and releases the stock, and can no longer be paid.
func TestAnUnpaidSlipExpiresItsOrder(t *testing.T) {
	t.Parallel()
	s := open(t, methods, func(_ *local.Options, settings *functions.Settings) {
		settings.SlipTime, settings.SlipGrace, settings.HoldTime = time.Second, 2*time.Second, time.Second
	})
	p := s.pay("konbini_family_mart")
	require.Equal(t, 1, s.count(`
		SELECT count(*) FROM orders.orders o JOIN payments.payments p USING (order_id)
		WHERE o.deadline = (slip->>'deadline')::timestamptz + interval '2 s' AND o.deadline = p.expires_at`))
	s.await(p, "expired")
	s.settle(30 * time.Second)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM payments.payments WHERE status = 'expired'`))
	require.Zero(t, s.count(`SELECT sum(reserved) FROM stock.levels`))
	booked := s.book(p)
	_, err := s.Simulator.Act(booked.Provider, booked.Ref, "pay")
	require.ErrorIs(t, err, simulator.ErrUnknown)
	s.check()
}

// PAY-21: a payment that a chain reports within the grace time counts.
func TestASlipThatIsReportedLateCounts(t *testing.T) {
	t.Parallel()
	s := open(t, methods, func(_ *local.Options, settings *functions.Settings) {
		settings.SlipTime, settings.SlipGrace = time.Second, time.Hour
	})
	p := s.pay("konbini_ministop")
	time.Sleep(2500 * time.Millisecond) // the deadline is over, and the provider was asked
	require.Equal(t, "pending", s.statuses(p.ID)[0])
	s.act(p, "pay-late")
	s.await(p, "completed")
	s.settle(30 * time.Second)
	s.check()
}

// refund requests a refund and returns the status of the answer.
func (s *shop) refund(staff *client.Client, paymentID string, minor int64, currency string) (client.Refund, int) {
	s.t.Helper()
	var answered http.Response
	r, err := staff.RefundPayment(context.Background(), paymentID, client.RefundPaymentRequest{
		Amount: &client.Amount{Minor: minor, Currency: currency}, Reason: "a scratch",
	}, client.Key(uuid.NewString()), client.Answered(&answered))
	if problem := (*client.Problem)(nil); errors.As(err, &problem) {
		err = nil
	}
	require.NoError(s.t, err)
	return r, answered.StatusCode
}

// PAY-32, PAY-34, PAY-35, PAY-38: refunds of staff, many at once, are never more than was paid; one that the provider refuses is
// shown as failed, is mailed to staff, counts for nothing, and can be repeated.
func TestRefundsOfStaff(t *testing.T) {
	t.Parallel()
	s := staffed(t, 0, methods)
	staff := s.staff()
	p := s.pay("card")
	s.act(p, "pay")
	s.await(p, "completed")
	one, err := staff.GetOrderPayment(t.Context(), p.ID)
	require.NoError(t, err)
	total := one.Captured.Minor
	part := total / 10

	s.act(p, "refuse-refunds")
	failed, code := s.refund(staff, one.ID, part, "EUR")
	require.Equal(t, http.StatusAccepted, code)
	s.eventually("the refund failed", `SELECT count(*) FROM payments.refunds WHERE refund_id = $1 AND status = 'failed'`, failed.ID)
	s.eventually("staff has a mail", `SELECT count(*) FROM mail.mails WHERE kind = 'staff_refund' AND status = 'sent'`)
	require.Equal(t, total, s.book(p).Kept())
	s.act(p, "refuse-refunds")
	again, err := staff.RetryRefund(t.Context(), failed.ID)
	require.NoError(t, err)
	require.Equal(t, "requested", again.Status)
	s.eventually("it was refunded", `SELECT count(*) FROM payments.refunds WHERE refund_id = $1 AND status = 'refunded'`, failed.ID)
	_, err = staff.RetryRefund(t.Context(), failed.ID)
	require.Error(t, err)

	var mu sync.Mutex
	codes := map[int]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, code := s.refund(staff, one.ID, part, "EUR")
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	all.Wait()
	fit := int(total/part) - 1
	require.Equal(t, map[int]int{http.StatusAccepted: fit, http.StatusConflict: 20 - fit}, codes)
	s.eventually("all were refunded",
		`SELECT count(*) FROM payments.payments WHERE payment_id = $1 AND refunded_minor = $2`, one.ID, int64(fit+1)*part)
	if left := total - int64(fit+1)*part; left > 0 {
		_, code = s.refund(staff, one.ID, left, "EUR")
		require.Equal(t, http.StatusAccepted, code)
	}
	s.eventually("nothing is left", `SELECT count(*) FROM payments.payments WHERE payment_id = $1 AND status = 'refunded'`, one.ID)
	_, code = s.refund(staff, one.ID, 1, "EUR")
	require.Equal(t, http.StatusConflict, code)
	require.Zero(t, s.book(p).Kept())
	entries, err := staff.GetPaymentEntries(t.Context(), one.ID)
	require.NoError(t, err)
	require.Greater(t, len(entries.Items), fit)

	young := s.pay("card")
	s.settleBut("pending", 30*time.Second)
	pending, err := staff.GetOrderPayment(t.Context(), young.ID)
	require.NoError(t, err)
	_, code = s.refund(staff, pending.ID, 1, "EUR")
	require.Equal(t, http.StatusConflict, code, "it is not paid")
	_, err = s.client().RefundPayment(t.Context(), one.ID, client.RefundPaymentRequest{Reason: "x"}, client.Key("k"), client.OrderToken(p.OrderToken))
	require.Error(t, err, "customers refund nothing")
	s.requireBooksAgree()
	s.check()
}

// notice sends a notice and returns the status of the answer.
func (s *shop) notice(provider, signature, body string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/v1/webhooks/"+provider, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Stripe-Signature", signature)
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return response.StatusCode
}

// PAY-22 to PAY-25: notices are signed, count once, and are no facts.
func TestNoticesAreHints(t *testing.T) {
	t.Parallel()
	s := open(t, methods, func(_ *local.Options, settings *functions.Settings) { settings.PaymentSilence = time.Hour }).deaf()
	p := s.pay("card")
	ref := s.book(p).Ref
	sign := func(body string) string { return payment.Sign(s.Simulator.Secret, time.Now(), []byte(body)) }
	says := func(id, kind, ref string) string {
		return fmt.Sprintf(`{"id":"%s","type":"%s","data":{"object":{"id":"%s","amount_total":1,"payment_status":"paid"}}}`, id, kind, ref)
	}
	lie := says("evt_1", "checkout.session.completed", ref)
	for what, c := range map[string]struct {
		provider, signature, body string
		want                      int
	}{
		"no signature":     {"card", "", lie, http.StatusUnauthorized},
		"wrong signature":  {"card", payment.Sign("guess", time.Now(), []byte(lie)), lie, http.StatusUnauthorized},
		"too old":          {"card", payment.Sign(s.Simulator.Secret, time.Now().Add(-6*time.Minute), []byte(lie)), lie, http.StatusUnauthorized},
		"of another body":  {"card", sign("{}"), lie, http.StatusUnauthorized},
		"no such provider": {"paypal", sign(lie), lie, http.StatusNotFound},
		"sends none":       {"simulated", sign(lie), lie, http.StatusNotFound},
		"not JSON":         {"card", sign("paid!"), "paid!", http.StatusBadRequest},
		"no id":            {"card", sign("{}"), "{}", http.StatusBadRequest},
		"too long":         {"card", sign(strings.Repeat(" ", 64<<10) + "1"), strings.Repeat(" ", 64<<10) + "1", http.StatusRequestEntityTooLarge},
	} {
		require.Equal(t, c.want, s.notice(c.provider, c.signature, c.body), "%s", what)
	}
	require.Zero(t, s.count(`SELECT count(*) FROM payments.notices`))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { require.Equal(t, http.StatusOK, s.notice("card", sign(lie), lie)) })
	}
	all.Wait()
	for _, unknown := range []string{says("evt_2", "customer.created", "cus_1"), says("evt_3", "checkout.session.completed", "cs_of_another_shop")} {
		require.Equal(t, http.StatusOK, s.notice("card", sign(unknown), unknown))
	}
	require.Equal(t, 3, s.count(`SELECT count(*) FROM payments.notices`))
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'provider.notified'`))
	s.settleBut("pending", 30*time.Second)
	require.Equal(t, "pending", s.statuses(p.ID)[0], "what the notice says is not so")

	s.act(p, "pay")
	for i, kind := range []string{"checkout.session.expired", "payment_intent.payment_failed", "checkout.session.completed"} {
		body := says(fmt.Sprint("evt_", 10+i), kind, ref)
		require.Equal(t, http.StatusOK, s.notice("card", sign(body), body))
	}
	s.await(p, "completed")
	s.settle(30 * time.Second)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM bus.event WHERE type = 'payment.paid'`))
	s.check()
}

// PAY-26, PAY-44: after payments and cancellations at the same time the books agree.
func TestPayAndCancelAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, methods, shipping("manual", 0))
	s.deliver(euro, 100)
	s.deliver(yen, 100)
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range 40 {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			p := s.pay([]string{"card", "taler", "konbini_lawson"}[i%3])
			var both sync.WaitGroup
			both.Go(func() {
				booked := s.book(p)
				_, _ = s.Simulator.Act(booked.Provider, booked.Ref, "pay")
			})
			both.Go(func() {
				time.Sleep(time.Duration(i%10) * 3 * time.Millisecond)
				_, _ = s.cancel(p)
			})
			both.Wait()
		})
	}
	all.Wait()
	s.settleBut("confirmed", time.Minute)
	s.requireBooksAgree()
	require.Zero(t, s.count(`SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL`))
	s.check()
}

// stormActs is what happens to each hundred payments.
var stormActs = map[string]int{"pay": 70, "decline": 10, "pay-late": 5, "pay-twice": 5, "pay-less": 5, "": 5}

// Orders of all methods at once, paid, declined, late, twice, short or never, while 3 % of the providers' responses are lost:
// afterwards the books of the providers and of the shop agree, and no money is kept for an order that was not confirmed.
func TestStormOfPayments(t *testing.T) {
	t.Parallel()
	n := shoptest.InFull(2000, 40)
	s := open(t, methods, shipping("manual", 0), func(_ *local.Options, settings *functions.Settings) {
		settings.HoldTime, settings.SlipTime, settings.SlipGrace = 20*time.Second, 10*time.Second, 10*time.Second
	})
	s.Simulator.Fault = func(*http.Request) simulator.Fault {
		if rand.IntN(100) < 3 {
			return simulator.Lost
		}
		return simulator.None
	}
	s.deliver(euro, n)
	s.deliver(yen, n)
	var acts []string
	for act, times := range stormActs {
		acts = append(acts, slices.Repeat([]string{act}, times)...)
	}
	mix := []string{"card", "card", "konbini_lawson", "taler", "paypay"}
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			method := mix[i%len(mix)]
			order := orderOf(1, map[bool]string{true: yen, false: euro}[method == "konbini_lawson" || method == "paypay"])
			order.PaymentMethod = method
			p := s.place(order)
			for until := time.Now().Add(15 * time.Second); method != "paypay" && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
				booked, ok := s.Simulator.Of(p.ID)
				if !ok {
					continue // the call that opens it was lost before it came
				}
				if act := acts[(i*37)%len(acts)]; act != "" {
					_, _ = s.Simulator.Act(booked.Provider, booked.Ref, act)
				}
				return
			}
		})
	}
	all.Wait()
	s.settleBut("confirmed", time.Duration(n)*100*time.Millisecond+90*time.Second)
	s.requireBooksAgree()
	for _, booked := range s.Simulator.Payments() {
		if s.statuses(booked.OrderID)[0] != "confirmed" {
			require.Zero(t, booked.Kept(), "%+v", booked)
		} else {
			require.Equal(t, booked.Amount, booked.Kept(), "%+v", booked)
		}
	}
	require.Zero(t, s.count(`SELECT count(*) FROM bus.dead_letters WHERE resolved_at IS NULL`))
	s.check()
}
