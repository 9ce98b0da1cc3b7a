package editcatalogue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// asAdmin returns a call of edit-catalogue by an admin.
func (d desk) asAdmin() func(method, path string, body any, header ...string) shoptest.Response {
	d.t.Helper()
	bearer := d.SignIn(d.t, token.Admin).Bearer
	return func(method, path string, body any, header ...string) shoptest.Response {
		d.t.Helper()
		return d.Call(d.t, "edit-catalogue", method, path, body, append([]string{"Authorization", bearer}, header...)...)
	}
}

// WEB-53.
func TestAdminsChangeWhatTheShopIsCalled_WEB_53(t *testing.T) {
	t.Parallel()
	d := sit(t)
	admin := d.asAdmin()
	was := get(t, d.Shop, "/v1/settings").Body
	require.NotEmpty(t, was["name"])
	body := shoptest.Body{
		"name": " 月のうつわ ", "tagline": map[string]any{"en": "Bowls for every moon", "ja": "月ごとの器"},
		"accent": "#AA3300", "currency": "JPY", "contact_email": "hello@例え.jp",
	}
	a := admin(http.MethodPut, "/v1/settings", body)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	now := get(t, d.Shop, "/v1/settings").Body
	require.Equal(t, a.Body, now)
	require.Equal(t, []any{"月のうつわ", body["tagline"], "#aa3300", "JPY", "hello@xn--r8jz45g.jp"},
		[]any{now["name"], now["tagline"], now["accent"], now["currency"], now["contact_email"]})
	require.Equal(t, []string{"settings.changed "}, d.emitted())
	require.EqualValues(t, 1, shoptest.CountOf(t, d.Pool, `SELECT count(*) FROM bus.audit WHERE act = 'PUT /v1/settings'`))

	staff := d.call(http.MethodPut, "/v1/settings", body)
	require.Equal(t, http.StatusForbidden, staff.Status, "staff is no admin")
	stale := admin(http.MethodPut, "/v1/settings", body, "If-Match", `"other"`)
	require.Equal(t, http.StatusPreconditionFailed, stale.Status)
	wrong := admin(http.MethodPut, "/v1/settings", shoptest.Body{
		"name": " ", "accent": "red; } body { display: none", "currency": "EUX", "contact_email": "nobody",
	})
	require.ElementsMatch(t, []string{"name", "accent", "currency", "contact_email"}, wrong.Fields())
}

// WEB-49.
func TestLegalTextsAreKeptByLanguage_WEB_49(t *testing.T) {
	t.Parallel()
	d := sit(t)
	admin := d.asAdmin()
	const path = "/v1/texts/returns"
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, path).Status)
	long := strings.Repeat("返品は三十日以内に。\n\n", 3000)
	for _, c := range []struct{ en, ja string }{{"Within 30 days.\n\nUnused.", long}, {"Within 14 days.", ""}} {
		body := shoptest.Body{"en": shoptest.Body{"description": c.en}, "ja": shoptest.Body{"description": c.ja}}
		a := admin(http.MethodPut, path, body)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		text := get(t, d.Shop, path).Body
		require.Equal(t, c.en, text["en"].(map[string]any)["description"])
		require.Equal(t, c.ja != "", text["ja"] != nil)
		require.Contains(t, get(t, d.Shop, "/v1/settings").Body["texts"], "returns")
	}
	blank := admin(http.MethodPut, path, shoptest.Body{"en": shoptest.Body{"description": " "}})
	require.Equal(t, http.StatusBadRequest, blank.Status)
	require.Equal(t, http.StatusNoContent, admin(http.MethodDelete, path, nil).Status)
	require.Equal(t, http.StatusNotFound, admin(http.MethodDelete, path, nil).Status)
	require.Equal(t, http.StatusNotFound, get(t, d.Shop, path).Status)
	require.NotContains(t, get(t, d.Shop, "/v1/settings").Body["texts"], "returns")
}
