package serveaccounts_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// An account is closed or has an open order, and the response to a placed order shows the order.
func TestAccountWithOpenOrderIsNotClosed(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
	for range 24 {
		ada := shop.SignIn(t, token.Customer)
		order := func() shoptest.Response {
			return shop.Call(t, "place-order", http.MethodPost, "/v1/orders", shoptest.Order(shoptest.Of(shoptest.Cap, 1)),
				"Authorization", ada.Bearer, "Idempotency-Key", uuid.NewString(), "Prefer", "wait=0")
		}
		closing := func() shoptest.Response {
			time.Sleep(rand.N(28 * time.Millisecond))
			return call(t, shop, http.MethodDelete, "/v1/users/me", nil, "Authorization", ada.Bearer)
		}
		both := shoptest.Concurrently(order, closing)
		placed := shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.orders WHERE customer_id = $1`, ada.ID)
		require.Contains(t, []string{"202 409 1", "401 204 0"}, fmt.Sprint(both[0].Status, both[1].Status, placed), both[0].Raw+both[1].Raw)
	}
}

// The response that waits for the outcome of an order shows the order even if the session ends meanwhile.
func TestOrderIsShownAfterTheSessionHasEnded(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := shop.SignIn(t, token.Customer)
	answered := make(chan shoptest.Response, 1)
	go func() {
		answered <- shop.Call(t, "place-order", http.MethodPost, "/v1/orders", shoptest.Order(shoptest.Of(shoptest.Cap, 1)),
			"Authorization", ada.Bearer, "Idempotency-Key", "one", "Prefer", "wait=1")
	}()
	require.Eventually(t, func() bool {
		return shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.orders`) == 1
	}, 10*time.Second, time.Millisecond)
	shop.Exec(t, `UPDATE accounts.sessions SET ended_at = now()`)
	a := <-answered
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.Equal(t, ada.ID, a.Body["customer_id"], a.Raw)
}

// A guest who signs up several times concurrently gets one account.
func TestGuestSignsUpOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, mail := range []func(i int) string{
		func(i int) string { return fmt.Sprintf("ada-%d@example.test", i) },
		func(int) string { return "ada@example.test" },
	} {
		guest := shop.SignIn(t, token.Guest)
		calls := make([]func() shoptest.Response, 12)
		for i := range calls {
			calls[i] = func() shoptest.Response {
				return post(t, shop, "/v1/users/register", signUp(mail(i)), "Authorization", guest.Bearer)
			}
		}
		seen := map[int]int{}
		for _, a := range shoptest.Concurrently(calls...) {
			seen[a.Status]++
		}
		require.Equal(t, 1, seen[http.StatusCreated], "%v", seen)
		require.Equal(t, 12, seen[http.StatusCreated]+seen[http.StatusConflict]+seen[http.StatusUnauthorized], "%v", seen)
	}
}

// closed returns the statement that closes an account.
func closed(userID string) string {
	return fmt.Sprintf(`
		SELECT FROM accounts.users WHERE user_id = '%[1]s' FOR UPDATE;
		DELETE FROM accounts.passwords WHERE user_id = '%[1]s';
		DELETE FROM accounts.sessions WHERE user_id = '%[1]s';
		UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now() WHERE user_id = '%[1]s'`, userID)
}

// Data that is added to an account while it is being closed does not remain.
func TestNothingIsAddedToAClosingAccount(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for what, add := range map[string]func(p person) shoptest.Response{
		"address": func(p person) shoptest.Response {
			return post(t, shop, "/v1/users/me/addresses", home(), p.bearer()...)
		},
		"default": func(p person) shoptest.Response {
			return post(t, shop, "/v1/users/me/addresses", home().With("is_default", true), p.bearer()...)
		},
		"key": func(p person) shoptest.Response {
			return post(t, shop, "/v1/users/me/ssh-keys", map[string]string{"name": "laptop", "key": sshKey}, p.bearer()...)
		},
		"session": func(p person) shoptest.Response { return login(t, shop, p.email, secret) },
		"profile": func(p person) shoptest.Response {
			return call(t, shop, http.MethodPut, "/v1/users/me", map[string]string{"email": p.email, "name": "Eve", "phone": "+49 40 7654321"}, p.bearer()...)
		},
	} {
		p := register(t, shop)
		a := shop.During(t, closed(p.id), func() shoptest.Response { return add(p) })
		require.Equal(t, http.StatusUnauthorized, a.Status, "%s: %s", what, a.Raw)
		require.Zero(t, shoptest.Scalar[int64](t, shop, `
			SELECT (SELECT count(*) FROM accounts.addresses WHERE user_id = $1) + (SELECT count(*) FROM accounts.ssh_keys WHERE user_id = $1)
				+ (SELECT count(*) FROM accounts.sessions WHERE user_id = $1)`, p.id), what)
	}
}

// A login with a password that is being changed does not begin a session that outlives the change.
func TestLoginDoesNotOutliveAPasswordChange(t *testing.T) {
	t.Parallel()
	shop := open(t)
	p := register(t, shop)
	a := shop.During(t, fmt.Sprintf(`
		SELECT FROM accounts.users WHERE user_id = '%[1]s' FOR UPDATE;
		UPDATE accounts.passwords SET hash = '$argon2id$another' WHERE user_id = '%[1]s'`, p.id),
		func() shoptest.Response { return login(t, shop, p.email, secret) })
	require.Equal(t, http.StatusUnauthorized, a.Status, a.Raw)
}

// ACC-22: two concurrent role changes end the sessions that began with the role in between.
func TestConcurrentRoleChangesEndSessions(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin := shop.SignIn(t, token.Admin)
	ada := register(t, shop)
	a := shop.During(t, fmt.Sprintf(`UPDATE accounts.users SET role = 'staff' WHERE user_id = '%s'`, ada.id), func() shoptest.Response {
		return call(t, shop, http.MethodPut, "/v1/users/"+ada.id, map[string]any{"role": "customer", "active": true}, "Authorization", admin.Bearer)
	})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, []string{`{"customer_id":"` + ada.id + `","change":"role"}`}, emitted(t, shop, "account.changed", ada.id))
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
}
