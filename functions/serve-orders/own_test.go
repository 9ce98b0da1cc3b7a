package serveorders_test

import (
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/shoptest"
)

func claim(t *testing.T, shop *shoptest.Shop, orderID, token, bearer string) shoptest.Response {
	t.Helper()
	return shop.Call(t, name, http.MethodPost, "/v1/orders/"+orderID+"/claim", map[string]string{"order_token": token}, "Authorization", bearer)
}

func cap1() shoptest.Body { return shoptest.Order(shoptest.Of(shoptest.Cap, 1)) }

// ACC-21
func TestOrdersOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve, guest := shop.SignIn(t, "customer"), shop.SignIn(t, "customer"), shop.SignIn(t, "guest")
	placed := shop.Place(t, cap1(), "Authorization", ada.Bearer)
	require.Empty(t, placed.Token, "who has an account needs no token")
	require.Equal(t, ada.ID, placed.CustomerID)
	for _, path := range []string{"/v1/orders/" + placed.ID, "/v1/orders/" + placed.ID + "/events"} {
		require.Equal(t, http.StatusOK, get(t, shop, path, "Authorization", ada.Bearer).Status)
		require.Equal(t, http.StatusOK, get(t, shop, path, "Authorization", shop.Staff(t)).Status)
		for _, other := range []string{eve.Bearer, guest.Bearer} {
			require.Equal(t, http.StatusNotFound, get(t, shop, path, "Authorization", other).Status)
		}
		require.Equal(t, http.StatusNotFound, get(t, shop, path, "Popup-Order-Token", "x").Status)
	}
	require.Equal(t, http.StatusNotFound, cancel(t, shop, placed.ID, "Authorization", eve.Bearer).Status)
	require.Equal(t, http.StatusNotFound, claim(t, shop, placed.ID, "x", eve.Bearer).Status)
	require.Equal(t, "pending", shop.Status(t, placed.ID))
	require.Equal(t, http.StatusAccepted, cancel(t, shop, placed.ID, "Authorization", ada.Bearer).Status)
}

func TestRowLevelSecurityHidesOrdersOfOthers(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	placed := shop.Place(t, cap1(), "Authorization", ada.Bearer)
	guests := shop.Place(t, cap1())
	for _, id := range []string{placed.ID, guests.ID} {
		shop.AwaitStatus(t, id, "")
	}
	for table, rows := range map[string]int{
		"orders.orders": 2, "orders.lines": 2, "orders.addresses": 2, "orders.history": 2, "payments.payments": 2,
		"delivery.shipments": 2,
	} {
		all := shoptest.Scalar[int](t, shop, `SELECT count(*) FROM `+table)
		require.GreaterOrEqual(t, all, rows, table)
		require.Equal(t, all/2, visible(t, shop, table, ada.ID, "customer"), "%s: her own", table)
		require.Zero(t, visible(t, shop, table, eve.ID, "customer"), "%s: another's", table)
		require.Zero(t, visible(t, shop, table, "", ""), "%s: without a caller", table)
		require.Equal(t, all, visible(t, shop, table, eve.ID, "staff"), "%s: staff", table)
	}
	for _, table := range []string{"accounts.users", "accounts.addresses", "accounts.ssh_keys", "accounts.guests", "bus.audit"} {
		require.Zero(t, visible(t, shop, table, "", ""), table)
	}
	require.Equal(t, 1, visible(t, shop, "accounts.users", ada.ID, "customer"))
}

// visible counts the rows of a table that row-level security lets the function see for a caller.
func visible(t *testing.T, shop *shoptest.Shop, table, caller, role string) (n int) {
	t.Helper()
	pool := shop.Runtime(t, name).Pool // logged in as the function
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT set_config('popup.caller', $1, true), set_config('popup.role', $2, true)`, caller, role)
		require.NoError(t, err)
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
	}))
	return n
}

func TestCallerIsResetBetweenRequests(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := shop.SignIn(t, "customer")
	placed := shop.Place(t, cap1(), "Authorization", ada.Bearer)
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/orders/"+placed.ID, "Authorization", ada.Bearer).Status)
	conns := shop.Runtime(t, name).Pool.AcquireAllIdle(t.Context())
	require.NotEmpty(t, conns)
	for _, conn := range conns {
		var left string
		require.NoError(t, conn.QueryRow(t.Context(), `
			SELECT concat(current_setting('popup.caller', true), current_setting('popup.role', true), current_setting('popup.order_token_hash', true),
				current_setting('transaction_read_only'))`).Scan(&left))
		conn.Release()
		require.Equal(t, "off", left)
	}
}

func TestOneProgramUsesTheRoleOfEachFunction(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	placed := shop.Place(t, cap1(), "Authorization", ada.Bearer)
	rt := shop.Runtime(t, name)
	rt.Pool = shop.Pool // as in popup run: the owner of the tables, to whom no policy applies
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/orders/"+placed.ID, "Authorization", ada.Bearer).Status)
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/"+placed.ID, "Authorization", eve.Bearer).Status)
	require.Empty(t, items(get(t, shop, "/v1/orders", "Authorization", eve.Bearer)))
}

// API-40, ORD-38, ORD-39.
func TestCustomersListTheirOrdersAndStaffAll(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	var own []any
	for range 3 {
		own = append([]any{shop.Place(t, cap1(), "Authorization", ada.Bearer).ID}, own...)
	}
	guests := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Tee, 2)))
	shop.AwaitStatus(t, own[0].(string), "confirmed")
	list := func(query, bearer string) (ids []any) {
		a := get(t, shop, "/v1/orders"+query, "Authorization", bearer)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		for _, o := range items(a) {
			ids = append(ids, o["id"])
		}
		return ids
	}
	require.Equal(t, own, list("", ada.Bearer), "the newest first")
	require.Equal(t, []any{own[2], own[1], own[0]}, list("?sort=created_at", ada.Bearer))
	require.Empty(t, list("", eve.Bearer))
	require.Empty(t, list("?customer_id="+ada.ID, eve.Bearer))
	require.Equal(t, own[:1], list("?status=confirmed", ada.Bearer))
	require.Equal(t, own[1:2], list("?limit=1&page=2", ada.Bearer))
	staff := shop.Staff(t)
	require.Len(t, list("", staff), 4)
	require.Equal(t, own, list("?customer_id="+ada.ID, staff))
	require.Equal(t, []any{guests.ID}, list("?number="+guests.OrderNumber, staff))
	require.Equal(t, guests.ID, list("?sort=-total", staff)[0])
	require.Len(t, list("?store_id="+shoptest.TheStore+"&method=simulated&from=2020-01-01T00:00:00Z", staff), 4)
	require.Empty(t, list("?to=2020-01-01T00:00:00Z", staff))
	require.Equal(t, http.StatusBadRequest, get(t, shop, "/v1/orders?customer_id=urn:uuid:"+ada.ID, "Authorization", staff).Status)
	page := get(t, shop, "/v1/orders?limit=2", "Authorization", staff)
	require.Equal(t, 4.0, page.Body["total"])
	require.Equal(t, 2.0, page.Body["total_pages"])
	whole, listed := get(t, shop, "/v1/orders/"+own[0].(string), "Authorization", ada.Bearer).Body, items(get(t, shop, "/v1/orders?limit=1", "Authorization", ada.Bearer))[0]
	require.Equal(t, whole, listed, "a list shows whole orders")
}

// API-47, ORD-18
func TestOrderTokenClaimsAGuestsOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	placed, other := shop.Place(t, cap1()), shop.Place(t, cap1())
	require.Equal(t, http.StatusNotFound, claim(t, shop, placed.ID, other.Token, ada.Bearer).Status)
	for range 2 {
		a := claim(t, shop, placed.ID, placed.Token, ada.Bearer)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Equal(t, ada.ID, a.Body["customer_id"], a.Raw)
	}
	require.Equal(t, placed.ID, items(get(t, shop, "/v1/orders", "Authorization", ada.Bearer))[0]["id"])
	require.Equal(t, http.StatusNotFound, claim(t, shop, placed.ID, placed.Token, eve.Bearer).Status, "it is taken")
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/"+placed.ID, "Popup-Order-Token", placed.Token).Status, "the account opens it now")
	shop.AwaitStatus(t, placed.ID, "confirmed")
	require.Equal(t, ada.ID, shoptest.EventOf(t, shop.Emitted(t, placed.ID, "order.confirmed")[0]).(events.OrderConfirmed).CustomerID)
}
