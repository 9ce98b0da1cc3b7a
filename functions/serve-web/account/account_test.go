package account_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/shoptest"
)

func open(t *testing.T) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	shop := shoptest.Open(t, functions.All)
	settings := servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	return shop, shop.Visitor(t, servegateway.Within(settings))
}

const password = "a long enough password"

func signUp(t *testing.T, v *shoptest.Visitor) {
	t.Helper()
	page := v.Post(t, "/sign-up", "email", "ada@example.test", "name", "Ada Byron", "phone", "+49 40 1234567", "password", password, "next", "/account")
	require.Equal(t, "/account", page.Path, page.Text)
	require.Contains(t, page.HTML, "Welcome, Ada Byron.")
}

// WEB-25, WEB-26.
func TestAnAccountIsMadeLeftAndEnteredAgain_WEB_25(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	require.Equal(t, "/sign-in?next=%2Faccount%2Faddresses", v.Get(t, "/account/addresses").Path)
	signUp(t, v)
	require.Equal(t, "/account", v.Get(t, "/sign-in").Path, "those who are signed in are sent on")
	require.Contains(t, v.Post(t, "/sign-out").HTML, "You are signed out.")
	require.Equal(t, "/sign-in?next=%2Faccount", v.Get(t, "/account").Path)
	page := v.Post(t, "/sign-in", "email", "ada@example.test", "password", password, "next", "/account/keys")
	require.Equal(t, "/account/keys", page.Path)

	taken := v.Post(t, "/sign-up", "email", "ada@example.test", "name", "Ada", "phone", "+49 40 1234567", "password", password)
	require.Equal(t, http.StatusConflict, taken.Status)
	require.Contains(t, taken.Text, "There is an account with this e-mail address already.")
}

// WEB-26.
func TestAProfileIsChangedAndClosed_WEB_26(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	signUp(t, v)
	wrong := v.Post(t, "/account", "email", "grace@example.test", "name", "", "phone", "none", "locale", "en")
	require.Equal(t, http.StatusUnprocessableEntity, wrong.Status)
	require.Contains(t, wrong.HTML, `value="grace@example.test"`)
	page := v.Post(t, "/account", "email", "ada@example.test", "name", "Ada Lovelace", "phone", "+49 40 1234567", "locale", "ja")
	require.Contains(t, page.HTML, `value="Ada Lovelace"`)
	require.Contains(t, page.Text, "This device")
	page = v.Post(t, "/account/password", "old", "not it", "new", "another good password")
	require.Contains(t, page.Text, "This is not your current password.")
	data := v.Get(t, "/account/data")
	require.Contains(t, data.HTML, "Ada Lovelace")
	require.Equal(t, "private, no-cache", data.Header.Get("Cache-Control"), "no cache on the way keeps it")
	require.Contains(t, v.Post(t, "/account/close").Text, "Please tick the box")
	require.Contains(t, v.Post(t, "/account/close", "sure", "1").HTML, "Your account is closed.")
	require.Equal(t, "/sign-in?next=%2Faccount", v.Get(t, "/account").Path)
}

// WEB-27: the country comes first, and Japan has its 47 prefectures.
func TestAddressesFollowTheirCountry_WEB_27(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	signUp(t, v)
	page := v.Post(t, "/account/addresses/new", "country", "JP", "action", "update", "city", "千代田区")
	require.Equal(t, http.StatusOK, page.Status)
	require.Contains(t, page.HTML, `value="千代田区"`)
	prefectures := regexp.MustCompile(`(?s)<select id="f-prefecture".*?</select>`).FindString(page.HTML)
	require.Len(t, regexp.MustCompile(`<option`).FindAllString(prefectures, -1), 48)

	fields := []string{"country", "JP", "postal_code", "1000001", "prefecture", "Tokyo", "city", "千代田区", "address_line1", "千代田1-1", "name", "山田 花子"}
	page = v.Post(t, "/account/addresses/new", fields...)
	require.Equal(t, http.StatusUnprocessableEntity, page.Status)
	require.Contains(t, page.HTML, `href="#f-phone"`)
	page = v.Post(t, "/account/addresses/new", append(fields, "phone", "+81 3 1234 5678", "is_default", "1")...)
	require.Equal(t, "/account/addresses", page.Path)
	require.Contains(t, page.Text, "100-0001")
	require.Contains(t, page.Text, "Offered first")
	edit := regexp.MustCompile(`/account/addresses/[0-9a-f-]{36}`).FindString(page.HTML)
	require.Contains(t, v.Get(t, edit).HTML, `value="山田 花子"`)
	require.Contains(t, v.Post(t, edit, "action", "delete").Text, "No addresses yet")
	require.Equal(t, http.StatusNotFound, v.Get(t, edit).Status)
}

// WEB-29.
func TestKeysAreAddedAndRemoved_WEB_29(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	signUp(t, v)
	require.Contains(t, v.Post(t, "/account/keys", "name", "laptop", "key", "no key").Text, "This is not a public key of a secure kind.")
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKpCMYXvbK8CFZDKlzvvJSs1Kc4rkDZ7eB5Qk9hPqQpD ada"
	page := v.Post(t, "/account/keys", "name", "laptop", "key", key)
	require.Contains(t, page.Text, "laptop SHA256:")
	id := regexp.MustCompile(`name="remove" value="([0-9a-f-]{36})"`).FindStringSubmatch(page.HTML)
	require.Len(t, id, 2)
	require.NotContains(t, v.Post(t, "/account/keys", "remove", id[1]).Text, "SHA256")
}

// A session that ends in the middle of a form: sign in, come back, everything is still there.
func TestAFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	signUp(t, v)
	shop.Exec(t, `UPDATE accounts.sessions SET ended_at = now()`)
	page := v.Post(t, "/account/addresses/new", "country", "DE", "city", "Hamburg", "name", "Ada", "password", "secret",
		"postal_code", "20457", "address_line1", "Am Kai 1", "phone", "+49 40 1234567")
	require.Equal(t, http.StatusUnauthorized, page.Status)
	require.Contains(t, page.Text, "Your session has ended.")
	form := regexp.MustCompile(`name="form" value="([^"]*)"`).FindStringSubmatch(page.HTML)
	require.Len(t, form, 2)
	require.NotContains(t, page.HTML, "secret", "a password is not kept")
	kept := regexp.MustCompile(`&amp;`).ReplaceAllString(form[1], "&")
	page = v.Post(t, "/sign-in", "email", "ada@example.test", "password", password, "next", "/account/addresses/new", "form", kept)
	require.Contains(t, page.Text, "What you typed is still there.")
	require.Contains(t, page.HTML, `action="/account/addresses/new"`)
	require.Contains(t, page.HTML, `name="city" value="Hamburg"`)
	page = v.Post(t, "/account/addresses/new", "kept", "1", "country", "DE", "city", "Hamburg", "name", "Ada")
	require.Equal(t, http.StatusOK, page.Status, "it is shown, and not sent yet")
	require.Contains(t, page.HTML, `value="Hamburg"`)
}

// WEB-24.
func TestAGuestComesBackByNumberAndTelephone_WEB_24(t *testing.T) {
	t.Parallel()
	_, v := open(t)
	page := v.Post(t, "/guest", "name", "Grace", "phone", "+49 40 7654321")
	require.Equal(t, http.StatusOK, page.Status)
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(page.Text)
	require.NotEmpty(t, id, page.Text)

	_, other := open(t)
	require.Equal(t, http.StatusNotFound, other.Post(t, "/guest", "id", id, "phone", "+49 40 7654321").Status, "another shop")
	require.Contains(t, v.Post(t, "/guest", "id", id, "phone", "+49 40 7654321").Text, id)
}

// WEB-28.
func TestPointsAreShownWithTheirEntries_WEB_28(t *testing.T) {
	t.Parallel()
	shop, v := open(t)
	signUp(t, v)
	require.Contains(t, v.Get(t, "/account/points").Text, "No points yet")
	id := shoptest.Scalar[string](t, shop, `SELECT user_id::text FROM accounts.users WHERE email = 'ada@example.test'`)
	for range 25 {
		shop.GivePoints(t, id, 2)
	}
	page := v.Get(t, "/account/points")
	require.Contains(t, page.Text, "Available 50")
	require.Contains(t, page.Text, "Adjusted a gift")
	require.Contains(t, page.Text, "+2")
	require.Contains(t, page.HTML, "/account/points?page=2")
	require.NotContains(t, v.Get(t, "/account/points?page=2").HTML, "/account/points?page=3")
}
