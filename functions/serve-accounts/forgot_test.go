package serveaccounts_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func forgot(t *testing.T, shop *shoptest.Shop, email string, headers ...string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/users/password/forgot", map[string]string{"email": email}, headers...)
}

func reset(t *testing.T, shop *shoptest.Shop, token, password string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/users/password/reset", map[string]string{"token": token, "new": password})
}

// arm does what send-email does when it writes the mail of the last request: it makes the token of the link.
func arm(t *testing.T, shop *shoptest.Shop, token string) int64 {
	t.Helper()
	return shoptest.Scalar[int64](t, shop, `
		SELECT count(*) FROM accounts.arm_reset((SELECT reset_id FROM accounts.resets ORDER BY reset_id DESC LIMIT 1), sha256($1::bytea))`, []byte(token))
}

// ACC-37, API-98.
func TestForgottenPasswordIsReset(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	require.Equal(t, http.StatusAccepted, forgot(t, shop, " "+ada.email).Status)
	require.EqualValues(t, 1, arm(t, shop, "link"))
	require.Equal(t, []string{"new"}, reset(t, shop, "link", "password").Fields(), "a common one")
	require.Equal(t, http.StatusConflict, reset(t, shop, "another link", "the next secret").Status)
	require.Equal(t, http.StatusNoContent, reset(t, shop, "link", "the next secret").Status)

	require.Equal(t, http.StatusConflict, reset(t, shop, "link", "the third secret").Status, "it works once")
	require.Equal(t, http.StatusUnauthorized, login(t, shop, ada.email, secret).Status)
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, "the next secret").Status)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status, "all sessions have ended")
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
}

// ACC-37: unknown addresses get the same response, and leave the same rows and events.
func TestForgottenPasswordsOfNobodyLookAlike(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	known, unknown := forgot(t, shop, ada.email), forgot(t, shop, "nobody@example.test")
	require.Equal(t, known.Status, unknown.Status)
	require.Equal(t, known.Raw, unknown.Raw)
	require.Zero(t, arm(t, shop, "link"), "there is nobody to write to")
	require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM accounts.resets`))
	require.EqualValues(t, 2, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event WHERE type = 'password.forgotten'`))
	require.NotRegexp(t, regexp.QuoteMeta(ada.email), shoptest.Scalar[string](t, shop, `SELECT string_agg(data::text, '') FROM bus.event WHERE type = 'password.forgotten'`))
}

// ACC-37: a link is too old after 30 minutes, and the use of one ends the others.
func TestLinksThatDoNotWork(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	require.Equal(t, http.StatusAccepted, forgot(t, shop, ada.email).Status)
	require.EqualValues(t, 1, arm(t, shop, "first"))
	require.Equal(t, http.StatusAccepted, forgot(t, shop, ada.email).Status)
	require.EqualValues(t, 1, arm(t, shop, "second"))
	require.InDelta(t, 1800, shoptest.Scalar[float64](t, shop, `SELECT max(extract(epoch FROM expires_at - created_at))::float8 FROM accounts.resets`), 1)
	require.Equal(t, http.StatusNoContent, reset(t, shop, "second", "the next secret").Status)
	require.Equal(t, http.StatusConflict, reset(t, shop, "first", "the third secret").Status)

	require.Equal(t, http.StatusAccepted, forgot(t, shop, ada.email).Status)
	require.EqualValues(t, 1, arm(t, shop, "third"))
	shop.Exec(t, `UPDATE accounts.resets SET expires_at = now()`)
	require.Equal(t, http.StatusConflict, reset(t, shop, "third", "the third secret").Status)
	require.Zero(t, arm(t, shop, "fourth"), "and its mail is not written any more")
}

// Requests are limited, so that an address cannot be flooded with mails.
func TestRequestsForANewPasswordAreLimited(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	seen := map[int]int{}
	for range 10 {
		seen[forgot(t, shop, ada.email).Status]++
	}
	require.NotZero(t, seen[http.StatusTooManyRequests])
	require.LessOrEqual(t, seen[http.StatusAccepted], 7)
}
