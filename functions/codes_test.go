package functions_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/shoptest"
)

// refused requires that a request was rejected with a kind of problem and a status.
func (d *day) refused(kind string, status int, err error) {
	d.t.Helper()
	var p *client.Problem
	require.ErrorAs(d.t, err, &p)
	require.Equal(d.t, kind, p.Kind(), p)
	require.Equal(d.t, status, p.Status, p)
	require.NotEmpty(d.t, p.RequestID)
}

// send sends a request to /v1/orders that the client package would not send.
func (d *day) send(method, contentType, body string) error {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.address+"/v1/orders", strings.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Idempotency-Key", uuid.NewString())
	answer, err := d.RoundTrip(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	p := &client.Problem{}
	require.NoError(d.t, json.NewDecoder(answer.Body).Decode(p))
	return p
}

// API-04: each kind of rejection reaches the caller through the gateway as a problem.
func TestRejectionsAreProblems(t *testing.T) {
	t.Parallel()
	const perMinute = 40 // leaves room for retries of the client on a busy machine
	d := openDay(t, perMinute)
	c, ctx := d.visitor, t.Context()
	refuse := func(kind string, status int) func(any, error) {
		return func(_ any, err error) { d.refused(kind, status, err) }
	}

	refuse("invalid", 400)(c.PlaceOrder(ctx, client.PlaceOrderRequest{}))
	refuse("not-signed-in", 401)(c.GetMe(ctx))
	refuse("not-allowed", 403)(d.as("customer").ListAudit(ctx, client.ListAuditQuery{}))
	refuse("not-found", 404)(c.GetProduct(ctx, uuid.NewString()))
	d.refused("no-such-method", 405, d.send(http.MethodPut, "application/json", "{}"))
	d.refused("too-large", 413, d.send(http.MethodPost, "application/json", strings.Repeat(" ", 65<<10)))
	for _, other := range []string{"application/x-www-form-urlencoded", "text/plain", "application/cbor", "multipart/form-data; boundary=x"} {
		d.refused("unsupported", 415, d.send(http.MethodPost, other, "{}"))
	}

	order := oneCap()
	order.ExpectedTotal = &client.Amount{Minor: 1, Currency: "EUR"}
	refuse("total-changed", 409)(c.PlaceOrder(ctx, order))
	ok(c.PlaceOrder(ctx, oneCap(), client.Key("one"), client.Wait(0)))(t)
	order.ExpectedTotal, order.Lines = nil, []client.Item{{SKU: shoptest.Cap, Quantity: 2}}
	refuse("key-reused", 422)(c.PlaceOrder(ctx, order, client.Key("one")))

	locked, err := d.Pool.Begin(ctx)
	require.NoError(t, err)
	_, err = locked.Exec(ctx, `LOCK catalogue.products`)
	require.NoError(t, err)
	refuse("busy", 503)(c.PlaceOrder(ctx, oneCap()))
	require.NoError(t, locked.Rollback(ctx))

	for range 2 * perMinute { // a minute may end meanwhile
		if _, err = c.GetKeys(ctx); err != nil {
			break
		}
	}
	refuse("too-many", 429)(nil, err)
	require.NotContains(t, d.seen, http.StatusInternalServerError)
}
