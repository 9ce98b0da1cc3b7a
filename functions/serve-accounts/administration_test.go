package serveaccounts_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func change(t testing.TB, shop *shoptest.Shop, admin, userID, role string, active bool) shoptest.Response {
	t.Helper()
	return call(t, shop, http.MethodPut, "/v1/users/"+userID, map[string]any{"role": role, "active": active}, "Authorization", admin)
}

// ACC-06
func TestDisabledAccountIsRejectedAtOnce(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, admin := register(t, shop), shop.SignIn(t, "admin").Bearer
	a := change(t, shop, admin, ada.id, "customer", false)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, false, a.Body["active"], a.Raw)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status)
	require.Equal(t, http.StatusUnauthorized, refresh(t, shop, ada.refresh).Status)
	shut, wrong := login(t, shop, ada.email, secret), login(t, shop, ada.email, "another one")
	require.Equal(t, http.StatusUnauthorized, shut.Status)
	require.Equal(t, wrong.Raw, shut.Raw, "the response does not reveal the reason")
	require.Equal(t, []string{`{"customer_id":"` + ada.id + `","change":"disabled"}`}, emitted(t, shop, "account.changed", ada.id))
	require.Contains(t, emitted(t, shop, "session.revoked", ada.id)[0], `"reason":"disabled"`)
	require.Equal(t, http.StatusOK, change(t, shop, admin, ada.id, "customer", true).Status)
	require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret).Status)
}

// ACC-22
func TestDemotionTakesEffectAtTheNextRequest(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin, other := shop.SignIn(t, "admin"), shop.SignIn(t, "admin")
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/clients", "Authorization", other.Bearer).Status)
	require.Equal(t, http.StatusOK, change(t, shop, admin.Bearer, other.ID, "customer", true).Status)
	require.Equal(t, http.StatusForbidden, get(t, shop, "/v1/clients", "Authorization", other.Bearer).Status)
	require.Equal(t, http.StatusForbidden, call(t, shop, http.MethodPut, "/v1/users/"+admin.ID, map[string]any{"role": "customer", "active": true}, "Authorization", other.Bearer).Status)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", "Authorization", other.Bearer).Status, "signed out")
	require.Equal(t, []string{`{"customer_id":"` + other.ID + `","change":"role"}`}, emitted(t, shop, "account.changed", other.ID))
}

// ACC-22: a new role ends all sessions of the user, with their refresh tokens, and no others.
func TestNewRoleEndsTheSessionsOfTheUser_ACC_22(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin, eve := shop.SignIn(t, "admin"), register(t, shop)
	for _, role := range []string{"staff", "admin"} {
		ada := register(t, shop)
		elsewhere := login(t, shop, ada.email, secret)
		require.Equal(t, http.StatusOK, elsewhere.Status, elsewhere.Raw)
		a := change(t, shop, admin.Bearer, ada.id, role, true)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Zero(t, shoptest.Scalar[int](t, shop,
			`SELECT count(*) FROM accounts.sessions WHERE user_id = $1 AND ended_at IS NULL`, ada.id), role)
		for _, token := range []string{ada.refresh, elsewhere.Body["refresh_token"].(string)} {
			require.Equal(t, http.StatusUnauthorized, refresh(t, shop, token).Status, role)
		}
		require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/users/me", ada.bearer()...).Status, role)
		require.Equal(t, http.StatusOK, login(t, shop, ada.email, secret).Status, role)
	}
	require.Equal(t, http.StatusOK, refresh(t, shop, eve.refresh).Status)
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/clients", "Authorization", admin.Bearer).Status)
}

// ACC-29
func TestLastAdminCannotBeRemoved(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin := shop.SignIn(t, "admin")
	for _, a := range []shoptest.Response{
		change(t, shop, admin.Bearer, admin.ID, "admin", false), change(t, shop, admin.Bearer, admin.ID, "staff", true),
		call(t, shop, http.MethodDelete, "/v1/users/me", nil, "Authorization", admin.Bearer),
	} {
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/not-possible-now", a.Body["type"], a.Raw)
	}
	_, err := shop.Pool.Exec(t.Context(), `DELETE FROM accounts.users WHERE role = 'admin'`)
	require.ErrorContains(t, err, "last admin", "not even by SQL")
}

// ACC-29
func TestConcurrentDemotionsLeaveOneAdmin(t *testing.T) {
	t.Parallel()
	shop := open(t)
	one, two := shop.SignIn(t, "admin"), shop.SignIn(t, "admin")
	get(t, shop, "/v1/keys") // starts the runtime
	var both sync.WaitGroup
	both.Go(func() { change(t, shop, one.Bearer, two.ID, "customer", true) })
	both.Go(func() { change(t, shop, two.Bearer, one.ID, "customer", true) })
	both.Wait()
	require.EqualValues(t, 1, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM accounts.users WHERE role = 'admin'`))
}

// ACC-29, ACC-30
func TestStaffFindsUsersAndGuests(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := register(t, shop), register(t, shop)
	guest := post(t, shop, "/v1/customers", map[string]string{"name": "100% Grace_", "phone": "+49 40 7654321"})
	shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), ada.bearer()...)
	staff := shop.Staff(t)
	find := func(query string) (ids []any) {
		for _, u := range items(t, get(t, shop, "/v1/users?"+query, "Authorization", staff)) {
			ids = append(ids, u["id"])
		}
		return ids
	}
	require.ElementsMatch(t, []any{ada.id}, find("ordered=true"))
	require.Subset(t, find("ordered=false"), []any{eve.id, guest.Body["id"]})
	require.NotContains(t, find("ordered=false"), ada.id)
	require.Equal(t, []any{guest.Body["id"]}, find("role=guest"))
	require.Equal(t, []any{eve.id}, find("q="+eve.email))
	require.Equal(t, []any{guest.Body["id"]}, find("q=100%25"))
	require.Equal(t, []any{guest.Body["id"]}, find("q=grace_"), "any case, and no wildcard")
	require.Empty(t, find("active=false"))
	require.Equal(t, find("sort=created_at&role=customer"), []any{ada.id, eve.id})
	a := get(t, shop, "/v1/users?limit=1&page=2", "Authorization", staff)
	require.Equal(t, 1.0, a.Body["limit"])
	require.Equal(t, 2.0, a.Body["page"])
	require.Equal(t, 4.0, a.Body["total"])
	require.Equal(t, 4.0, a.Body["total_pages"])
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/users/"+uuid.NewString(), "Authorization", shop.SignIn(t, "admin").Bearer).Status)
}

// ACC-24
func TestAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, admin := register(t, shop), shop.SignIn(t, "admin")
	require.Equal(t, http.StatusOK, change(t, shop, admin.Bearer, ada.id, "staff", true).Status)
	acts := items(t, get(t, shop, "/v1/audit?object=user%20"+ada.id, "Authorization", admin.Bearer))
	require.Len(t, acts, 1)
	require.Equal(t, admin.ID, acts[0]["by"])
	require.Equal(t, "admin", acts[0]["role"])
	require.Equal(t, "PUT /v1/users/{id}", acts[0]["act"])
	require.Equal(t, map[string]any{"role": "customer", "active": true}, acts[0]["before"])
	require.Equal(t, map[string]any{"role": "staff", "active": true}, acts[0]["after"])

	staff := shop.SignIn(t, "staff")
	a := shop.Call(t, "serve-stock", http.MethodPost, "/v1/inventory/stock/01900000-0000-7000-8000-000000000203/movements",
		map[string]any{"kind": "inbound", "quantity": 3, "reason": "counted"}, "Authorization", staff.Bearer, "Idempotency-Key", uuid.NewString())
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	acts = items(t, get(t, shop, "/v1/audit?by="+staff.ID, "Authorization", admin.Bearer))
	require.Len(t, acts, 1)
	require.Equal(t, "stock 01900000-0000-7000-8000-000000000203", acts[0]["object"])
	require.Equal(t, 120.0, acts[0]["before"].(map[string]any)["on_hand"])
	require.Equal(t, 123.0, acts[0]["after"].(map[string]any)["on_hand"])

	require.Empty(t, items(t, get(t, shop, "/v1/audit?to=2020-01-01T00:00:00Z", "Authorization", admin.Bearer)))
	require.NotEmpty(t, items(t, get(t, shop, "/v1/audit?from=2020-01-01T00:00:00Z", "Authorization", admin.Bearer)))
	for _, sql := range []string{`UPDATE bus.audit SET act = ''`, `DELETE FROM bus.audit`, `TRUNCATE bus.audit`} {
		_, err := shop.Pool.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "is a log", sql)
		_, err = shop.Runtime(t, "serve-stock").Pool.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "permission denied", sql)
	}
}

// ACC-24
func TestPriceChangeIsOneAuditEntry(t *testing.T) {
	t.Parallel()
	shop := open(t)
	staff := shop.SignIn(t, "staff")
	shop.Exec(t, `
		WITH caller AS MATERIALIZED (
			SELECT set_config('popup.caller', $1, true), set_config('popup.role', 'staff', true), set_config('popup.act', 'PUT /v1/products/{id}', true)
		)
		UPDATE catalogue.products SET price_minor = price_minor + 1 FROM caller WHERE sku = 'CAP-NAVY'`, staff.ID)
	require.Equal(t, []string{"2400 2401"}, shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg((before ->> 'price_minor') || ' ' || (after ->> 'price_minor')) FROM bus.audit WHERE by = $1 AND object LIKE 'product %'`, staff.ID))
	shop.Exec(t, `UPDATE catalogue.products SET price_minor = price_minor - 1 WHERE sku = 'CAP-NAVY'`)
	require.EqualValues(t, 1, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM bus.audit`), "the shop's own doing is no act of staff")
}

// ACC-23
func TestClientGetsTokensForItsScopes(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin := shop.SignIn(t, "admin")
	made := post(t, shop, "/v1/clients", map[string]any{"name": "warehouse", "scopes": []string{"stock", "orders"}}, "Authorization", admin.Bearer)
	require.Equal(t, http.StatusCreated, made.Status, made.Raw)
	id, clientSecret := made.Body["id"].(string), made.Body["secret"].(string)
	require.Equal(t, "warehouse", made.Body["name"])
	require.Equal(t, admin.ID, made.Body["owner_id"])
	require.Equal(t, []any{"orders", "stock"}, made.Body["scopes"])
	list := get(t, shop, "/v1/clients", "Authorization", admin.Bearer)
	require.Len(t, items(t, list), 1)
	require.NotContains(t, list.Raw, clientSecret)
	require.NotContains(t, dump(t, shop), clientSecret)

	tokens := func(id, secret string) shoptest.Response {
		return post(t, shop, "/v1/tokens", map[string]string{"client_id": id, "client_secret": secret})
	}
	a := tokens(id, clientSecret)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, 3600.0, a.Body["expires_in"], a.Raw)
	require.NotContains(t, a.Body, "refresh_token")
	bearer := "Bearer " + a.Body["access_token"].(string)
	move := func(authorization string) int {
		return shop.Call(t, "serve-stock", http.MethodPost, "/v1/inventory/stock/01900000-0000-7000-8000-000000000203/movements",
			map[string]any{"kind": "inbound", "quantity": 1, "reason": "counted"}, "Authorization", authorization, "Idempotency-Key", uuid.NewString()).Status
	}
	require.Equal(t, http.StatusCreated, move(bearer))
	require.Equal(t, http.StatusForbidden, move(shop.SignIn(t, "client", "metrics").Bearer))
	require.Equal(t, http.StatusUnauthorized, move(""))
	require.Equal(t, http.StatusForbidden, get(t, shop, "/v1/users", "Authorization", bearer).Status)
	for _, wrong := range []shoptest.Response{tokens(id, "x"), tokens(uuid.NewString(), clientSecret)} {
		require.Equal(t, http.StatusUnauthorized, wrong.Status)
	}
	require.Equal(t, http.StatusNoContent, call(t, shop, http.MethodDelete, "/v1/clients/"+id, nil, "Authorization", admin.Bearer).Status)
	require.Equal(t, http.StatusUnauthorized, move(bearer), "its tokens end with it")
	require.Equal(t, http.StatusUnauthorized, tokens(id, clientSecret).Status)
}

// ACC-23, ACC-06
func TestClientEndsWithItsOwnersPermissions(t *testing.T) {
	t.Parallel()
	shop := open(t)
	client := shop.SignIn(t, "client", "stock")
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/keys", "Authorization", client.Bearer).Status)
	shop.SignIn(t, "admin") // since the last admin cannot be removed
	shop.Exec(t, `UPDATE accounts.users SET active = false WHERE user_id = (SELECT owner_id FROM accounts.clients)`)
	list := shop.Call(t, "serve-stock", http.MethodGet, "/v1/inventory/stock", nil, "Authorization", client.Bearer)
	require.Equal(t, http.StatusUnauthorized, list.Status)
}

func TestUnknownScopeIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	admin := shop.SignIn(t, "admin")
	for _, scopes := range []any{[]string{}, []string{"root"}, []string{"stock", "stock"}, nil} {
		a := post(t, shop, "/v1/clients", map[string]any{"name": "x", "scopes": scopes}, "Authorization", admin.Bearer)
		require.Equal(t, http.StatusBadRequest, a.Status, "%v: %s", scopes, a.Raw)
	}
}

// ACC-32
func TestGuestNeedsNameAndPhone(t *testing.T) {
	t.Parallel()
	shop := open(t)
	a := post(t, shop, "/v1/customers", map[string]string{"name": "Grace", "phone": "+49 40 7654321"})
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.NoError(t, uuid.Validate(a.Body["id"].(string)))
	own := get(t, shop, "/v1/customers/"+a.Body["id"].(string), "Authorization", "Bearer "+a.Body["token"].(string))
	require.Equal(t, http.StatusOK, own.Status)
	require.Equal(t, "Grace", own.Body["name"])
	require.Equal(t, "+49 40 7654321", own.Body["phone"])
	require.Nil(t, own.Body["token"])
	for _, blank := range []map[string]string{{"name": " ", "phone": "+49 40 7654321"}, {"name": "Grace", "phone": " "}, {"name": "Grace"}, {"phone": "+49 40 7654321"}, {"name": "", "phone": ""}} {
		require.Equal(t, http.StatusBadRequest, post(t, shop, "/v1/customers", blank).Status, "%v", blank)
	}
	require.Equal(t, []string{`{"customer_id":"` + a.Body["id"].(string) + `","kind":"guest"}`}, emitted(t, shop, "account.created", a.Body["id"].(string)))
}

// ACC-33
func TestGuestGetsATokenForIDAndPhone(t *testing.T) {
	t.Parallel()
	shop := open(t)
	guest := post(t, shop, "/v1/customers", map[string]string{"name": "Grace", "phone": "+49 40 7654321"}).Body["id"].(string)
	ask := func(id, phone string) shoptest.Response {
		return post(t, shop, "/v1/customers/"+id+"/token", map[string]string{"phone": phone})
	}
	a := ask(guest, "+49 (40) 765-4321")
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/customers/"+guest, "Authorization", "Bearer "+a.Body["token"].(string)).Status)
	wrong, unknown := ask(guest, "+49 40 7654322"), ask(uuid.NewString(), "+49 40 7654321")
	require.Equal(t, http.StatusNotFound, wrong.Status)
	require.Equal(t, wrong.Raw, unknown.Raw)
	last := shoptest.Response{}
	for range 20 {
		last = ask(guest, "+49 40 7654322")
	}
	require.Equal(t, http.StatusTooManyRequests, last.Status)
	require.NotEmpty(t, last.Header.Get("Retry-After"))
}

// ACC-34
func TestGuestKeepsOrdersAtSignUp(t *testing.T) {
	t.Parallel()
	shop := open(t)
	guest := post(t, shop, "/v1/customers", map[string]string{"name": "Grace", "phone": "+49 40 7654321"})
	bearer := "Bearer " + guest.Body["token"].(string)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), "Authorization", bearer)
	grace := register(t, shop, "Authorization", bearer)
	require.Equal(t, guest.Body["id"], grace.id)
	orders := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders", nil, grace.bearer()...)
	require.Equal(t, placed.ID, items(t, orders)[0]["id"])
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/customers/"+grace.id, "Authorization", bearer).Status, "the guest no longer exists")
	require.Equal(t, http.StatusNotFound, post(t, shop, "/v1/customers/"+grace.id+"/token", map[string]string{"phone": "+49 40 7654321"}).Status)
}

// send-email consumes session.revoked and mails the user.
func TestRevokedSessionIsMailed(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := register(t, shop)
	refresh(t, shop, ada.refresh)
	refresh(t, shop, ada.refresh)
	session := shoptest.ClaimsOf(t, ada.access).Session
	m := shop.Store(t, events.SessionRevoked{CustomerID: ada.id, SessionID: session, Reason: "reuse"})
	require.Error(t, shop.TryDeliver(t, "send-email", m), "there is no mail server")
	require.Equal(t, []string{session + " session_revoked reuse waiting"}, shoptest.Scalar[[]string](t, shop, `
		SELECT array_agg(order_id || ' ' || kind || ' ' || status) FROM mail.mails`))
}
