package serveaccounts_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	serveaccounts "github.com/popup-shop/popup/functions/serve-accounts"
	"github.com/popup-shop/popup/internal/shoptest"
)

const secret = "correct horse battery"

func open(t *testing.T, change ...func(*functions.Settings)) *shoptest.Shop {
	return shoptest.Open(t, functions.All, change...)
}

func call(t testing.TB, shop *shoptest.Shop, method, path string, body any, headers ...string) shoptest.Response {
	t.Helper()
	return shop.Call(t, serveaccounts.Name, method, path, body, headers...)
}

func post(t testing.TB, shop *shoptest.Shop, path string, body any, headers ...string) shoptest.Response {
	t.Helper()
	return call(t, shop, http.MethodPost, path, body, headers...)
}

func get(t testing.TB, shop *shoptest.Shop, path string, headers ...string) shoptest.Response {
	t.Helper()
	return call(t, shop, http.MethodGet, path, nil, headers...)
}

func signUp(email string) shoptest.Body {
	return shoptest.Body{"email": email, "password": secret, "name": "Ada Byron", "phone": "+49 40 1234567"}
}

// person is a signed-in user.
type person struct {
	id, email, access, refresh string
}

func (p person) bearer() []string { return []string{"Authorization", "Bearer " + p.access} }

// register creates an account and returns its user.
func register(t testing.TB, shop *shoptest.Shop, headers ...string) person {
	t.Helper()
	email := uuid.NewString() + "@example.test"
	a := post(t, shop, "/v1/users/register", signUp(email), headers...)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return person{a.Body["id"].(string), email, a.Body["access_token"].(string), a.Body["refresh_token"].(string)}
}

func login(t testing.TB, shop *shoptest.Shop, email, password string, headers ...string) shoptest.Response {
	t.Helper()
	return post(t, shop, "/v1/users/login", map[string]string{"email": email, "password": password}, headers...)
}

func items(t testing.TB, a shoptest.Response) (all []map[string]any) {
	t.Helper()
	list, ok := a.Body["items"].([]any)
	require.True(t, ok, a.Raw)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	return all
}

// emitted returns the data of the events of a type about a customer.
func emitted(t testing.TB, shop *shoptest.Shop, eventType, customerID string) (data []string) {
	t.Helper()
	return shoptest.Scalar[[]string](t, shop, `
		SELECT coalesce(array_agg(data::text ORDER BY xid, n), '{}') FROM bus.event WHERE type = $1 AND data ->> 'customer_id' = $2`, eventType, customerID)
}

// ACC-01
func TestSignUpCreatesOneAccountPerEmail(t *testing.T) {
	t.Parallel()
	shop := open(t)
	a := post(t, shop, "/v1/users/register", signUp("Ada@example.test"))
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Equal(t, []any{"Ada@example.test", "Ada Byron", "+49 40 1234567", "customer", true, "en"},
		[]any{a.Body["email"], a.Body["name"], a.Body["phone"], a.Body["role"], a.Body["active"], a.Body["locale"]})
	for _, email := range []string{"Ada@example.test", "ada@EXAMPLE.test"} {
		again := post(t, shop, "/v1/users/register", signUp(email))
		require.Equal(t, http.StatusConflict, again.Status)
		require.Equal(t, "/problems/e-mail-taken", again.Body["type"])
	}
	require.Equal(t, []string{`{"customer_id":"` + a.Body["id"].(string) + `","kind":"account"}`}, emitted(t, shop, "account.created", a.Body["id"].(string)))
}

// ACC-01, mass assignment, CRLF
func TestSignUpErrorsNameTheField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for field, c := range map[string]struct {
		with  string
		value any
	}{
		"role": {"role", "admin"}, "id": {"id", uuid.NewString()}, "active": {"active", false},
		"user_id": {"user_id", uuid.NewString()},
		"Email":   {"Email", "b@example.test"}, "email": {"email", "ada"},
		"name": {"name", "Ada\r\nBcc: eve@example.test"}, "phone": {"phone", "+49\r\n40"},
		"locale": {"locale", "en\r\nX: y"}, "password": {"password", "password1"},
	} {
		a := post(t, shop, "/v1/users/register", signUp("ada@example.test").With(c.with, c.value))
		require.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", field, a.Raw)
		require.Contains(t, a.Fields(), field)
	}
	for _, email := range []string{"ada@example.test\r\nBcc: eve@example.test", "Ada <ada@example.test>", "a@b, c@d", "", strings.Repeat("a", 250) + "@b.test"} {
		a := post(t, shop, "/v1/users/register", signUp(email))
		require.Equal(t, http.StatusBadRequest, a.Status, email)
		require.Contains(t, a.Fields(), "email")
	}
	require.Zero(t, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM accounts.users`))
}

// ACC-03
func TestPasswordsAreStoredAsArgon2id(t *testing.T) {
	t.Parallel()
	shop := open(t)
	register(t, shop)
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$`, shoptest.Scalar[string](t, shop, `SELECT hash FROM accounts.passwords`))
	for _, easy := range []string{"password1", "short", strings.Repeat("aB3 ", 33), "qwertyuiop"} {
		a := post(t, shop, "/v1/users/register", signUp("eve@example.test").With("password", easy))
		require.Equal(t, http.StatusBadRequest, a.Status, easy)
		require.Contains(t, a.Fields(), "password")
		require.NotContains(t, a.Raw, `"`+easy+`"`)
	}
}

// ACC-25
func TestUserHasTheseFieldsOnly(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	a := get(t, shop, "/v1/users/me", ada.bearer()...)
	require.Equal(t, http.StatusOK, a.Status)
	var fields []string
	for field := range a.Body {
		fields = append(fields, field)
	}
	require.ElementsMatch(t, []string{"id", "email", "name", "phone", "role", "active", "locale", "created_at", "updated_at"}, fields)
	require.NoError(t, uuid.Validate(ada.id))
}

// ACC-26
func TestEmailChangeNeedsThePassword(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := register(t, shop), register(t, shop)
	put := func(body shoptest.Body) shoptest.Response {
		return call(t, shop, http.MethodPut, "/v1/users/me", body, ada.bearer()...)
	}
	profile := shoptest.Body{"email": ada.email, "name": "Ada Lovelace", "phone": "+44 20 1234567", "locale": "ja"}
	require.Equal(t, http.StatusOK, put(profile).Status)
	me := get(t, shop, "/v1/users/me", ada.bearer()...)
	require.Equal(t, "Ada Lovelace", me.Body["name"])
	require.Equal(t, "+44 20 1234567", me.Body["phone"])
	require.Equal(t, "ja", me.Body["locale"])

	moved := profile.With("email", "lovelace@example.test")
	for _, wrong := range []shoptest.Body{moved, moved.With("password", "another one")} {
		a := put(wrong)
		require.Equal(t, http.StatusBadRequest, a.Status)
		require.Equal(t, []string{"password"}, a.Fields())
	}
	require.Equal(t, http.StatusConflict, put(profile.With("email", strings.ToUpper(eve.email)).With("password", secret)).Status)
	require.Equal(t, http.StatusOK, put(moved.With("password", secret)).Status)
	require.Equal(t, http.StatusOK, login(t, shop, "Lovelace@example.test", secret).Status)
	for _, field := range []string{"role", "id", "active", "created_at"} {
		require.Equal(t, []string{field}, put(profile.With(field, "admin")).Fields())
	}
	require.Contains(t, emitted(t, shop, "account.changed", ada.id), `{"customer_id":"`+ada.id+`","change":"profile"}`)
}

// ACC-36
func TestIDsAreUUIDs(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	guest := post(t, shop, "/v1/customers", map[string]string{"name": "Ada", "phone": "+49 40 1234567"})
	address := post(t, shop, "/v1/users/me/addresses", home(), ada.bearer()...)
	for _, id := range []any{ada.id, guest.Body["id"], address.Body["id"], address.Body["user_id"]} {
		require.NoError(t, uuid.Validate(id.(string)))
	}
}
