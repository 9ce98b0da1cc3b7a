package serveaccounts_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

func home() shoptest.Body {
	return shoptest.Body{
		"name": "Ada Byron", "phone": "+49 40 1234567", "country": "DE", "postal_code": "20095", "city": "Hamburg",
		"address_line1": "Kai 1",
	}
}

// ACC-22
func TestNewPasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	other := login(t, shop, ada.email, secret).Body["access_token"].(string)
	change := func(before, after string) shoptest.Response {
		return call(t, shop, http.MethodPut, "/v1/users/me/password", map[string]string{"old": before, "new": after}, ada.bearer()...)
	}
	require.Equal(t, []string{"old"}, change("another one", "the next secret").Fields())
	require.Equal(t, []string{"new"}, change(secret, "password1").Fields())
	require.Equal(t, []string{"new"}, change(secret, ada.email).Fields())
	require.Equal(t, http.StatusNoContent, change(secret, "the next secret").Status)
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", "Authorization", "Bearer "+other).Status)
	require.Equal(t, http.StatusUnauthorized, login(t, shop, ada.email, secret).Status)
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, "the next secret").Status)
	require.Contains(t, emitted(t, shop, "session.revoked", ada.id)[0], `"reason":"password"`)
	require.Equal(t, []string{`{"customer_id":"` + ada.id + `","change":"password"}`}, emitted(t, shop, "account.changed", ada.id))
}

// ACC-05, for signed-in users
func TestPasswordChangesAreThrottled(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	last := 0
	for range 10 {
		last = call(t, shop, http.MethodPut, "/v1/users/me/password", map[string]string{"old": "another one", "new": "the next secret"}, ada.bearer()...).Status
	}
	require.Equal(t, http.StatusTooManyRequests, last)
}

// ACC-27
func TestAddressIsAddedListedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	require.Empty(t, items(t, get(t, shop, "/v1/users/me/addresses", ada.bearer()...)))
	a := post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Equal(t, ada.id, a.Body["user_id"])
	require.Equal(t, false, a.Body["is_default"])
	require.Equal(t, "Hamburg", a.Body["city"])
	require.NotEmpty(t, a.Body["created_at"])
	path := "/v1/addresses/" + a.Body["id"].(string)
	changed := call(t, shop, http.MethodPut, path, home().With("city", "Bremen").With("is_default", true), ada.bearer()...)
	require.Equal(t, http.StatusOK, changed.Status, changed.Raw)
	all := items(t, get(t, shop, "/v1/users/me/addresses", ada.bearer()...))
	require.Len(t, all, 1)
	require.Equal(t, "Bremen", all[0]["city"])
	require.Equal(t, true, all[0]["is_default"])
	require.Equal(t, a.Body["created_at"], all[0]["created_at"])
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodDelete, path, nil, ada.bearer()...).Status)
	require.Equal(t, http.StatusNotFound, call(t, shop, http.MethodDelete, path, nil, ada.bearer()...).Status)
}

// ACC-27
func TestAddressErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for field, value := range map[string]any{
		"name": "Ada\r\nX", "phone": "call me", "country": "XX", "postal_code": "1", "city": "",
		"address_line1": "\n", "user_id": uuid.NewString(), "id": uuid.NewString(),
	} {
		a := post(t, shop, "/v1/users/me/addresses", home().With(field, value), ada.bearer()...)
		require.Equal(t, http.StatusBadRequest, a.Status, field)
		require.Contains(t, a.Fields(), field)
	}
}

// ACC-28
func TestConcurrentDefaultsLeaveOne(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	var paths []string
	for range 6 {
		a := post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...)
		paths = append(paths, "/v1/addresses/"+a.Body["id"].(string))
	}
	var all sync.WaitGroup
	statuses := make([]int, len(paths))
	for i, path := range paths {
		all.Go(func() {
			statuses[i] = call(t, shop, http.MethodPut, path, home().With("is_default", true), ada.bearer()...).Status
		})
	}
	all.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusOK, status)
	}
	require.EqualValues(t, 1, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM accounts.addresses WHERE is_default`))
}

const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@machine"

// ACC-35
func TestSSHKeyBelongsToOneAccount(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := register(t, shop), register(t, shop)
	body := map[string]string{"name": "laptop", "key": sshKey}
	a := post(t, shop, "/v1/users/me/ssh-keys", body, ada.bearer()...)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Regexp(t, `^SHA256:[A-Za-z0-9+/]{43}$`, a.Body["fingerprint"])
	for _, who := range []person{ada, eve} {
		taken := post(t, shop, "/v1/users/me/ssh-keys", body, who.bearer()...)
		require.Equal(t, http.StatusConflict, taken.Status)
		require.Equal(t, "/problems/key-taken", taken.Body["type"])
	}
	require.Equal(t, "laptop", items(t, get(t, shop, "/v1/users/me/ssh-keys", ada.bearer()...))[0]["name"])
	require.Empty(t, items(t, get(t, shop, "/v1/users/me/ssh-keys", eve.bearer()...)))
	path := "/v1/users/me/ssh-keys/" + a.Body["id"].(string)
	require.Equal(t, http.StatusNotFound, call(t, shop, http.MethodDelete, path, nil, eve.bearer()...).Status)
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodDelete, path, nil, ada.bearer()...).Status)
	require.Equal(t, http.StatusCreated, post(t, shop, "/v1/users/me/ssh-keys", body, eve.bearer()...).Status, "free again")
}

// ACC-35
func TestInsecureSSHKeysAreRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for name, key := range map[string]string{
		"nothing": "", "text": "my key", "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----", "with options": `command="rm -rf /" ` + sshKey,
		"two": sshKey + "\n" + sshKey, "DSA": "ssh-dss AAAAB3NzaC1kc3MAAAAJAOU=",
		"short RSA": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7vbqajDw4o6gJy8UtmIbkcpnkO3Kwc4qsEnSZp/TR+fQi62F79RHWmwKOtFmwteURgLbj7D/WGuNLGOfa/2vse3G2eHnHl5CB8ruRX9fBl/KgwCVr2JaEuUm66bBQeP5XeBotdR4cvX38uPYivCDdPjJ1QWPdspTBKcxeFbccDw==",
	} {
		a := post(t, shop, "/v1/users/me/ssh-keys", map[string]string{"name": "laptop", "key": key}, ada.bearer()...)
		require.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", name, a.Raw)
		require.Equal(t, []string{"key"}, a.Fields(), name)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop, "X-Forwarded-For", "192.0.2.10", "User-Agent", "Lynx")
	second, third := login(t, shop, ada.email, secret), login(t, shop, ada.email, secret)
	all := items(t, get(t, shop, "/v1/users/me/sessions", ada.bearer()...))
	require.Len(t, all, 3)
	require.Equal(t, "192.0.2.10", all[2]["source"])
	require.Equal(t, "Lynx", all[2]["agent"])
	require.Equal(t, true, all[2]["current"])
	require.Equal(t, false, all[0]["current"])
	gone := shoptest.ClaimsOf(t, second.Body["access_token"].(string)).Session
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodDelete, "/v1/users/me/sessions?id="+gone, nil, ada.bearer()...).Status)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, second.Body["refresh_token"].(string)).Status)
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodDelete, "/v1/users/me/sessions", nil, ada.bearer()...).Status)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, third.Body["refresh_token"].(string)).Status)
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/users/me", ada.bearer()...).Status, "the one that it came from goes on")
}

func TestExcessSessionEndsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	for range 20 {
		require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret).Status)
	}
	require.EqualValues(t, 20, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM accounts.sessions WHERE ended_at IS NULL`))
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
}

// ACC-21: for each kind of object of an account.
func TestObjectsOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := register(t, shop), register(t, shop)
	address := post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...).Body["id"].(string)
	key := post(t, shop, "/v1/users/me/ssh-keys", map[string]string{"name": "laptop", "key": sshKey}, ada.bearer()...).Body["id"].(string)
	guest := post(t, shop, "/v1/customers", map[string]string{"name": "Grace", "phone": "+49 40 1234567"})
	other := post(t, shop, "/v1/customers", map[string]string{"name": "Mallory", "phone": "+49 40 7654321"})
	for name, a := range map[string]shoptest.Response{
		"change address":            call(t, shop, http.MethodPut, "/v1/addresses/"+address, home(), eve.bearer()...),
		"delete address":            call(t, shop, http.MethodDelete, "/v1/addresses/"+address, nil, eve.bearer()...),
		"delete ssh key":            call(t, shop, http.MethodDelete, "/v1/users/me/ssh-keys/"+key, nil, eve.bearer()...),
		"end session":               call(t, shop, http.MethodDelete, "/v1/users/me/sessions?id="+shoptest.ClaimsOf(t, ada.access).Session, nil, eve.bearer()...),
		"read guest":                get(t, shop, "/v1/customers/"+guest.Body["id"].(string), "Authorization", "Bearer "+other.Body["token"].(string)),
		"read no guest":             get(t, shop, "/v1/customers/"+uuid.NewString(), "Authorization", "Bearer "+other.Body["token"].(string)),
		"token of an unknown guest": post(t, shop, "/v1/customers/"+uuid.NewString()+"/token", map[string]string{"phone": "+49 40 1234567"}),
	} {
		require.Equal(t, http.StatusNotFound, a.Status, "%s: %s", name, a.Raw)
	}
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/users/me", ada.bearer()...).Status, "her session goes on")
	require.Len(t, items(t, get(t, shop, "/v1/users/me/addresses", ada.bearer()...)), 1)
}

// ACC-31
func TestCustomerExportsDataAndClosesTheAccount(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	ada := register(t, shop, "X-Forwarded-For", "192.0.2.77")
	post(t, shop, "/v1/users/me/addresses", home().With("address_line1", "Adaweg 7"), ada.bearer()...)
	post(t, shop, "/v1/users/me/ssh-keys", map[string]string{"name": "laptop", "key": sshKey}, ada.bearer()...)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2)), ada.bearer()...)
	data := get(t, shop, "/v1/users/me/data", ada.bearer()...)
	require.Equal(t, http.StatusOK, data.Status, data.Raw)
	for _, part := range []string{ada.email, "Adaweg 7", "SHA256:", "192.0.2.77", placed.OrderNumber, shoptest.Cap, "Kai 1"} {
		require.Contains(t, data.Raw, part)
	}
	require.NotContains(t, data.Raw, "argon2id")
	require.NotContains(t, data.Raw, "hash")

	closing := func() shoptest.Response {
		return call(t, shop, http.MethodDelete, "/v1/users/me", nil, ada.bearer()...)
	}
	require.Equal(t, http.StatusConflict, closing().Status, "goods may be on their way")
	shop.AwaitStatus(t, placed.ID, "completed")
	sums := shoptest.Scalar[string](t, shop, `SELECT string_agg(order_number || ' ' || total_minor, ',') FROM orders.orders`)
	a := closing()
	require.Equal(t, http.StatusNoContent, a.Status, a.Raw)
	require.Len(t, a.Header.Values("Set-Cookie"), 2)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
	require.Equal(t, http.StatusUnauthorized, login(t, shop, ada.email, secret).Status)
	require.Equal(t, sums, shoptest.Scalar[string](t, shop, `SELECT string_agg(order_number || ' ' || total_minor, ',') FROM orders.orders`))
	everything := dump(t, shop)
	for _, trace := range []string{ada.email, "Ada Byron", "ada@example.test", "1234567", "Adaweg", "Kai 1", "192.0.2.77"} {
		require.NotContains(t, everything, trace)
	}
	require.Equal(t, http.StatusCreated, post(t, shop, "/v1/users/register", signUp(ada.email)).Status, "the address is free again")
}

// dump returns all rows of all tables as text.
func dump(t testing.TB, shop *shoptest.Shop) string {
	t.Helper()
	return shoptest.Scalar[string](t, shop, `
		SELECT string_agg(query_to_xml(format('SELECT * FROM %I.%I', schemaname, tablename), false, true, '')::text, '')
		FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
}

// ACC-07
func TestPasswordsAreNeverExposed(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	answers := []shoptest.Response{
		login(t, shop, ada.email, secret), login(t, shop, ada.email, "another one"),
		call(t, shop, http.MethodPut, "/v1/users/me/password", map[string]string{"old": secret, "new": "the next secret"}, ada.bearer()...),
		call(t, shop, http.MethodPut, "/v1/users/me/password", map[string]string{"old": secret, "new": "password1"}, ada.bearer()...),
		get(t, shop, "/v1/users/me", ada.bearer()...), get(t, shop, "/v1/users/me/data", ada.bearer()...),
		get(t, shop, "/v1/users/me/sessions", ada.bearer()...),
		post(t, shop, "/v1/users/register", signUp(ada.email)),
		post(t, shop, "/v1/users/register", signUp("x").With("password", 7)),
		post(t, shop, "/v1/users/register", shoptest.Body{"password": secret}),
		get(t, shop, "/v1/users", "Authorization", shop.SignIn(t, "admin").Bearer),
		get(t, shop, "/v1/audit", "Authorization", shop.SignIn(t, "admin").Bearer),
	}
	hash := shoptest.Scalar[string](t, shop, `SELECT hash FROM accounts.passwords`)
	var text strings.Builder
	for _, a := range answers {
		text.WriteString(a.Raw)
	}
	for _, hidden := range []string{secret, "another one", "the next secret", hash, "argon2id"} {
		require.NotContains(t, text.String(), hidden)
		require.NotContains(t, shop.Log(), hidden)
		require.NotContains(t, shoptest.Scalar[string](t, shop, `SELECT coalesce(string_agg(data::text, ''), '') FROM bus.event`), hidden)
	}
	for _, hidden := range []string{secret, "another one", "the next secret", ada.refresh, ada.access} {
		require.NotContains(t, dump(t, shop), hidden)
	}
	require.NotContains(t, shop.Log(), ada.email)
}
