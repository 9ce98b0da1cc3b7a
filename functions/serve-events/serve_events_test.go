package serveevents_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "serve-events"

func open(t testing.TB) *shoptest.Shop {
	return shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
}

func get(t testing.TB, shop *shoptest.Shop, path string, headers ...string) shoptest.Response {
	t.Helper()
	if headers == nil {
		headers = []string{"Authorization", shop.Staff(t)}
	}
	return shop.Call(t, name, http.MethodGet, path, nil, headers...)
}

func post(t testing.TB, shop *shoptest.Shop, path string, body any, bearer string) shoptest.Response {
	t.Helper()
	return shop.Call(t, name, http.MethodPost, path, body, "Authorization", bearer)
}

func items(a shoptest.Response) (all []map[string]any) {
	for _, item := range a.Body["items"].([]any) {
		all = append(all, item.(map[string]any))
	}
	return all
}

// await calls done until it is true, or for some seconds: other tests' transactions on the same server hold the log back.
func await(t testing.TB, done func() bool) {
	t.Helper()
	for until := time.Now().Add(15 * time.Second); !done() && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
}

func types(a shoptest.Response) []string {
	all := []string{}
	for _, item := range items(a) {
		all = append(all, item["type"].(string))
	}
	return all
}

// API-81, INS-22: each filter selects, and an alias stands for all its types.
func TestFiltersSelectEvents_INS_22(t *testing.T) {
	t.Parallel()
	shop := open(t)
	confirmed, cancelled, rejected := shop.OrderIn(t, "confirmed"), shop.OrderIn(t, "cancelled"), shop.OrderIn(t, "rejected")
	for query, want := range map[string][]string{
		"alias=ORDER_CANCELLED":                                     {"order.cancelled", "order.rejected"},
		"alias=order_cancelled&sort=-sequence":                      {"order.rejected", "order.cancelled"},
		"type=order.confirmed&order_id=" + confirmed.ID:             {"order.confirmed"},
		"type=order.placed&alias=ORDER_CANCELLED":                   {},
		"consumer=create-payment&order_id=" + confirmed.ID:          {"stock.reserved"},
		"emitter=reserve-stock&order_id=" + cancelled.ID:            {"stock.reserved"},
		"order_id=" + rejected.ID:                                   {"order.placed", "stock.short", "order.rejected"},
		"order_id=" + rejected.ID + "&sort=-sequence&limit=1":       {"order.rejected"},
		"order_id=" + confirmed.ID + "&type=order.placed&limit=100": {"order.placed"},
	} {
		var got []string
		await(t, func() bool {
			got = types(get(t, shop, "/v1/events?"+query))
			return slices.Equal(got, want)
		})
		require.Equal(t, want, got, query)
	}
	for query, field := range map[string]string{
		"type=order.eaten": "type", "alias=EATEN": "alias", "order_id=1": "order_id", "after=x": "after", "sort=time": "sort", "wait=11": "wait",
	} {
		require.Equal(t, []string{field}, get(t, shop, "/v1/events?"+query).Fields(), query)
	}
	program := shop.SignIn(t, "client", "events").Bearer
	require.Equal(t, http.StatusOK, get(t, shop, "/v1/events", "Authorization", program).Status)
}

// INS-21, API-81: a request waits for the next event.
func TestARequestWaitsForAnEvent_INS_21(t *testing.T) {
	t.Parallel()
	shop := open(t)
	next := get(t, shop, "/v1/events").Body["next"].(string)
	began := time.Now()
	require.Empty(t, items(get(t, shop, "/v1/events?wait=1&type=order.placed&after="+next)))
	require.Greater(t, time.Since(began), time.Second)
	answer := make(chan shoptest.Response)
	go func() {
		answer <- get(t, shop, "/v1/events?wait=10&type=order.placed&after="+next, "Authorization", shop.Staff(t))
	}()
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	found := items(<-answer)
	require.Len(t, found, 1)
	require.Equal(t, placed.ID, found[0]["order_id"])
}

// INS-19: an order's events are a tree of cause and effect, which shows what waits and what failed.
func TestStepsOfAnOrderAreATree_INS_19(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "pending")
	shop.Deliver(t, "reserve-stock", shop.Emitted(t, placed.ID, "order.placed")[0])
	reserved := shop.Emitted(t, placed.ID, "stock.reserved")[0]
	deadLetter(t, shop, reserved.ID, "stock.reserved", "create-payment")
	a := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.OrderNumber+"/events", nil, "Authorization", shop.Staff(t))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	var drawn []string
	for _, item := range a.Body["steps"].([]any) {
		s := item.(map[string]any)
		drawn = append(drawn, fmt.Sprint(s["depth"], " ", s["function"], " ", s["state"]))
	}
	require.Contains(t, drawn, "0 place-order handled")
	require.Contains(t, drawn, "1 reserve-stock handled")
	require.Contains(t, drawn, "2 create-payment dead_letter")
	require.Contains(t, drawn, "2 track-order waiting")
	require.Equal(t, "place-order", items(a)[0]["emitter"])
	guest := shop.Call(t, "serve-orders", http.MethodGet, "/v1/orders/"+placed.ID+"/events", nil, "Popup-Order-Token", placed.Token)
	require.Nil(t, guest.Body["steps"])
	for _, secret := range []string{"reserve-stock", "poison", "lines"} {
		require.NotContains(t, guest.Raw, secret)
	}
}

// deadLetter stores a dead letter of a function and returns its number.
func deadLetter(t testing.TB, shop *shoptest.Shop, eventID, eventType, consumer string) string {
	t.Helper()
	return fmt.Sprint(shoptest.Scalar[int64](t, shop, `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event)
		VALUES ($1, $2, '/functions/x', $3, 'poison', 'it is broken', 'what came') RETURNING dead_letter_id`, eventID, eventType, consumer))
}

// API-83, FUN-08: dead letters are shown, redriven and discarded, each with the person in the record.
func TestStaffHandlesDeadLetters_FUN_08(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "pending")
	event := shop.Emitted(t, placed.ID, "order.placed")[0]
	one := deadLetter(t, shop, event.ID, "order.placed", "reserve-stock")
	other := deadLetter(t, shop, "junk", "x.y", "track-order")
	staff, admin := shop.SignIn(t, "staff"), shop.SignIn(t, "admin")
	require.Len(t, items(get(t, shop, "/v1/dead-letters")), 2)
	require.Len(t, items(get(t, shop, "/v1/dead-letters?function=track-order")), 1)
	require.Len(t, items(get(t, shop, "/v1/dead-letters?type=order.placed&limit=1")), 1)
	require.Equal(t, "what came", get(t, shop, "/v1/dead-letters/"+one).Body["event"])
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/dead-letters/4711").Status)

	a := post(t, shop, "/v1/dead-letters/"+one+"/redrive", nil, staff.Bearer)
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.NotEmpty(t, a.Body["resolved_at"])
	require.Equal(t, staff.ID, a.Body["actions"].([]any)[0].(map[string]any)["by"])
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.undelivered WHERE consumer = 'reserve-stock'`))
	require.Equal(t, http.StatusConflict, post(t, shop, "/v1/dead-letters/"+one+"/redrive", nil, staff.Bearer).Status, "twice")
	require.Equal(t, http.StatusConflict, post(t, shop, "/v1/dead-letters/"+other+"/redrive", nil, staff.Bearer).Status, "of no event")
	require.Equal(t, http.StatusNotFound, post(t, shop, "/v1/dead-letters/4711/redrive", nil, staff.Bearer).Status)

	note := map[string]string{"note": "sent by mistake"}
	require.Equal(t, http.StatusForbidden, post(t, shop, "/v1/dead-letters/"+other+"/discard", note, staff.Bearer).Status)
	require.Equal(t, []string{"note"}, post(t, shop, "/v1/dead-letters/"+other+"/discard", map[string]string{"note": ""}, admin.Bearer).Fields())
	a = post(t, shop, "/v1/dead-letters/"+other+"/discard", note, admin.Bearer)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, "sent by mistake", a.Body["actions"].([]any)[0].(map[string]any)["note"])
	require.Equal(t, http.StatusConflict, post(t, shop, "/v1/dead-letters/"+other+"/discard", note, admin.Bearer).Status)
	require.Equal(t, http.StatusNotFound, post(t, shop, "/v1/dead-letters/4711/discard", note, admin.Bearer).Status)
	require.Empty(t, items(get(t, shop, "/v1/dead-letters")))
	require.Equal(t, []string{
		"dead letter " + one + " POST /v1/dead-letters/{id}/redrive " + staff.ID, "dead letter " + other + " POST /v1/dead-letters/{id}/discard " + admin.ID,
	}, shoptest.Scalar[[]string](t, shop, `SELECT array_agg(object || ' ' || act || ' ' || by ORDER BY audit_id) FROM bus.audit WHERE object LIKE 'dead letter%'`))
}

// mailOf stores a mail of an order as it is after send-email has tried to send it.
func mailOf(t testing.TB, shop *shoptest.Shop, orderID, kind, status string) string {
	t.Helper()
	return shoptest.Scalar[string](t, shop, `
		INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by) VALUES (gen_random_uuid(), $1, $2, $3, gen_random_uuid())
		RETURNING mail_id::text`, orderID, kind, status)
}

// API-85, NOT-16: staff sees each mail with its text, and has one sent again that was not.
func TestStaffSeesAndSendsMails_NOT_16(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed, other := shop.OrderIn(t, "confirmed"), shop.OrderIn(t, "pending")
	staff := shop.SignIn(t, "staff")
	failed, sent := mailOf(t, shop, placed.ID, "payment_paid", "failed"), mailOf(t, shop, placed.ID, "order_shipped", "sent")
	mailOf(t, shop, other.ID, "payment_paid", "unknown")
	account := mailOf(t, shop, staff.Session, "session_revoked reuse", "unknown")
	require.Len(t, items(get(t, shop, "/v1/mails")), 4)
	require.Len(t, items(get(t, shop, "/v1/mails?order_id="+placed.ID)), 2)
	require.Len(t, items(get(t, shop, "/v1/mails?status=unknown")), 2)
	require.Equal(t, []string{"status"}, get(t, shop, "/v1/mails?status=lost").Fields())

	shown := get(t, shop, "/v1/mails/"+failed)
	require.Equal(t, "Order "+placed.OrderNumber+" is confirmed", shown.Body["subject"])
	require.Contains(t, shown.Body["text"], "1 × Harbour cap")
	require.Contains(t, shown.Body["text"], "/o/"+placed.OrderNumber)
	require.NotContains(t, shown.Raw, placed.Token)
	require.Nil(t, get(t, shop, "/v1/mails/"+account).Body["text"])

	a := post(t, shop, "/v1/mails/"+failed+"/send", nil, staff.Bearer)
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	requested := shop.Emitted(t, placed.ID, "mail.requested")
	require.Len(t, requested, 1)
	require.Contains(t, string(requested[0].Data), staff.ID)
	require.Equal(t, "mail "+failed, shoptest.Scalar[string](t, shop, `SELECT object FROM bus.audit WHERE by = $1`, staff.ID))
	for _, id := range []string{sent, account} {
		require.Equal(t, http.StatusConflict, post(t, shop, "/v1/mails/"+id+"/send", nil, staff.Bearer).Status)
	}
	require.Equal(t, http.StatusNotFound, post(t, shop, "/v1/mails/"+placed.ID+"/send", nil, staff.Bearer).Status)
}

// API-84: each function shows what it did lately and what waits for it, and each arrow of the flow how many events took it.
func TestFunctionsShowWhatTheyDid_API_84(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.OrderIn(t, "confirmed")
	reserved := shop.Emitted(t, placed.ID, "stock.reserved")[0]
	shop.Exec(t, `INSERT INTO bus.undelivered (event_id, consumer, created_at, attempts) VALUES ($1, 'create-payment', now() - interval '16 min', 4)`, reserved.ID)
	deadLetter(t, shop, reserved.ID, "stock.reserved", "create-payment")
	byName := map[string]map[string]any{}
	for _, f := range items(get(t, shop, "/v1/functions")) {
		byName[f["name"].(string)] = f
	}
	require.Contains(t, byName, "serve-gateway")
	require.Equal(t, []any{"stock.reserved", "payment.due"}, byName["create-payment"]["consumes"])
	require.EqualValues(t, 1, byName["create-payment"]["handled"])
	require.EqualValues(t, 1, byName["create-payment"]["waiting"])
	require.EqualValues(t, 1, byName["create-payment"]["late"])
	require.EqualValues(t, 5, byName["create-payment"]["errors"])
	require.EqualValues(t, 1, byName["place-order"]["emitted"])
	require.NotEmpty(t, byName["place-order"]["last_run"])
	require.Nil(t, byName["serve-baskets"]["last_run"])

	for _, period := range []string{"hour", "day"} {
		flow := get(t, shop, "/v1/functions/flow?period="+period)
		require.Equal(t, http.StatusOK, flow.Status, flow.Raw)
		require.Contains(t, flow.Body["emitted"], map[string]any{"function": "place-order", "type": "order.placed", "events": 1.0})
		require.Contains(t, flow.Body["handled"], map[string]any{"function": "reserve-stock", "type": "order.placed", "events": 1.0})
		require.Contains(t, flow.Body["handled"], map[string]any{"function": "close-order", "type": "order.withdrawn", "events": 0.0})
	}
	require.Equal(t, []string{"period"}, get(t, shop, "/v1/functions/flow?period=week").Fields())
}

// API-84: the checks find for staff what popup check finds, and run at most twice a minute.
func TestChecksFindWhatPopupCheckFinds(t *testing.T) {
	t.Parallel()
	shop := open(t)
	expired, placed := shop.OrderIn(t, "expired"), shop.OrderIn(t, "confirmed")
	shop.Exec(t, `
		INSERT INTO orders.baskets (basket_id, token_hash, order_id, expires_at) VALUES (gen_random_uuid(), '\x01', $1, now() + interval '1 day')`, expired.ID)
	mailOf(t, shop, placed.ID, "payment_paid", "sending")
	shop.Exec(t, `UPDATE mail.mails SET taken_at = now() - interval '1 hour'`)
	want, err := invariant.Check(t.Context(), shop.Pool, false)
	require.NoError(t, err)
	checks := func() (broken []invariant.Result) {
		a := get(t, shop, "/v1/checks")
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		for _, c := range items(a) {
			broken = append(broken, invariant.Result{Domain: c["domain"].(string), Promise: c["promise"].(string), Broken: int(c["broken"].(float64))})
		}
		return broken
	}
	require.Equal(t, want, checks())
	require.GreaterOrEqual(t, len(slices.DeleteFunc(slices.Clone(want), func(r invariant.Result) bool { return r.Broken == 0 })), 2)
	shop.Exec(t, `DELETE FROM mail.mails`)
	require.Equal(t, want, checks(), "they are kept")
	locked := shop.SignIn(t, "staff")
	shop.Exec(t, `UPDATE accounts.users SET active = false WHERE user_id = $1`, locked.ID)
	require.Equal(t, http.StatusUnauthorized, get(t, shop, "/v1/checks", "Authorization", locked.Bearer).Status, "but not for everyone")
}
