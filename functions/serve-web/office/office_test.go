package office_test

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// open opens a shop with demo goods, and a browser without scripts that is signed in with a role.
func open(t *testing.T, role string) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
	settings := servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	return shop, shop.Visitor(t, servegateway.Within(settings)).As(t, shop.SignIn(t, role))
}

// productID returns the id of a product.
func productID(t *testing.T, shop *shoptest.Shop, sku string) string {
	t.Helper()
	return shoptest.Scalar[string](t, shop, `SELECT product_id::text FROM catalogue.products WHERE sku = $1`, sku)
}

// hidden returns the value of the first hidden field of a page with a name.
func hidden(t *testing.T, page shoptest.Page, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.HTML)
	require.NotNil(t, found, "%s in %s", name, page.Path)
	return strings.NewReplacer("&#34;", `"`, "&amp;", "&").Replace(found[1])
}

// WEB-30.
func TestTheOfficeIsForStaff_WEB_30(t *testing.T) {
	t.Parallel()
	shop, customer := open(t, token.Customer)
	for _, path := range []string{"/office", "/office/orders", "/office/engine", "/office/settings"} {
		require.Equal(t, http.StatusForbidden, customer.Get(t, path).Status, path)
	}
	settings := servegateway.Settings{Access: config.Access{TokenPublicKeys: []string{shoptest.PublicKey()}}}
	require.Contains(t, shop.Visitor(t, servegateway.Within(settings)).Get(t, "/office/orders").Path, "/sign-in?next=")
}

// WEB-30: the figures are those of the orders.
func TestTheOverviewShowsWhatThereIsToDo_WEB_30(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	first := shop.OrderIn(t, "confirmed")
	shop.OrderIn(t, "shipped")
	page := staff.Get(t, "/office")
	require.Contains(t, page.Text, "Today 2 orders 0 in the time before Revenue €48.00 Average €24.00")
	require.Contains(t, page.Text, "Orders to pack 1")
	require.Contains(t, page.Text, first.OrderNumber)
	require.Equal(t, "/office/orders/"+first.ID, staff.Get(t, "/office/find?q="+first.OrderNumber).Path)
	require.Equal(t, "/office/products/"+productID(t, shop, shoptest.Cap), staff.Get(t, "/office/find?q="+shoptest.Cap).Path)
}

// WEB-39.
func TestOrdersAreShippedTogether_WEB_39(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	ready, also, gone := shop.OrderIn(t, "confirmed"), shop.OrderIn(t, "confirmed"), shop.OrderIn(t, "cancelled")
	for _, p := range []shoptest.Placed{ready, also} {
		shop.Deliver(t, "ship-order", shop.Emitted(t, p.ID, "order.confirmed")[0])
	}
	page := staff.Get(t, "/office/orders?status=confirmed")
	require.Contains(t, page.Text, ready.OrderNumber)
	require.NotContains(t, page.Text, gone.OrderNumber)
	require.Contains(t, staff.Get(t, "/office/orders?q="+gone.OrderNumber).Text, "1 in all")

	slips := staff.Get(t, "/office/orders/slips?order="+ready.ID+"&order="+also.ID)
	require.Contains(t, slips.Text, ready.OrderNumber)
	require.Contains(t, slips.Text, shoptest.Cap)

	shown := staff.Post(t, "/office/orders/ship", "next", "/office/orders", "order", ready.ID, "order", gone.ID, "order", also.ID)
	require.Contains(t, shown.HTML, "2 shipped. These could not be: "+gone.OrderNumber)
	for _, p := range []shoptest.Placed{ready, also} {
		require.Len(t, shop.Emitted(t, p.ID, "shipment.moved"), 2, "through preparing to shipped")
	}
}

// ORD-32, ORD-49, WEB-39, WEB-52.
func TestAnOrderIsShownShippedAndAnnotated_WEB_39(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	placed := shop.OrderIn(t, "confirmed")
	shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
	path := "/office/orders/" + placed.ID
	page := staff.Get(t, path)
	for _, text := range []string{placed.OrderNumber, "Confirmed", "order.placed", "ORDER_REQUESTED", "reserve-stock", "Cancel the order"} {
		require.Contains(t, page.Text, text)
	}
	noted := staff.Post(t, path+"/note", "note", "gift <b>wrap</b>\nplease")
	require.Contains(t, noted.HTML, "gift &lt;b&gt;wrap&lt;/b&gt;")

	key := hidden(t, page, "idempotency_key")
	for range 2 { // a double click
		shipped := staff.Post(t, path+"/ship", "idempotency_key", key, "carrier", "DHL", "tracking_number", "JD014")
		require.Equal(t, path, shipped.Path)
		require.Contains(t, shipped.HTML, "Done.")
	}
	require.Len(t, shop.Emitted(t, placed.ID, "shipment.moved"), 2)
	shop.AwaitStatus(t, placed.ID, "shipped")
	require.Contains(t, staff.Get(t, path).Text, "DHL JD014")

	refused := staff.Post(t, path+"/cancel", "idempotency_key", "late", "reason", "too late")
	require.Equal(t, http.StatusUnprocessableEntity, refused.Status)
	require.Contains(t, refused.Text, "Please check one thing")
	moved := staff.Post(t, path+"/move", "idempotency_key", "on", "status", "in_transit", "location", "Hamburg", "description", "")
	require.Contains(t, moved.HTML, "Done.")
}

// WEB-51: a price is changed in the row, unless it has been changed meanwhile.
func TestAPriceIsChangedInItsRow_WEB_51(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	id := productID(t, shop, shoptest.Cap)
	change := func(was, price string) shoptest.Page {
		return staff.Post(t, "/office/products", "act", "price", "id", id, "was", was, "price", price, "next", "/office/products")
	}
	require.Contains(t, change("2400", "25.50").HTML, "has its new price")
	conflict := change("2400", "19.00")
	require.Equal(t, http.StatusPreconditionFailed, conflict.Status)
	require.Contains(t, conflict.Text, "€25.50")
	require.Contains(t, conflict.Text, "You typed 19.00")
	require.Contains(t, change("2550", "a lot").HTML, "This is not a price")
	require.EqualValues(t, 2550, shoptest.Scalar[int64](t, shop, `SELECT price_minor FROM catalogue.products WHERE product_id = $1`, id))
}

// WEB-51.
func TestManyProductsAreChangedAndUndone_WEB_51(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	first, second := productID(t, shop, shoptest.Cap), productID(t, shop, shoptest.Tee)
	bulk := func(pairs ...string) shoptest.Page {
		return staff.Post(t, "/office/products", append(pairs, "product", first, "product", second, "next", "/office/products")...)
	}
	prices := func() int64 {
		return shoptest.Scalar[int64](t, shop, `SELECT sum(price_minor)::bigint FROM catalogue.products WHERE product_id = ANY ($1::uuid[])`, []string{first, second})
	}
	require.Contains(t, bulk("act", "percent", "percent", "-10%").HTML, "2 products changed.")
	require.EqualValues(t, 2160+3510, prices())
	require.Contains(t, bulk("act", "percent", "percent", "half").HTML, "whole number of percent")
	require.EqualValues(t, 2160+3510, prices())
	require.Contains(t, bulk("act", "tag", "tag", "sale").HTML, "2 products changed.")

	require.Contains(t, bulk("act", "off").HTML, "2 products changed.")
	require.NotContains(t, staff.Get(t, "/office/products").Text, shoptest.Cap)
	require.Contains(t, staff.Get(t, "/office/products?view=off").Text, shoptest.Cap)
	require.Contains(t, bulk("act", "on").HTML, "2 products changed.")

	deleted := bulk("act", "delete")
	require.Contains(t, deleted.Text, "2 products are deleted. Undo")
	require.NotContains(t, deleted.Text, shoptest.Cap)
	require.Contains(t, bulk("act", "restore").Text, shoptest.Cap)
}

// WEB-33.
func TestAProductIsAddedAndChanged_WEB_33(t *testing.T) {
	t.Parallel()
	_, staff := open(t, token.Staff)
	empty := staff.Post(t, "/office/products/new", "name", "Straw <hat>", "price", "dear", "currency", "EUR")
	require.Equal(t, http.StatusUnprocessableEntity, empty.Status)
	require.Contains(t, empty.HTML, "Straw &lt;hat&gt;")
	added := staff.Post(t, "/office/products/new", "name", "Straw <hat>", "sku", "HAT-1", "price", "25.00", "currency", "EUR",
		"store_id", shoptest.TheStore, "tags", "summer, 夏、straw", "active", "on")
	require.Contains(t, added.Path, "/office/products/")
	require.Contains(t, added.HTML, "Straw &lt;hat&gt; is in the catalogue.")
	require.Contains(t, added.HTML, "summer, 夏, straw")

	etag := hidden(t, added, "etag")
	body := []string{"name", "Rush hat", "sku", "HAT-1", "price", "26.00", "currency", "EUR", "store_id", shoptest.TheStore, "etag", etag}
	require.Contains(t, staff.Post(t, added.Path, body...).HTML, "Saved.")
	stale := staff.Post(t, added.Path, append(body, "description", "typed")...)
	require.Equal(t, http.StatusPreconditionFailed, stale.Status)
	require.Contains(t, stale.HTML, "typed")

	variant := staff.Post(t, added.Path+"/variant", "variant_name", "red", "variant_sku", "HAT-1-RED", "variant_price", "27.00", "currency", "EUR")
	require.Contains(t, variant.Text, "red HAT-1-RED €27.00 0")
	require.Equal(t, http.StatusUnprocessableEntity, staff.Post(t, added.Path+"/variant", "variant_name", "", "variant_sku", "X").Status)
	require.Contains(t, staff.Post(t, added.Path+"/delete").Text, "is deleted. Undo")
}

// WEB-51: a table is checked first, and wrong rows stop no others.
func TestATableIsCheckedAndImported_WEB_51(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	table := "sku,name,description,price_minor,currency,category,tags,store,active\n" +
		"HAT-1,Hat,,2900,EUR,,,Tide & Thread,true\nHAT-2,Hat,,dear,EUR,,,Tide & Thread,true\nHAT-3,Cap,,900,EUR,,,Nowhere,true\n"
	checked := staff.Post(t, "/office/products/import", "table", table)
	require.Contains(t, checked.Text, "1 new 0 changed 0 as before 2 wrong")
	require.Contains(t, checked.Text, "3 price_minor is not a whole number")
	require.Contains(t, checked.Text, "4 store")
	count := `SELECT count(*) FROM catalogue.products WHERE sku LIKE 'HAT-%'`
	require.Zero(t, shoptest.CountOf(t, shop.Pool, count), "a check stores nothing")

	done := staff.Post(t, "/office/products/import", "table", table, "run", "1")
	require.Contains(t, done.Text, "Imported 1 new")
	require.EqualValues(t, 1, shoptest.CountOf(t, shop.Pool, count))
	require.Contains(t, staff.Post(t, "/office/products/import", "table", "a,b\n1,2\n").Text, "This is not such a table.")
}

// WEB-34.
func TestGoodsAreReceivedAndCounted_WEB_34(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	page := staff.Get(t, "/office/stock?q="+shoptest.Cap)
	require.Contains(t, page.Text, "CAP-NAVY Harbour 120 0 120")
	key := hidden(t, page, "idempotency_key")
	for range 2 {
		got := staff.Post(t, "/office/stock", "idempotency_key", key, "sku", shoptest.Cap, "quantity", "7", "warehouse_id", shoptest.Harbour)
		require.Contains(t, got.HTML, "7 of CAP-NAVY received; there are 127 now.")
	}
	wrong := staff.Post(t, "/office/stock", "idempotency_key", "w", "sku", "NOTHING", "quantity", "many", "warehouse_id", shoptest.Harbour)
	require.Equal(t, http.StatusUnprocessableEntity, wrong.Status)
	require.Contains(t, wrong.Text, "Please check 2 things")
	id := shoptest.Scalar[string](t, shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1`, shoptest.Cap)
	require.Contains(t, staff.Post(t, "/office/stock/"+id, "quantity", "125", "reason", "two are torn").HTML, "There are 125 now.")
	require.Contains(t, staff.Get(t, "/office/stock/"+id).Text, "corrected -2 two are torn")
}

// WEB-31, WEB-32.
func TestStoresAreKept_WEB_31(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	require.Contains(t, staff.Post(t, "/office/stores", "name", "Stall", "location", "Kiel").Text, "Stall Kiel open")
	require.Contains(t, staff.Post(t, "/office/stores", "name", " ", "location", "Kiel").Text, "Please check one thing")
	id := shoptest.Scalar[string](t, shop, `SELECT store_id::text FROM catalogue.stores WHERE name = 'Stall'`)
	path := "/office/stores/" + id
	require.Contains(t, staff.Post(t, path+"/close").Text, "Stall closed")
	require.Contains(t, staff.Post(t, path+"/open").Text, "Stall open")
	require.Contains(t, staff.Post(t, path, "name", "Shed", "location", "Lübeck").HTML, "Lübeck")
	require.NotContains(t, staff.Post(t, path+"/delete").Text, "Shed")
	require.Contains(t, staff.Get(t, "/office/stores/"+shoptest.TheStore).Text, shoptest.Cap)
}

// WEB-37.
func TestCustomersAreListed_WEB_37(t *testing.T) {
	t.Parallel()
	_, staff := open(t, token.Staff)
	require.Contains(t, staff.Get(t, "/office/customers?role=staff").Text, "Ada Byron")
	require.Contains(t, staff.Get(t, "/office/customers?q=nobody").Text, "There is no such customer")
}

// WEB-53.
func TestSettingsAreForAdmins_WEB_53(t *testing.T) {
	t.Parallel()
	shop, admin := open(t, token.Admin)
	page := admin.Get(t, "/office/settings")
	saved := admin.Post(t, "/office/settings", "etag", hidden(t, page, "etag"), "name", "月の店", "accent", "#aa3300", "currency", "JPY",
		"tagline.en", "Moons", "tagline.ja", "月")
	require.Contains(t, saved.HTML, "Saved.")
	require.Contains(t, saved.HTML, "月の店")
	wrong := admin.Post(t, "/office/settings", "etag", hidden(t, saved, "etag"), "name", "", "accent", "red", "currency", "EURO")
	require.Equal(t, http.StatusUnprocessableEntity, wrong.Status)
	require.Contains(t, wrong.HTML, "EURO")

	require.Contains(t, admin.Post(t, "/office/settings/texts/terms", "en.description", "Terms.\n\nMore.", "ja.description", "").Text, "Terms written")
	require.Contains(t, admin.Get(t, "/office/settings/texts/terms").HTML, "Terms.\n\nMore.")
	require.Contains(t, admin.Get(t, "/office/settings/audit").Text, "PUT /v1/texts/{kind}")

	person := shop.SignIn(t, token.Customer)
	email := shoptest.Scalar[string](t, shop, `SELECT email FROM accounts.users WHERE user_id = $1`, person.ID)
	require.Contains(t, admin.Post(t, "/office/settings/staff", "email", email, "role", "staff").Text, email+" Staff")
	require.Contains(t, admin.Post(t, "/office/settings/staff", "email", "nobody@example.test", "role", "staff").Text, "There is no account")

	made := admin.Post(t, "/office/settings/tokens", "name", "till", "scopes", "stock", "scopes", "orders")
	require.Contains(t, made.Text, "till can sign in with this id and secret")
	client := shoptest.Scalar[string](t, shop, `SELECT client_id::text FROM accounts.clients WHERE name = 'till'`)
	require.NotContains(t, admin.Post(t, "/office/settings/tokens", "delete", client).Text, client)
}

// WEB-41, WEB-52.
func TestTheEngineIsShown_WEB_52(t *testing.T) {
	t.Parallel()
	shop, admin := open(t, token.Admin)
	placed := shop.OrderIn(t, "confirmed")
	list := admin.Get(t, "/office/events?type=order.placed")
	require.Equal(t, "/office/engine", list.Path)
	page := admin.Get(t, "/office/engine?type=order.placed")
	require.Contains(t, page.Text, "order.placed ORDER_REQUESTED "+placed.ID[len(placed.ID)-8:])
	require.NotContains(t, page.Text, "payment.paid")
	require.Contains(t, page.HTML, `data-stream="/v1/events/stream?after=`)
	require.Contains(t, admin.Get(t, "/office/engine?order_id=nonsense").Text, "Please check one thing")
	require.Contains(t, admin.Get(t, "/office/engine/functions").Text, "reserve-stock order.placed")
	require.Contains(t, admin.Get(t, "/office/engine/flow?period=day").HTML, ">reserve-stock<")
	require.NotContains(t, admin.Get(t, "/office/engine/checks").HTML, `class="state bad"`)
	require.Contains(t, admin.Get(t, "/office/dead-letters").Text, "Nothing is stuck")
}

// WEB-51: how many there are is changed in the row, unless it has been changed meanwhile.
func TestStockIsChangedInItsRow_WEB_51(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	id := productID(t, shop, shoptest.Cap)
	shop.OrderIn(t, "confirmed") // holds one of 120
	change := func(was, available string) shoptest.Page {
		return staff.Post(t, "/office/products", "act", "stock", "id", id, "was", was, "available", available, "next", "/office/products")
	}
	onHand := func() int64 {
		return shoptest.Scalar[int64](t, shop, `SELECT sum(on_hand)::bigint FROM stock.levels WHERE sku = $1`, shoptest.Cap)
	}
	require.Contains(t, staff.Get(t, "/office/products").HTML, `name="available" value="119"`)
	require.Contains(t, change("119", "50").HTML, "CAP-NAVY: 50 to sell.")
	require.EqualValues(t, 51, onHand(), "what is held stays")
	conflict := change("119", "40")
	require.Equal(t, http.StatusPreconditionFailed, conflict.Status)
	require.Contains(t, conflict.Text, "to 50 meanwhile. You typed 40.")
	require.Contains(t, change("50", "some").HTML, "class=\"notice bad\"")
	require.EqualValues(t, 51, onHand())
	require.Contains(t, change("50", "0").HTML, "CAP-NAVY: 0 to sell.", "also none")
	several := staff.Post(t, "/office/products", "act", "stock", "id", productID(t, shop, shoptest.Tee), "was", "1", "available", "1")
	require.Equal(t, "/office/stock?product_id="+productID(t, shop, shoptest.Tee), several.Path)
}

// INS-19: an order's steps are a tree, or sorted by time, both ways; its events follow.
func TestStepsAreSortedBothWays_INS_19(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	path := "/office/orders/" + shop.OrderIn(t, "confirmed").ID
	starts := func(sort string) (times []int) {
		for _, row := range rowsOf(t, staff, path+"?sort="+sort) {
			ms, err := strconv.Atoi(row[2])
			require.NoError(t, err)
			times = append(times, ms)
		}
		return times
	}
	up, down := starts("start"), starts("-start")
	require.Greater(t, len(up), 4)
	require.True(t, slices.IsSorted(up), "%v", up)
	slices.Reverse(down)
	require.Equal(t, up, down)
	newest, oldest := staff.Get(t, path).Text, staff.Get(t, path+"?sort=start").Text
	require.Less(t, strings.Index(newest, "order.confirmed"), strings.Index(newest, "ORDER_REQUESTED"))
	require.Less(t, strings.Index(oldest, "ORDER_REQUESTED"), strings.Index(oldest, "order.confirmed"))
	require.Contains(t, staff.Get(t, path).HTML, `class="depth depth-2"`)
}

func TestStaffAdjustsPoints_PTS_13(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	ada := shop.SignIn(t, token.Customer)
	path := "/office/customers/" + ada.ID + "/points"
	require.Contains(t, staff.Get(t, "/office/customers").HTML, path)
	page := staff.Get(t, path)
	require.Equal(t, http.StatusOK, page.Status, page.Text)
	page = staff.Post(t, path, "key", hidden(t, page, "key"), "points", "50", "reason", "a late parcel")
	require.Contains(t, page.Text, "Available 50")
	require.Contains(t, page.Text, "Adjusted a late parcel")
	key := hidden(t, page, "key")
	for range 2 { // a double click
		page = staff.Post(t, path, "key", key, "points", "-20", "reason", "a mistake")
	}
	require.Contains(t, page.Text, "Available 30")
	page = staff.Post(t, path, "key", hidden(t, page, "key"), "points", "-31", "reason", "too much")
	require.Equal(t, http.StatusUnprocessableEntity, page.Status)
	require.Contains(t, page.HTML, `value="-31"`)
	require.Contains(t, page.Text, "fewer points")
	require.Equal(t, http.StatusUnprocessableEntity, staff.Post(t, path, "key", "x", "points", "many", "reason", "").Status)
}

// PAY-40: staff sees what differs between a provider's books and the shop's.
func TestDifferencesOfBooksAreListed_PAY_40(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	const path = "/office/payments/reconciliations"
	require.Contains(t, staff.Get(t, path).Text, "Nothing has been compared yet")
	paymentID := uuid.NewString()
	insert := func(provider, age, differences string) {
		shop.Exec(t, `
			INSERT INTO payments.reconciliations (reconciliation_id, provider, since, compared, differences, at)
			VALUES (gen_random_uuid(), $1, now(), 7, $3, now() - $2::interval)`, provider, age, differences)
	}
	insert("card", "2 hours", `[{"kind": "unknown", "provider_ref": "cs_old", "currency": "EUR", "ours": 0, "theirs": 100}]`)
	insert("card", "1 hour", `[{"kind": "unknown", "provider_ref": "cs_new", "currency": "EUR", "ours": 0, "theirs": 2400},
		{"kind": "received", "payment_id": "`+paymentID+`", "provider_ref": "cs_paid", "currency": "EUR", "ours": 0, "theirs": 1, "query": true}]`)
	insert("taler", "3 hours", `[]`)
	page := staff.Get(t, path)
	require.Contains(t, page.Text, "cs_new the shop has no such payment €0.00 €24.00")
	require.Contains(t, page.HTML, `href="/office/payments/`+paymentID+`"`)
	require.Contains(t, page.Text, "received €0.00 €0.01 yes")
	require.NotContains(t, page.Text, "cs_old", "the latest comparison of a provider counts")
}

// WEB-36: staff sees payments with their entries, and refunds a part.
func TestPaymentsAreListedAndRefunded_WEB_36(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	placed := shop.OrderIn(t, "delivered")
	list := staff.Get(t, "/office/payments?status=paid")
	require.Contains(t, list.Text, placed.OrderNumber)
	require.NotContains(t, staff.Get(t, "/office/payments?status=failed").Text, placed.OrderNumber)
	require.Contains(t, staff.Get(t, "/office/payments/suspense").Text, "No money in suspense")
	path := "/office/payments/" + shoptest.Scalar[string](t, shop, `SELECT payment_id::text FROM payments.payments WHERE order_id = $1`, placed.ID)
	page := staff.Get(t, path)
	require.Contains(t, page.Text, "At most €24.00.")
	for _, wrong := range []string{"", "many", "24.001", "24.01"} {
		page = staff.Post(t, path, "key", hidden(t, page, "key"), "amount", wrong, "reason", "a scratch")
		require.GreaterOrEqual(t, page.Status, http.StatusBadRequest, wrong)
		require.Contains(t, page.HTML, `value="a scratch"`, wrong)
	}
	page = staff.Post(t, path, "key", hidden(t, page, "key"), "amount", "4.00", "reason", "a scratch")
	require.Contains(t, page.HTML, "The refund is on its way.")
	require.Contains(t, page.Text, "€4.00 requested · a scratch")
	require.Contains(t, page.Text, "At most €20.00.")
	shop.Exec(t, `UPDATE payments.refunds SET status = 'failed'`)
	require.Contains(t, staff.Get(t, path).Text, "refused by the provider")
	page = staff.Post(t, path+"/retry", "refund", shoptest.Scalar[string](t, shop, `SELECT refund_id::text FROM payments.refunds`))
	require.Contains(t, page.Text, "€4.00 requested")
}
