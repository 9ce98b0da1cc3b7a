package serveaccounts_test

import (
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// ACC-02, ACC-15
func TestLoginReturnsTokensInBodyAndCookies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, prefix, suffix string }{
		{"http://shop.test", "popup-", "; HttpOnly; SameSite=Lax"},
		{"https://shop.test", "__Host-popup-", "; HttpOnly; Secure; SameSite=Lax"},
	} {
		shop := open(t, func(s *functions.Settings) { s.PublicURL = c.url })
		ada := register(t, shop)
		a := login(t, shop, strings.ToUpper(ada.email), secret)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, 3600.0, a.Body["expires_in"])
		require.Equal(t, "Bearer", a.Body["token_type"])
		require.Equal(t, []string{
			c.prefix + "access=" + a.Body["access_token"].(string) + "; Path=/; Max-Age=3600" + c.suffix,
			c.prefix + "refresh=" + a.Body["refresh_token"].(string) + "; Path=/; Max-Age=86400" + c.suffix,
		}, a.Header.Values("Set-Cookie"))
		me := get(t, shop, "/v1/users/me", "Cookie", c.prefix+"access="+a.Body["access_token"].(string))
		require.Equal(t, ada.id, me.Body["id"])
	}
}

// ACC-02
func TestUnknownEmailLooksLikeAWrongPassword(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	wrong, unknown := login(t, shop, ada.email, "another one"), login(t, shop, "nobody@example.test", "another one")
	require.Equal(t, http.StatusUnauthorized, wrong.Status)
	require.Equal(t, wrong.Raw, unknown.Raw)
	require.Equal(t, wrong.Status, unknown.Status)
	require.Equal(t, wrong.Header, unknown.Header)
}

// ACC-02: not parallel, and measured in pairs: other load on the machine slows both attempts of a pair, and the median
// ignores the pairs in which it slowed only one. A hash takes 19 MiB, so garbage collections would always hit the same
// attempt of a pair.
func TestUnknownEmailTakesAsLongAsAWrongPassword(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 200 hashes")
	}
	shop := open(t)
	ada := register(t, shop)
	try := func(email string) float64 {
		shop.Exec(t, `DELETE FROM accounts.throttles`)
		runtime.GC()
		began := time.Now()
		require.Equal(t, http.StatusUnauthorized, login(t, shop, email, "another one").Status)
		return float64(time.Since(began))
	}
	pair := func(i int) float64 {
		unknownEmail := "nobody" + strconv.Itoa(i) + "@example.test"
		if i%2 == 0 {
			known := try(ada.email)
			return try(unknownEmail) / known
		}
		unknown := try(unknownEmail)
		return unknown / try(ada.email)
	}
	var ratios []float64
	median := 0.0
	for len(ratios) < 300 && math.Abs(median-1) > 0.1 { // more pairs for a busy machine
		for range 100 {
			ratios = append(ratios, pair(len(ratios)))
		}
		median = slices.Sorted(slices.Values(ratios))[len(ratios)/2]
	}
	t.Logf("over %d pairs an unknown mail takes %.3f times as long", len(ratios), median)
	require.InDelta(t, 1, median, 0.1)
}

// ACC-04
func TestImportedHashIsReplacedAtLogin(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	imported, err := bcrypt.GenerateFromPassword([]byte("the old secret"), bcrypt.MinCost)
	require.NoError(t, err)
	shop.Exec(t, `UPDATE accounts.passwords SET hash = $1`, string(imported))
	require.Equal(t, http.StatusUnauthorized, login(t, shop, ada.email, secret).Status)
	require.Equal(t, string(imported), shoptest.Scalar[string](t, shop, `SELECT hash FROM accounts.passwords`))
	for range 2 {
		require.Equal(t, http.StatusOK, login(t, shop, ada.email, "the old secret").Status)
		require.Regexp(t, `^\$argon2id\$`, shoptest.Scalar[string](t, shop, `SELECT hash FROM accounts.passwords`))
	}
}

// ACC-05
func TestManyFailedLoginsHaveToWait(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	refused := 0
	for range 20 {
		a := login(t, shop, ada.email, "another one", "X-Forwarded-For", "198.51.100.7")
		if a.Status == http.StatusTooManyRequests {
			refused++
			seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
			require.NoError(t, err)
			require.Positive(t, seconds)
			require.Equal(t, "/problems/too-many", a.Body["type"])
		} else {
			require.Equal(t, http.StatusUnauthorized, a.Status)
		}
	}
	require.GreaterOrEqual(t, refused, 10)
	require.Equal(t, http.StatusTooManyRequests, login(t, shop, ada.email, secret, "X-Forwarded-For", "198.51.100.7").Status, "not even the right one")
	shop.Exec(t, `UPDATE accounts.throttles SET free_at = now()`) // some time later
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret, "X-Forwarded-For", "198.51.100.7").Status)
}

// ACC-05: attackers in any number of networks delay the user at a new place by a second, and not at a known one.
func TestAttackersDoNotLockTheUserOut(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop, "X-Forwarded-For", "192.0.2.10") // her usual address
	var all sync.WaitGroup
	statuses := make([]int, 40)
	for i := range statuses {
		all.Go(func() {
			statuses[i] = login(t, shop, ada.email, "another one", "X-Forwarded-For", "198.51.100."+strconv.Itoa(i)).Status
		})
	}
	all.Wait()
	require.Equal(t, slices.Repeat([]int{http.StatusUnauthorized}, 40), statuses)
	began := time.Now()
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret, "X-Forwarded-For", "203.0.113.1").Status, "at a new place")
	require.Greater(t, time.Since(began), time.Second, "an attempt from there is slow")
	shop.Exec(t, `UPDATE accounts.throttles SET failures = 40 WHERE key LIKE 'everywhere %'`)
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret, "X-Forwarded-For", "192.0.2.10").Status)
}

// ACC-05: a subscriber has many IPv6 addresses.
func TestAddressesOfOneNetworkWaitTogether(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop, "X-Forwarded-For", "192.0.2.10")
	refused := 0
	for i := range 20 {
		status := login(t, shop, ada.email, "another one", "X-Forwarded-For", "2001:db8:1:2::"+strconv.Itoa(i)).Status
		if status == http.StatusTooManyRequests {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 10)
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret, "X-Forwarded-For", "2001:db8:1:3::1").Status)
}

// ACC-05
func TestSourceThatTriesManyAccountsHasToWait(t *testing.T) {
	t.Parallel()
	shop := open(t)
	eve := register(t, shop, "X-Forwarded-For", "198.51.100.7")
	refused := 0 // how often depends on how fast the machine is
	for i := range 40 {
		status := login(t, shop, "nobody"+strconv.Itoa(i)+"@example.test", "another one", "X-Forwarded-For", "198.51.100.7").Status
		if status == http.StatusTooManyRequests {
			refused++
		}
		if i%2 == 0 && i < 10 {
			login(t, shop, eve.email, secret, "X-Forwarded-For", "198.51.100.7")
		}
	}
	require.Positive(t, refused)
}

// ACC-05: behind a proxy that hides the client addresses.
func TestPrivateAddressIsNotThrottled(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for _, source := range []string{"10.1.2.3", "127.0.0.1", "fd00::1"} {
		for i := range 10 {
			require.Equal(t, http.StatusUnauthorized, login(t, shop, source+strconv.Itoa(i)+"@example.test", "another one", "X-Forwarded-For", source).Status)
		}
		require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret, "X-Forwarded-For", source).Status)
	}
}

// ACC-05: the wait doubles up to five minutes.
func TestWaitDoublesUpToFiveMinutes(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for i, want := range []float64{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		login(t, shop, "ada@example.test", "another one", "X-Forwarded-For", "198.51.100.7")
		wait := shoptest.Scalar[float64](t, shop, `SELECT extract(epoch FROM free_at - touched_at)::float8 FROM accounts.throttles WHERE key LIKE 'account %'`)
		require.InDelta(t, want, wait, 0.1, "after %d", i+1)
		shop.Exec(t, `UPDATE accounts.throttles SET free_at = now()`)
	}
}

func refresh(t testing.TB, shop *shoptest.Shop, shown string, headers ...string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/users/refresh", map[string]string{"refresh_token": shown}, headers...)
}

// ACC-11
func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	other := login(t, shop, ada.email, secret)
	a := refresh(t, shop, ada.refresh)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.NotEqual(t, ada.refresh, a.Body["refresh_token"])
	require.Len(t, a.Header.Values("Set-Cookie"), 2)
	life := shoptest.Scalar[float64](t, shop, `SELECT extract(epoch FROM expires_at - used_at)::float8 FROM accounts.sessions ORDER BY used_at DESC LIMIT 1`)
	require.EqualValues(t, 86400, life)

	usedBefore(t, shop, 11*time.Second)
	again := refresh(t, shop, ada.refresh)
	require.Equal(t, http.StatusUnauthorized, again.Status)
	require.Len(t, again.Header.Values("Set-Cookie"), 2, "browsers forget both")
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, a.Body["refresh_token"].(string)).Status, "the new one is dead too")
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", "Authorization", "Bearer "+a.Body["access_token"].(string)).Status)
	require.Len(t, emitted(t, shop, "session.revoked", ada.id), 1)
	require.Contains(t, emitted(t, shop, "session.revoked", ada.id)[0], `"reason":"reuse"`)
	require.Equal(t, http.StatusOK, refresh(t, shop, other.Body["refresh_token"].(string)).Status, "another session goes on")
}

// usedBefore makes it so long ago that refresh tokens were used.
func usedBefore(t testing.TB, shop *shoptest.Shop, ago time.Duration) {
	t.Helper()
	shop.Exec(t, `UPDATE accounts.spent_tokens SET spent_at = now() - $1::interval`, ago)
}

// ACC-11: two tabs, or a lost response.
func TestConcurrentRefreshesLeadToOnePair(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	get(t, shop, "/v1/keys") // the runtime is there
	var both sync.WaitGroup
	answers := make([]shoptest.Response, 5)
	for i := range answers {
		both.Go(func() { answers[i] = refresh(t, shop, ada.refresh) })
	}
	both.Wait()
	next := answers[0].Body["refresh_token"]
	for _, a := range answers {
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, next, a.Body["refresh_token"])
		require.Equal(t, http.StatusOK, get(t, shop, "/v1/users/me", "Authorization", "Bearer "+a.Body["access_token"].(string)).Status)
	}
	third := refresh(t, shop, next.(string))
	require.Equal(t, http.StatusOK, third.Status)
	require.Equal(t, http.StatusOK, refresh(t, shop, ada.refresh).Status, "the first one works on, and leads to the second, which works on too")
	require.Empty(t, emitted(t, shop, "session.revoked", ada.id))

	usedBefore(t, shop, 11*time.Second)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status, "it was stolen")
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, third.Body["refresh_token"].(string)).Status)
	require.Len(t, emitted(t, shop, "session.revoked", ada.id), 1)
}

// A used token opens nothing once its session has ended.
func TestUsedRefreshTokenOfAnEndedSessionIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	next := refresh(t, shop, ada.refresh)
	require.Equal(t, http.StatusOK, next.Status)
	require.Equal(t, http.StatusNoContent, post(t, shop, "/v1/users/logout", nil, "Authorization", "Bearer "+next.Body["access_token"].(string)).Status)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
}

// ACC-11
func TestRefreshTokenExpiresAfterADay(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for _, made := range []string{"", "x", strings.Repeat("A", 52)} {
		require.Equal(t, http.StatusUnauthorized, refresh(t, shop, made).Status)
	}
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
	shop.Exec(t, `UPDATE accounts.sessions SET expires_at = now()`)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
	require.Empty(t, emitted(t, shop, "session.revoked", ada.id))
}

// ACC-11, ACC-14
func TestBrowserRefreshesWithItsCookie(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	a := call(t, shop, http.MethodPost, "/v1/users/refresh", nil, "Cookie", "popup-access=old; popup-refresh="+ada.refresh)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	foreign := call(t, shop, http.MethodPost, "/v1/users/refresh", nil, "Cookie", "popup-refresh="+a.Body["refresh_token"].(string), "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, foreign.Status)
}

// ACC-12
func TestTokensAreNotInterchangeable(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", "Authorization", "Bearer "+ada.refresh).Status)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", "Cookie", "popup-access="+ada.refresh).Status)
	a := post(t, shop, "/v1/users/refresh", map[string]string{"refresh_token": ada.access})
	require.Contains(t, []int{http.StatusUnauthorized, http.StatusBadRequest}, a.Status, "longer than any refresh token")
	require.Equal(t, http.StatusUnauthorized, call(t, shop, http.MethodPost, "/v1/users/refresh", nil, "Cookie", "popup-refresh="+ada.access).Status)
}

// ACC-13
func TestLogoutEndsOneOrAllSessions(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	other, third := login(t, shop, ada.email, secret), login(t, shop, ada.email, secret)
	a := call(t, shop, http.MethodPost, "/v1/users/logout", nil, ada.bearer()...)
	require.Equal(t, http.StatusNoContent, a.Status, a.Raw)
	for _, cookie := range a.Header.Values("Set-Cookie") {
		require.Contains(t, cookie, "Max-Age=0")
	}
	require.Len(t, a.Header.Values("Set-Cookie"), 2)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status, "the access token too")

	bearer := "Bearer " + other.Body["access_token"].(string)
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodPost, "/v1/users/logout?everywhere=true", nil, "Authorization", bearer).Status)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, third.Body["refresh_token"].(string)).Status)
	require.Contains(t, emitted(t, shop, "session.revoked", ada.id)[0], `"reason":"logout everywhere"`)
}

// ACC-14, ACC-18
func TestMeAcceptsTokenAndCookie(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"bearer":        {ada.bearer(), 200},
		"cookie":        {[]string{"Cookie", "popup-access=" + ada.access}, 200},
		"nothing":       {nil, 401},
		"basic":         {[]string{"Authorization", "Basic " + ada.access}, 401},
		"no scheme":     {[]string{"Authorization", ada.access}, 401},
		"digest":        {[]string{"Authorization", "Digest username=ada"}, 401},
		"an old cookie": {[]string{"Cookie", "popup-access=old"}, 401},
	} {
		require.Equal(t, c.status, get(t, shop, "/v1/users/me", c.headers...).Status, name)
	}
}

// ACC-17
func TestSessionIsSharedByInstances(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	other := shoptest.Open(t, functions.All) // another shop with its own database
	require.Equal(t, http.StatusUnauthorized, get(t, other, "/v1/users/me", ada.bearer()...).Status)
	copied := shop.Copy(t)
	require.Equal(t, http.StatusOK, get(t, copied, "/v1/users/me", ada.bearer()...).Status)
	require.Equal(t, http.StatusOK, refresh(t, copied, ada.refresh).Status)
	usedBefore(t, shop, 11*time.Second)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
}

// ACC-08, ACC-09
func TestAccessTokenVerifiesWithThePublishedKeys(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	a := get(t, shop, "/v1/keys")
	require.Equal(t, http.StatusOK, a.Status)
	published := a.Body["keys"].([]any)
	require.Len(t, published, 1)
	key := published[0].(map[string]any)
	require.Equal(t, "OKP", key["kty"])
	require.Equal(t, "Ed25519", key["crv"])
	require.Equal(t, "EdDSA", key["alg"])
	require.Equal(t, "sig", key["use"])
	require.Equal(t, shoptest.PublicKey(), key["x"])
	require.NotContains(t, key, "d")
	claims := shoptest.ClaimsOf(t, ada.access)
	require.Equal(t, []string{ada.id, token.Customer, ada.email}, []string{claims.ID, claims.Role, claims.Email})
	require.NoError(t, uuid.Validate(claims.Session))
}
