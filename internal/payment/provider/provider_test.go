package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	providers "github.com/popup-shop/popup/internal/payment/provider"
	"github.com/popup-shop/popup/internal/payment/simulator"
)

// provider is a provider and the simulator whose books it uses.
type provider struct {
	payment.Provider
	*simulator.Simulator
	method   string
	currency string
}

// outside are the methods of providers that are called, with a currency each.
var outside = map[string]string{"card": "EUR", "taler": "KWD", "konbini_lawson": "JPY"}

// each runs a test with every provider that is called.
func each(t *testing.T, test func(t *testing.T, p provider)) {
	for method, currency := range outside {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s, err := simulator.Open(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			s.Public = "http://shop.test/simulator"
			settings := s.Settings(config.Payments{SlipTime: 7 * 24 * time.Hour, SlipGrace: 24 * time.Hour, PaymentSilence: time.Minute})
			test(t, provider{providers.Of(providers.Settings{Payments: settings})[method], s, method, currency})
		})
	}
}

func (p provider) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: p.currency}
}

// ask returns a request for a payment of 1,000.
func (p provider) ask() (key string, r payment.Request) {
	key = uuid.NewString()
	return key, payment.Request{
		PaymentID: key, OrderID: uuid.NewString(), OrderNumber: "ORD-20260131-7K3QX9", Method: p.method, Amount: p.amount(1000),
		At: time.Now().UTC().Truncate(time.Second), ReturnURL: "https://shop.test/o/ORD-20260131-7K3QX9/pay",
	}
}

func (p provider) open(t *testing.T) (key string, r payment.Request, opened payment.Opened) {
	t.Helper()
	key, r = p.ask()
	opened, err := p.Open(t.Context(), key, r)
	require.NoError(t, err)
	return key, r, opened
}

func (p provider) act(t *testing.T, ref, act string) {
	t.Helper()
	_, err := p.Act(p.Name(), ref, act)
	require.NoError(t, err)
}

func (p provider) look(t *testing.T, ref string) payment.State {
	t.Helper()
	s, err := p.Query(t.Context(), ref)
	require.NoError(t, err)
	return s
}

// PAY-03, PAY-10: repeated calls with one key, also at once, make one payment; it is open and has an address.
func TestOneKeyIsOnePayment(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		key, r, opened := p.open(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				again, err := p.Open(t.Context(), key, r)
				require.NoError(t, err)
				require.Equal(t, opened, again)
			})
		}
		all.Wait()
		require.Equal(t, payment.Open, opened.Outcome)
		require.NotEmpty(t, opened.Ref)
		require.NotEmpty(t, opened.URI)
		require.Len(t, p.Payments(), 1)
		require.Equal(t, int64(1000), p.Payments()[0].Amount)
		require.Equal(t, payment.State{Outcome: payment.Open}, payment.State{Outcome: p.look(t, opened.Ref).Outcome})
		p.open(t)
		require.Len(t, p.Payments(), 2)
	})
}

// PAY-16, PAY-27: the state has the received amount, also when it is not the requested one.
func TestWhatCameInIsTold(t *testing.T) {
	t.Parallel()
	for act, received := range map[string]int64{"pay": 1000, "pay-less": 999, "pay-more": 1001, "pay-twice": 2000, "pay-late": 1000} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, p provider) {
				_, r, opened := p.open(t)
				p.act(t, opened.Ref, act)
				require.Equal(t, payment.State{Outcome: payment.Paid, Received: p.amount(received), OrderID: r.OrderID}, p.look(t, opened.Ref))
			})
		})
	}
}

// PAY-17, PAY-44: what was closed cannot be paid; what was paid cannot be closed.
func TestAClosedPaymentCannotBePaid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		key, _, opened := p.open(t)
		for range 2 {
			paid, err := p.Void(t.Context(), key, opened.Ref)
			require.NoError(t, err)
			require.False(t, paid)
		}
		_, err := p.Act(p.Name(), opened.Ref, "pay")
		require.ErrorIs(t, err, simulator.ErrUnknown)
		require.Equal(t, payment.Expired, p.look(t, opened.Ref).Outcome)

		key, _, opened = p.open(t)
		p.act(t, opened.Ref, "pay")
		paid, err := p.Void(t.Context(), key, opened.Ref)
		require.NoError(t, err)
		require.True(t, paid)
		require.Equal(t, payment.Paid, p.look(t, opened.Ref).Outcome)
	})
}

// PAY-45: a card that is refused leaves the page open for another one; a slip that is refused is over.
func TestARefusalLeavesThePageOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		_, _, opened := p.open(t)
		p.act(t, opened.Ref, "decline")
		if p.Name() == "konbini" {
			require.Equal(t, payment.Declined, p.look(t, opened.Ref).Outcome)
			return
		}
		p.act(t, opened.Ref, "decline")
		require.Equal(t, payment.Open, p.look(t, opened.Ref).Outcome)
		p.act(t, opened.Ref, "pay")
		require.Equal(t, payment.Paid, p.look(t, opened.Ref).Outcome)
	})
}

// PAY-32: refunds are whole or partial, each once, and never more than was paid.
func TestRefundsAreGivenOnceAndNeverTooMuch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		_, _, opened := p.open(t)
		p.act(t, opened.Ref, "pay")
		refund := func(key string, minor int64) (bool, string) {
			done, reason, err := p.Refund(t.Context(), key, opened.Ref, p.amount(minor))
			require.NoError(t, err)
			return done, reason
		}
		first := uuid.NewString()
		for range 3 {
			done, _ := refund(first, 300)
			require.True(t, done)
		}
		require.Equal(t, int64(700), p.Payments()[0].Kept())
		done, reason := refund(uuid.NewString(), 701)
		require.False(t, done)
		require.NotEmpty(t, reason)
		p.act(t, opened.Ref, "refuse-refunds")
		second := uuid.NewString()
		done, reason = refund(second, 700)
		require.False(t, done)
		require.NotEmpty(t, reason)
		p.act(t, opened.Ref, "refuse-refunds")
		done, _ = refund(second, 700)
		require.True(t, done, "a refused refund can be repeated")
		require.Zero(t, p.Payments()[0].Kept())
		require.Equal(t, p.amount(1000), p.look(t, opened.Ref).Received, "refunds are not subtracted")
	})
}

// PAY-10: a response that is lost, invalid or too large is an error, and a repeated call has no second effect.
func TestAnAnswerThatIsNoneIsAnErrorAndNothingHappensTwice(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{
		simulator.Down, simulator.Lost, simulator.Garbage, simulator.Huge, simulator.Redirect, simulator.Wrapped,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, p provider) {
				broken := true
				p.Fault = func(*http.Request) simulator.Fault {
					if broken {
						return fault
					}
					return simulator.None
				}
				key, r := p.ask()
				refundID := uuid.NewString()
				var opened payment.Opened
				for _, call := range []func(ctx context.Context) error{
					func(ctx context.Context) (err error) { opened, err = p.Open(ctx, key, r); return err },
					func(ctx context.Context) error { _, err := p.Query(ctx, opened.Ref); return err },
					func(ctx context.Context) error {
						done, _, err := p.Refund(ctx, refundID, opened.Ref, p.amount(400))
						if err == nil && !done {
							return fmt.Errorf("refused: %w", errRefused)
						}
						return err
					},
				} {
					broken = true
					err := call(t.Context())
					if fault != simulator.Wrapped || err != nil {
						require.Error(t, err)
						require.NotContains(t, err.Error(), p.Key)
						require.NotContains(t, err.Error(), "127.0.0.1")
					}
					broken = false
					require.NoError(t, call(t.Context()))
					if p.Payments()[0].Status == "open" {
						p.act(t, opened.Ref, "pay")
					}
				}
				require.Len(t, p.Payments(), 1)
				require.Equal(t, int64(600), p.Payments()[0].Kept())
			})
		})
	}
}

var errRefused = fmt.Errorf("the refund was refused")

// Books outlive the simulator.
func TestTheBooksOutliveTheSimulator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := simulator.Open(dir)
	require.NoError(t, err)
	p := provider{providers.Of(providers.Settings{Payments: s.Settings(config.Payments{})})["card"], s, "card", "EUR"}
	_, _, opened := p.open(t)
	p.act(t, opened.Ref, "pay")
	before := s.Payments()
	require.NoError(t, s.Close())
	again, err := simulator.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = again.Close() })
	require.Equal(t, before, again.Payments())
}

// A key that is not the provider's opens nothing, and is not in the error.
func TestAWrongKeyOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		key := p.Key
		p.Simulator.Key = "another"
		id, r := p.ask()
		_, err := p.Open(t.Context(), id, r)
		require.Error(t, err)
		require.NotContains(t, err.Error(), key)
		require.Empty(t, p.Payments())
	})
}

// A card is refused for an amount that the provider does not take, which is no failure of the call.
func TestAnAmountThatCardsDoNotTakeIsDeclined(t *testing.T) {
	t.Parallel()
	s, err := simulator.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	p := provider{providers.Of(providers.Settings{Payments: s.Settings(config.Payments{})})["card"], s, "card", "EUR"}
	key, r := p.ask()
	r.Amount.Minor = 49
	opened, err := p.Open(t.Context(), key, r)
	require.NoError(t, err)
	require.Equal(t, payment.Declined, opened.Outcome)
	require.Empty(t, s.Payments())
}

// A page of the provider is open no longer than a day, so an order with it waits no longer.
func TestHoldsThatAreLongerThanAPageAreRefused(t *testing.T) {
	t.Parallel()
	s := providers.Settings{Shop: config.Shop{HoldTime: 23 * time.Hour, PaymentMethods: []string{"card"}}, Payments: config.Payments{CardKey: "key"}}
	require.ErrorContains(t, providers.CheckMethods(s), "HOLD_TIME=23h0m0s")
	s.HoldTime = 22 * time.Hour
	require.NoError(t, providers.CheckMethods(s))
	s.CardKey = ""
	require.ErrorContains(t, providers.CheckMethods(s), "PAYMENT_METHODS=card: the settings of card are missing")
	s.PaymentMethods = []string{"bitcoin"}
	require.ErrorContains(t, providers.CheckMethods(s), "PAYMENT_METHODS=bitcoin: must be some of")
}

// PAY-42: amounts as each provider writes them.
func TestAmountsAreConvertedByTheirCurrency(t *testing.T) {
	t.Parallel()
	for _, amount := range []money.Amount{{Minor: 1999, Currency: "EUR"}, {Minor: 190, Currency: "JPY"}, {Minor: 100, Currency: "USD"}, {Minor: 123456, Currency: "KWD"}} {
		for _, method := range []string{"card", "taler"} {
			t.Run(method+" "+amount.String(), func(t *testing.T) {
				t.Parallel()
				s, err := simulator.Open(t.TempDir())
				require.NoError(t, err)
				t.Cleanup(func() { _ = s.Close() })
				p := provider{providers.Of(providers.Settings{Payments: s.Settings(config.Payments{})})[method], s, method, amount.Currency}
				key, r := p.ask()
				r.Amount = amount
				opened, err := p.Open(t.Context(), key, r)
				require.NoError(t, err)
				require.Equal(t, amount, money.Amount{Minor: s.Payments()[0].Amount, Currency: s.Payments()[0].Currency})
				p.act(t, opened.Ref, "pay")
				require.Equal(t, amount, p.look(t, opened.Ref).Received)
			})
		}
	}
}

// PAY-20: whole days end with the day in Tokyo.
func TestSlipsEndWithTheDayInTokyo(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed.UTC()
	}
	require.Equal(t, at("2026-02-07T23:59:59+09:00"), providers.SlipDeadline(at("2026-01-31T23:30:00+09:00"), 7*day))
	require.Equal(t, at("2026-02-08T23:59:59+09:00"), providers.SlipDeadline(at("2026-02-01T00:30:00+09:00"), 7*day), "it is January in UTC")
	require.Equal(t, at("2026-01-31T23:30:10+09:00"), providers.SlipDeadline(at("2026-01-31T23:30:00+09:00"), 10*time.Second))
}

// PAY-22: a notice needs a signature over its bytes and time, with the old secret or the new one, not older than 5 minutes.
func TestNoticesAreSigned(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"evt_1"}`)
	secrets := []string{"new", "old"}
	for secret, at := range map[string]time.Time{"new": now, "old": now.Add(-5 * time.Minute)} {
		require.NoError(t, payment.Verify(secrets, payment.Sign(secret, at, body), body, now))
	}
	good := payment.Sign("new", now, body)
	for what, c := range map[string]struct {
		secrets   []string
		signature string
		body      []byte
		now       time.Time
	}{
		"none":           {secrets, "", body, now},
		"another body":   {secrets, good, []byte(`{"id":"evt_2"}`), now},
		"another secret": {secrets, payment.Sign("other", now, body), body, now},
		"too old":        {secrets, good, body, now.Add(5*time.Minute + time.Second)},
		"of the future":  {secrets, good, body, now.Add(-5*time.Minute - time.Second)},
		"another time":   {secrets, "t=1769850001" + good[strings.Index(good, ","):], body, now},
		"no time":        {secrets, good[strings.Index(good, ",")+1:], body, now},
		"no secret":      {nil, good, body, now},
		"empty secret":   {[]string{""}, payment.Sign("", now, body), body, now},
		"not hex":        {secrets, "t=1769850000,v1=zz", body, now},
	} {
		require.ErrorIs(t, payment.Verify(c.secrets, c.signature, c.body, c.now), payment.ErrSignature, what)
	}
}

// PAY-40: the list has every payment with what was received and refunded, over more than one page.
func TestTheBooksAreListed_PAY_40(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p provider) {
		before := time.Now().Add(-time.Second)
		want := map[string]payment.Booked{}
		for i := range 203 {
			key, _, opened := p.open(t)
			b := payment.Booked{Ref: opened.Ref, Outcome: payment.Open}
			if i%3 > 0 {
				p.act(t, opened.Ref, "pay")
				b.Outcome, b.Received = payment.Paid, p.amount(1000)
			}
			if i%3 > 1 {
				done, _, err := p.Refund(t.Context(), key, opened.Ref, p.amount(int64(i)))
				require.NoError(t, err)
				require.True(t, done)
				b.Refunded = int64(i)
			}
			want[b.Ref] = b
		}
		listed, err := p.Provider.(payment.Lister).List(t.Context(), before)
		require.NoError(t, err)
		require.Len(t, listed, len(want))
		for _, b := range listed {
			if b.Received.Minor == 0 {
				b.Received.Currency = ""
			}
			require.Equal(t, want[b.Ref], b)
		}
		listed, err = p.Provider.(payment.Lister).List(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Empty(t, listed)
		for _, fault := range []simulator.Fault{simulator.Down, simulator.Wrapped, simulator.Garbage, simulator.Huge, simulator.Redirect} {
			p.Fault = func(*http.Request) simulator.Fault { return fault }
			_, err := p.Provider.(payment.Lister).List(t.Context(), before)
			require.Error(t, err, "%v is no empty list", fault)
		}
	})
}

// OPS-32.
func TestProductionRefusesSimulatedPayments_OPS_32(t *testing.T) {
	t.Parallel()
	for _, method := range payment.Codes() {
		m, _ := payment.MethodOf(method)
		own := config.Payments{Production: true, CardKey: "sk", TalerURL: "https://taler.example.org", KonbiniURL: "https://slips.example.org"}
		s := providers.Settings{Shop: config.Shop{PaymentMethods: []string{method}}, Payments: own}
		err := providers.CheckMethods(s)
		if m.Provider == "card" || m.Provider == "taler" || m.Provider == "konbini" {
			require.NoError(t, err, method)
			continue
		}
		require.ErrorContains(t, err, "PRODUCTION refuses simulated payments", method)
		s.Production = false
		require.NoError(t, providers.CheckMethods(s))
	}
	simulated, err := simulator.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, simulated.Close()) })
	require.Equal(t, config.Payments{Production: true}, simulated.Settings(config.Payments{Production: true}), "it offers no simulator")
}
