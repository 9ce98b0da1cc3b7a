package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// shop answers calls in turn, the last answer for ever, and keeps what it was asked.
type shop struct {
	answers []answer
	asked   []*http.Request
	bodies  []string
}

type answer struct {
	status int
	after  string // Retry-After
	body   string
	err    error
}

func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
	if a.err != nil {
		return nil, a.err
	}
	header := http.Header{}
	if a.after != "" {
		header.Set("Retry-After", a.after)
	}
	return &http.Response{StatusCode: a.status, Status: http.StatusText(a.status), Header: header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func (s *shop) client(options ...client.Option) *client.Client {
	return client.New("http://shop.test/", append(options, client.HTTP(&http.Client{Transport: s}))...)
}

var (
	busy   = answer{503, "3", `{"type":"/problems/busy","detail":"not now"}`, nil}
	placed = answer{201, "", `{"id":"1","order_token":"secret","total":{"amount_minor":2400,"currency":"EUR"}}`, nil}
	lost   = answer{err: errors.New("connection reset")}
)

func TestARequestWithAKeyIsRetriedWithTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shop{answers: []answer{busy, {429, "5", "", nil}, lost, {409, "1", `{"type":"/problems/twin-in-flight","detail":"in hand"}`, nil}, placed}}
		began := time.Now()
		order, err := s.client().PlaceOrder(t.Context(), client.PlaceOrderRequest{PaymentMethod: "simulated"})
		require.NoError(t, err)
		require.Equal(t, []any{"1", "secret", client.Amount{Minor: 2400, Currency: "EUR"}}, []any{order.ID, order.OrderToken, order.Total})
		require.GreaterOrEqual(t, time.Since(began), 9*time.Second, "as long as it says")
		require.Len(t, s.asked, 5)
		for i, r := range s.asked {
			require.Len(t, r.Header.Get("Idempotency-Key"), 26)
			require.Equal(t, s.asked[0].Header.Get("Idempotency-Key"), r.Header.Get("Idempotency-Key"))
			require.JSONEq(t, `{"payment_method":"simulated"}`, s.bodies[i])
		}
		_, err = s.client().PlaceOrder(t.Context(), client.PlaceOrderRequest{})
		require.NoError(t, err)
		require.NotEqual(t, s.asked[0].Header.Get("Idempotency-Key"), s.asked[5].Header.Get("Idempotency-Key"), "another call has another")
	})
}

func TestPatienceEndsWithTheLastResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, began := &shop{answers: []answer{busy}}, time.Now()
		_, err := s.client().GetMe(t.Context())
		var p *client.Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, []any{"busy", 503, 3 * time.Second}, []any{p.Kind(), p.Status, p.RetryAfter})
		require.Len(t, s.asked, 11, "in 30 s")
		require.Equal(t, 30*time.Second, time.Since(began))
		require.EqualError(t, err, "not now; try again in 3 s")

		long := &shop{answers: []answer{{429, "31", "", nil}}}
		_, err = long.client().GetMe(t.Context())
		require.ErrorAs(t, err, &p)
		require.Len(t, long.asked, 1, "it would take longer than anybody waits")
	})
}

func TestACallThatMightDoTwiceIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, a := range []answer{busy, lost} {
		s := &shop{answers: []answer{a}}
		_, err := s.client().Login(t.Context(), client.LoginRequest{})
		require.Error(t, err)
		_, err = s.client(client.Patience(0)).GetMe(t.Context())
		require.Error(t, err)
		require.Len(t, s.asked, 2)
	}
}

func TestARefusalIsNotRetriedAndHasItsData(t *testing.T) {
	t.Parallel()
	s := &shop{answers: []answer{{409, "", `{"type":"/problems/out-of-stock","title":"out of stock","status":409,"detail":"there is not enough",
		"order_id":"7","lines":[{"sku":"A","store_id":"8","requested":2,"available":1}],"errors":[{"field":"lines[0]","message":"is short"}]}`, nil}}}
	_, err := s.client().PlaceOrder(t.Context(), client.PlaceOrderRequest{})
	var p *client.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, []client.Short{{SKU: "A", StoreID: "8", Requested: 2, Available: 1}}, p.Lines)
	require.Equal(t, "7", p.OrderID)
	require.EqualError(t, err, "there is not enough; lines[0] is short")
	require.Len(t, s.asked, 1)

	page := &shop{answers: []answer{{502, "", "<html>", nil}}}
	_, err = page.client().GetMe(t.Context())
	require.EqualError(t, err, "the shop answered Bad Gateway")
}

func TestACancelledContextEndsARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := (&shop{answers: []answer{busy}}).client().GetMe(ctx)
		require.Error(t, err)
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestATruncatedResponseIsAnError(t *testing.T) {
	t.Parallel()
	_, err := (&shop{answers: []answer{{200, "", "{", nil}}}).client().GetMe(t.Context())
	require.ErrorContains(t, err, "read the answer to GET /v1/users/me")
}

func TestParametersGoWhereTheyBelong(t *testing.T) {
	t.Parallel()
	s := &shop{answers: []answer{{200, "", "{}", nil}}}
	c := s.client(client.Language("ja"), client.Token("a"))
	_, err := c.With(client.Token("b")).ListOrders(t.Context(), client.ListOrdersQuery{
		Paging: client.Paging{Page: 2}, Status: "a b", From: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}, client.Header("X-Request-ID", "1"))
	require.NoError(t, err)
	_, err = c.GetMe(t.Context(), client.TokenFrom(func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF }))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "nobody is called without a token")
	_, err = c.CancelOrder(t.Context(), "../x y", client.CancelOrderRequest{}, client.Key("k"), client.Wait(5*time.Second), client.OrderToken("t"))
	require.NoError(t, err)
	list, cancel := s.asked[0], s.asked[1]
	require.Equal(t, "http://shop.test/v1/orders?from=2026-01-02T03%3A04%3A05Z&page=2&status=a+b", list.URL.String())
	require.Equal(t, http.Header{"Accept": {"application/json"}, "Accept-Language": {"ja"}, "Authorization": {"Bearer b"}, "X-Request-Id": {"1"}}, list.Header)
	require.Equal(t, "http://shop.test/v1/orders/..%2Fx%20y/cancel", cancel.URL.String())
	for name, value := range map[string]string{
		"Authorization": "Bearer a", "Idempotency-Key": "k", "Prefer": "wait=5", "Popup-Order-Token": "t", "Content-Type": "application/json",
	} {
		require.Equal(t, value, cancel.Header.Get(name))
	}
}
