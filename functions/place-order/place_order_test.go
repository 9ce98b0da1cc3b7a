package placeorder_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
)

const name = "place-order"

func open(t *testing.T, change ...func(*functions.Settings)) *shoptest.Shop {
	return shoptest.Open(t, functions.All, change...)
}

// post sends an order without waiting for its outcome.
func post(t *testing.T, shop *shoptest.Shop, body any, headers ...string) shoptest.Response {
	t.Helper()
	headers = append([]string{"Prefer", "wait=0", "Idempotency-Key", uuid.NewString()}, headers...)
	return shop.Call(t, name, http.MethodPost, "/v1/orders", body, headers...)
}

func order() shoptest.Body { return shoptest.Order(shoptest.Of(shoptest.Cap, 2)) }

// rows counts the rows of all tables.
func rows(t *testing.T, shop *shoptest.Shop) int64 {
	return shoptest.Scalar[int64](t, shop, `
		SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint)::bigint
		FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
}

// ORD-01.
func TestResponseShowsTheOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	a := post(t, shop, order())
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.Equal(t, "/v1/orders/"+a.Body["id"].(string), a.Header.Get("Location"))
	require.Regexp(t, `^ORD-\d{8}-[2-9A-HJ-NP-Z]{6}$`, a.Body["order_number"])
	require.Equal(t, "pending", a.Body["status"])
	require.NotEmpty(t, a.Body["order_token"])
	require.Equal(t, map[string]any{"amount_minor": 4800.0, "currency": "EUR"}, a.Body["total"])
	line := a.Body["lines"].([]any)[0].(map[string]any)
	require.Equal(t, shoptest.Cap, line["sku"])
	require.Equal(t, "Harbour cap", line["product_name"])
	require.Equal(t, "Tide & Thread", line["store_name"])
	require.Equal(t, 2.0, line["quantity"])
}

// ORD-12.
func TestOrderPlacedIsEmittedWithTheRow(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, order())
	require.Len(t, shop.Emitted(t, placed.ID, "order.placed"), 1)
	got := shop.Broker.Published()
	require.Len(t, got, 1)
	require.Equal(t, placed.ID, got[0].Subject)
	require.Equal(t, "/functions/place-order", got[0].Source)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), placed.Deadline, time.Minute)
	require.False(t, placed.Delayed)
}

// change makes one thing of an order wrong.
type change func(shoptest.Body) shoptest.Body

func with(field string, value any) change {
	return func(b shoptest.Body) shoptest.Body { return b.With(field, value) }
}

// in changes a field of the address or the contact.
func in(part, field string, value any) change {
	return func(b shoptest.Body) shoptest.Body {
		if b[part].(map[string]any)[field] = value; value == nil {
			delete(b[part].(map[string]any), field)
		}
		return b
	}
}

func lines(items ...map[string]any) change { return with("lines", items) }

func japan(field string, value any) change {
	return func(b shoptest.Body) shoptest.Body {
		b["address"] = map[string]any{
			"name": "紫", "phone": "03-1234-5678", "country": "JP", "postal_code": "104-0045", "prefecture": "Tokyo",
			"city": "中央区", "address_line1": "築地1",
		}
		return in("address", field, value)(b)
	}
}

// wrong lists orders with one error each, by the field that the response names.
var wrong = map[string]struct {
	change
	field string
}{
	"no lines":                    {with("lines", nil), "lines"},
	"empty lines":                 {with("lines", []string{}), "lines"},
	"lines that are null":         {with("lines", json.RawMessage("null")), "lines"},
	"unknown SKU":                 {lines(map[string]any{"sku": "NO-SUCH", "quantity": 1}), "lines[0]"},
	"unknown product":             {lines(map[string]any{"product_id": uuid.NewString(), "quantity": 1}), "lines[0]"},
	"product id that is none":     {lines(map[string]any{"product_id": "seven", "quantity": 1}), "lines[0].product_id"},
	"product id of another form":  {lines(map[string]any{"product_id": "urn:uuid:01900000-0000-7000-8000-000000000102", "quantity": 1}), "lines[0].product_id"},
	"product and SKU":             {lines(map[string]any{"product_id": uuid.NewString(), "sku": shoptest.Cap, "quantity": 1}), "lines[0]"},
	"neither product nor SKU":     {lines(map[string]any{"quantity": 1}), "lines[0]"},
	"quantity 0":                  {lines(map[string]any{"sku": shoptest.Cap, "quantity": 0}), "lines[0].quantity"},
	"quantity -1":                 {lines(map[string]any{"sku": shoptest.Cap, "quantity": -1}), "lines[0].quantity"},
	"quantity 100":                {lines(map[string]any{"sku": shoptest.Cap, "quantity": 100}), "lines[0].quantity"},
	"quantity 1.5":                {lines(map[string]any{"sku": shoptest.Cap, "quantity": 1.5}), "lines[0].quantity"},
	"quantity as text":            {lines(map[string]any{"sku": shoptest.Cap, "quantity": "1"}), "lines[0].quantity"},
	"no quantity":                 {lines(map[string]any{"sku": shoptest.Cap}), "lines[0].quantity"},
	"a price":                     {lines(map[string]any{"sku": shoptest.Cap, "quantity": 1, "unit_price_minor": 1}), "lines[0].unit_price_minor"},
	"a field we do not know":      {with("discount", 100), "discount"},
	"nothing but one empty field": {func(shoptest.Body) shoptest.Body { return shoptest.Body{"payment_method": ""} }, "lines"},
	"no payment method":           {with("payment_method", nil), "payment_method"},
	"unknown payment method":      {with("payment_method", "bitcoin"), "payment_method"},
	"two currencies":              {lines(map[string]any{"sku": shoptest.Cap, "quantity": 1}, map[string]any{"sku": shoptest.Cup, "quantity": 1}), "lines[1]"},
	"locale that is none":         {with("locale", "en\r\nBcc: x"), "locale"},
	"no address and no pickup":    {with("address", nil), "address"},
	"address and pickup":          {with("pickup", map[string]string{"store_id": shoptest.TheStore}), "address"},
	"pickup in no store": {func(b shoptest.Body) shoptest.Body {
		return b.With("address", nil).With("pickup", map[string]string{"store_id": uuid.NewString()})
	}, "pickup.store_id"},
	"no name":                  {in("address", "name", " "), "address.name"},
	"no phone":                 {in("address", "phone", nil), "address.phone"},
	"phone that is none":       {in("address", "phone", "call me"), "address.phone"},
	"no city":                  {in("address", "city", ""), "address.city"},
	"no street":                {in("address", "address_line1", ""), "address.address_line1"},
	"country that is none":     {in("address", "country", "XX"), "address.country"},
	"name on two lines":        {in("address", "name", "A\nB"), "address.name"},
	"postal code of elsewhere": {in("address", "postal_code", "104-0045"), "address.postal_code"},
	"Japan without prefecture": {japan("prefecture", nil), "address.prefecture"},
	"unknown prefecture":       {japan("prefecture", "Bavaria"), "address.prefecture"},
	"guest without contact":    {with("contact", nil), "contact"},
	"guest without name":       {in("contact", "name", "\t"), "contact.name"},
	"mail that is none":        {in("contact", "email", "ada"), "contact.email"},
	"mail with a second one":   {in("contact", "email", "ada@example.test, eve@example.test"), "contact.email"},
	"mail with a name":         {in("contact", "email", "Ada <ada@example.test>"), "contact.email"},
	"mail with a line break":   {in("contact", "email", "ada@example.test\r\nBcc: eve@example.test"), "contact.email"},
	"guest's phone":            {in("contact", "phone", "+"), "contact.phone"},
	"expected in no currency":  {with("expected_total", map[string]any{"amount_minor": 4800, "currency": "XXQ"}), "expected_total.currency"},
}

// ORD-02, ORD-03, ORD-04, ORD-05.
func TestEachErrorNamesItsField(t *testing.T) {
	t.Parallel()
	shop := open(t)
	before := rows(t, shop)
	for fault, c := range wrong {
		a := post(t, shop, c.change(order()))
		require.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", fault, a.Raw)
		require.Equal(t, "/problems/invalid", a.Body["type"], fault)
		require.Contains(t, a.Fields(), c.field, "%s: %s", fault, a.Raw)
	}
	require.Equal(t, before, rows(t, shop))
	require.Empty(t, shop.Broker.Published())
}

// API-95.
func TestAllErrorsAreReturned(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := in("address", "city", "")(in("contact", "email", "no")(order().With("payment_method", "bitcoin").With("adress", 1)))
	require.ElementsMatch(t, []string{"adress", "address.city", "contact.email", "payment_method"}, post(t, shop, body).Fields())
}

// NOT-19.
func TestLanguageOfTheOrderIsThatOfTheCaller(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for header, want := range map[string]string{
		"": "en", "ja": "ja", "de-DE,de;q=0.9,ja;q=0.5": "de-DE", "en;q=0.3, ja;q=0.8": "ja", "*": "en", "nonsense!": "en", "x-" + strings.Repeat("y", 200): "en",
	} {
		id := post(t, shop, order(), "Accept-Language", header).Body["id"]
		require.Equal(t, want, shoptest.Scalar[string](t, shop, `SELECT locale FROM orders.orders WHERE order_id = $1`, id), header)
	}
	id := post(t, shop, order().With("locale", "fr"), "Accept-Language", "ja").Body["id"]
	require.Equal(t, "fr", shoptest.Scalar[string](t, shop, `SELECT locale FROM orders.orders WHERE order_id = $1`, id))
}

// ACC-40, ACC-39: what people write in many ways is stored in one.
func TestAddressAndContactAreStoredInOneForm(t *testing.T) {
	t.Parallel()
	shop := open(t)
	body := order().With("address", map[string]any{
		"name": " Ada\u3000", "phone": "（０３）１２３４－５６７８", "country": "jp", "postal_code": "〒１００ー０００１", "region": "東京都", "city": "千代田区", "address_line1": "1-1 ",
	}).With("contact", map[string]any{"name": "Ada ", "email": " Ada@BÜCHER.example ", "phone": "(555) 123-4567"})
	a := post(t, shop, body)
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.Equal(t, "Ada/(03)1234-5678/JP/100-0001/Tokyo//千代田区/1-1/Ada@xn--bcher-kva.example", shoptest.Scalar[string](t, shop, `
		SELECT concat_ws('/', name, phone, country, postal_code, prefecture, region, city, address_line1, email)
		FROM orders.addresses WHERE order_id = $1`, a.Body["id"]))
	hongKong := map[string]any{"name": "Ada", "phone": "2345 6789", "country": "HK", "region": "九龍", "address_line1": "1 Nathan Road"}
	a = post(t, shop, order().With("address", hongKong))
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.Equal(t, "Kowloon", a.Body["address"].(map[string]any)["region"])
}

// Postgres can't store a NUL. It is a mistake of the caller.
func TestNULIsABadRequest(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for at, body := range map[string]shoptest.Body{
		"name": in("address", "name", "A\x00B")(order()),
		"sku":  lines(map[string]any{"sku": "A\x00", "quantity": 1})(order()),
		"city": in("address", "city", "\x00")(order()),
	} {
		require.Equal(t, http.StatusBadRequest, post(t, shop, body).Status, at)
	}
}

// ORD-06, ORD-08.
func TestTotalsComeFromTheCatalogue(t *testing.T) {
	t.Parallel()
	shop := open(t)
	priced := func(sku string, price int64) shoptest.Item {
		shop.Exec(t, `
			INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
			VALUES (gen_random_uuid(), $1, $2, 'Priced', $3, 'JPY')`, shoptest.TheStore, sku, price)
		return shoptest.Of(sku, 1)
	}
	for what, c := range map[string]struct {
		items                []shoptest.Item
		subtotal, tax, total int64
	}{
		"euros, no tax":                     {[]shoptest.Item{shoptest.Of(shoptest.Tee, 3), shoptest.Of(shoptest.Cap, 2)}, 16500, 0, 16500},
		"1,000 yen":                         {[]shoptest.Item{priced("YEN-1000", 1000)}, 1000, 100, 1100},
		"1,009 yen: tax is rounded down":    {[]shoptest.Item{priced("YEN-1009", 1009)}, 1009, 100, 1109},
		"once per order, not once per line": {[]shoptest.Item{priced("YEN-5", 5), priced("YEN-6", 5)}, 10, 1, 11},
	} {
		placed := shop.Place(t, shoptest.Order(c.items...))
		require.Equal(t, []int64{c.subtotal, 0, c.tax, 0, c.total},
			[]int64{placed.SubtotalMinor, placed.DeliveryFeeMinor, placed.TaxMinor, placed.DiscountMinor, placed.TotalMinor}, what)
	}
}

// ORD-07.
func TestUnexpectedTotalIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	expected := func(minor int64, currency string) shoptest.Body {
		return order().With("expected_total", map[string]any{"amount_minor": minor, "currency": currency})
	}
	before := rows(t, shop)
	for _, body := range []shoptest.Body{expected(4799, "EUR"), expected(4800, "USD")} {
		a := post(t, shop, body)
		require.Equal(t, http.StatusConflict, a.Status)
		require.Equal(t, "/problems/total-changed", a.Body["type"])
		require.Equal(t, map[string]any{"amount_minor": 4800.0, "currency": "EUR"}, a.Body["total"])
	}
	require.Equal(t, before, rows(t, shop))
	require.Equal(t, http.StatusAccepted, post(t, shop, expected(4800, "EUR")).Status)
}

// CAT-27.
func TestProductsNotOnSaleAreRejected(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]string{
		"off sale":     `UPDATE catalogue.products SET active = false WHERE sku = 'CAP-NAVY'`,
		"deleted":      `UPDATE catalogue.products SET deleted_at = now() WHERE sku = 'CAP-NAVY'`,
		"store closed": `UPDATE catalogue.stores SET participating = false`,
	} {
		shop := open(t)
		shop.Exec(t, end)
		a := post(t, shop, order())
		require.Equal(t, http.StatusConflict, a.Status, how)
		require.Equal(t, "/problems/not-on-sale", a.Body["type"], how)
		require.Equal(t, shoptest.Cap, a.Body["lines"].([]any)[0].(map[string]any)["sku"], how)
	}
}

// CAT-27: an order is picked up in a store that takes part, and in no other.
func TestPickupIsInAStoreThatParticipates_CAT_27(t *testing.T) {
	t.Parallel()
	shop := open(t)
	closed := uuid.NewString()
	shop.Exec(t, `
		INSERT INTO catalogue.stores (store_id, name, location, warehouse_id, participating)
		SELECT $1, name, location, warehouse_id, false FROM catalogue.stores WHERE store_id = $2`, closed, shoptest.TheStore)
	in := func(storeID string) shoptest.Body {
		return order().With("address", nil).With("pickup", map[string]string{"store_id": storeID})
	}
	before := rows(t, shop)
	a := post(t, shop, in(closed))
	require.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
	require.Equal(t, []string{"pickup.store_id"}, a.Fields())
	require.Equal(t, before, rows(t, shop))
	require.Equal(t, []string{"/problems/invalid pickup.store_id"}, problems(t, quote(t, shop, in(closed))))

	require.Empty(t, problems(t, quote(t, shop, in(shoptest.TheStore))))
	require.Equal(t, http.StatusAccepted, post(t, shop, in(shoptest.TheStore)).Status)
}

// ORD-13.
func TestSameKeyIsOneOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	key := []string{"Idempotency-Key", "one"}
	first := post(t, shop, order(), key...)
	again := post(t, shop, order(), key...)
	require.Equal(t, []any{first.Body["id"], first.Body["order_token"], "true"},
		[]any{again.Body["id"], again.Body["order_token"], again.Header.Get("Idempotency-Replayed")})
	require.Empty(t, first.Header.Get("Idempotency-Replayed"))

	require.Equal(t, http.StatusUnprocessableEntity,
		post(t, shop, shoptest.Order(shoptest.Of(shoptest.Cap, 3)), key...).Status)
	require.Equal(t, http.StatusBadRequest, post(t, shop, order(), "Idempotency-Key", "").Status)
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.orders`))
}

// ORD-13.
func TestReplayShowsTheCurrentOrder(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" })
	a := post(t, shop, order(), "Idempotency-Key", "one")
	shop.AwaitStatus(t, a.Body["id"].(string), "confirmed")
	again := post(t, shop, order(), "Idempotency-Key", "one")
	require.Equal(t, http.StatusCreated, again.Status)
	require.Equal(t, "confirmed", again.Body["status"])
}

// ORD-13.
func TestConcurrentRequestsWithOneKeyAreOneOrder(t *testing.T) {
	t.Parallel()
	shop := open(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if status := post(t, shop, order(), "Idempotency-Key", "one").Status; status != http.StatusAccepted &&
				status != http.StatusConflict {
				t.Errorf("answered %d", status)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM orders.orders`))
	require.EqualValues(t, 1, shoptest.Scalar[int64](t, shop, `SELECT count(*) FROM bus.event`))
}

func TestRejectedOrderLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	shop := open(t)
	require.Equal(t, http.StatusBadRequest, post(t, shop, order().With("payment_method", "bitcoin"), "Idempotency-Key",
		"one").Status)
	require.Equal(t, http.StatusAccepted, post(t, shop, order(), "Idempotency-Key", "one").Status)
}

// ORD-11.
func TestFailureBetweenInsertsLeavesNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `ALTER TABLE orders.addresses ADD CONSTRAINT broken CHECK (false) NOT VALID`)
	before := rows(t, shop)
	a := post(t, shop, order())
	require.Equal(t, http.StatusInternalServerError, a.Status)
	require.NotContains(t, a.Raw, "broken", "what went wrong is ours to know")
	require.Equal(t, before, rows(t, shop))
	require.Empty(t, shop.Broker.Published())
}

// ORD-15.
func TestOrderNumbersAreRandom(t *testing.T) {
	t.Parallel()
	shop := open(t)
	seen := map[string]bool{}
	for range 20 {
		placed := shop.Place(t, order())
		require.Regexp(t, `^ORD-\d{8}-[0-9A-Z]{6}$`, placed.OrderNumber)
		require.False(t, seen[placed.OrderNumber])
		seen[placed.OrderNumber] = true
	}
}

func TestOrderTokenIsNotStored(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, order())
	require.False(t, shoptest.Scalar[bool](t, shop, `
		SELECT bool_or(o::text LIKE '%' || $1 || '%') FROM orders.orders o`, placed.Token))
	for _, m := range shop.Emitted(t, placed.ID, "order.placed") {
		for _, private := range []string{placed.Token, "ada@example.test", "Ada", "1234567", "Kai 1"} {
			require.NotContains(t, string(m.Data), private)
		}
	}
}

// ORD-26.
func TestLongestCheckDelayCounts(t *testing.T) {
	t.Parallel()
	shop := open(t, func(s *functions.Settings) { s.StockCheckDelay, s.PaymentCheckDelay = 5*time.Second, 15*time.Second })
	placed := shop.Place(t, order())
	now := placed.StockCheckAt.Add(-5 * time.Second)
	require.Equal(t, []time.Time{now.Add(15 * time.Second), now.Add(15*time.Second + 30*time.Minute)},
		[]time.Time{placed.PaymentCheckAt, placed.Deadline})
	require.True(t, shop.Broker.Published()[0].Delayed, "keep-time is woken")

	shop.Exec(t, `UPDATE catalogue.stores SET check_delay = '20 s' WHERE store_id = $1`, shoptest.TheStore)
	placed = shop.Place(t, order())
	require.Equal(t, placed.StockCheckAt, placed.PaymentCheckAt, "no payment is checked before the stock")
	require.Equal(t, 20*time.Second, shoptest.Scalar[time.Duration](t, shop, `
		SELECT stock_check_at - created_at FROM orders.orders WHERE order_id = $1`, placed.ID))
}

// placing posts an order whose caller waits for the outcome, and delivers its events meanwhile.
func placing(t *testing.T, shop *shoptest.Shop, body shoptest.Body) shoptest.Response {
	t.Helper()
	answered := make(chan shoptest.Response, 1)
	go func() { answered <- post(t, shop, body, "Prefer", "wait=10") }()
	var id string
	require.Eventually(t, func() bool {
		return shop.Pool.QueryRow(t.Context(), `SELECT order_id::text FROM orders.orders`).Scan(&id) == nil
	}, 10*time.Second, 5*time.Millisecond)
	shop.AwaitStatus(t, id, "")
	return <-answered
}

// STK-20, ORD-09: the lines of a losing order.
func TestWaitingCallerGetsTheOutcome(t *testing.T) {
	t.Parallel()
	t.Run("confirmed", func(t *testing.T) {
		t.Parallel()
		a := placing(t, open(t, func(s *functions.Settings) { s.SimulatedSuccess, s.Shipping = 1, "manual" }), order())
		require.Equal(t, http.StatusCreated, a.Status, a.Raw)
		require.Equal(t, "confirmed", a.Body["status"], a.Raw)
	})
	t.Run("out of stock", func(t *testing.T) {
		t.Parallel()
		shop := open(t)
		shop.SetStock(t, shoptest.Cap, shoptest.Harbour, 1)
		a := placing(t, shop, order())
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/out-of-stock", a.Body["type"])
		require.Equal(t, []any{map[string]any{"sku": shoptest.Cap, "store_id": shoptest.TheStore, "requested": 2.0, "available": 1.0}}, a.Body["lines"])
	})
	t.Run("payment refused", func(t *testing.T) {
		t.Parallel()
		a := placing(t, open(t, func(s *functions.Settings) { s.SimulatedSuccess = 0 }), order())
		require.Equal(t, http.StatusConflict, a.Status, a.Raw)
		require.Equal(t, "/problems/payment-refused", a.Body["type"])
		require.Equal(t, "payment_failed", a.Body["reason"])
	})
}

func TestHundredLinesFitIntoAnEvent(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Exec(t, `UPDATE catalogue.products SET name = repeat('湯', 60) WHERE sku = $1`, shoptest.Cup)
	items := make([]shoptest.Item, 100)
	for i := range items {
		items[i] = shoptest.Of(shoptest.Cup, 99)
	}
	placed := shop.Place(t, shoptest.Order(items...))
	require.Len(t, placed.Lines, 100)
	data, err := json.Marshal(placed.OrderPlaced)
	require.NoError(t, err)
	require.Less(t, len(data), 64<<10)
	require.Equal(t, http.StatusBadRequest, post(t, shop, shoptest.Order(append(items, items[0])...)).Status)
}

func TestTooLargeBodyIsRejected(t *testing.T) {
	t.Parallel()
	a := post(t, open(t), order().With("locale", strings.Repeat("x", 70<<10)))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.Status, fmt.Sprint(a.Body))
}

func TestContactComesFromTheAccount(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, guest := shop.SignIn(t, "customer"), shop.SignIn(t, "guest")
	a := post(t, shop, order().With("contact", nil), "Authorization", ada.Bearer)
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.Equal(t, ada.ID, a.Body["customer_id"], a.Raw)
	require.Nil(t, a.Body["order_token"], a.Raw)
	require.Equal(t, ada.Email, shoptest.Scalar[string](t, shop, `SELECT email FROM orders.addresses`))
	require.Equal(t, []string{"contact"}, post(t, shop, order().With("contact", nil), "Authorization",
		guest.Bearer).Fields())
	a = post(t, shop, order(), "Authorization", guest.Bearer)
	require.Equal(t, guest.ID, a.Body["customer_id"], a.Raw)
	require.NotEmpty(t, a.Body["order_token"], "guests have a token too")
}

func TestCustomerIDInTheBodyIsRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := shop.SignIn(t, "customer")
	for _, field := range []string{"customer_id", "order_id", "status", "order_token", "total_minor"} {
		require.Equal(t, []string{field}, post(t, shop, order().With(field, uuid.NewString()), "Authorization",
			ada.Bearer).Fields())
	}
}

func TestOneKeyOfTwoCustomersIsTwoOrders(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	one := post(t, shop, order(), "Authorization", ada.Bearer, "Idempotency-Key", "k")
	two := post(t, shop, order(), "Authorization", eve.Bearer, "Idempotency-Key", "k")
	require.Equal(t, http.StatusAccepted, two.Status, two.Raw)
	require.NotEqual(t, one.Body["id"], two.Body["id"])
	again := post(t, shop, order(), "Authorization", ada.Bearer, "Idempotency-Key", "k")
	require.Equal(t, one.Body["id"], again.Body["id"])
	require.Equal(t, "true", again.Header.Get("Idempotency-Replayed"))
}

// save puts an address into a user's address book.
func save(t *testing.T, shop *shoptest.Shop, userID, city string) (addressID string) {
	t.Helper()
	return shoptest.Scalar[string](t, shop, `
		INSERT INTO accounts.addresses (address_id, user_id, name, phone, country, postal_code, prefecture, region, city, address_line1, address_line2)
		VALUES (gen_random_uuid(), $1, 'Ada at work', '+49 421 7654321', 'DE', '28195', '', '', $2, 'Domshof 1', '')
		RETURNING address_id::text`, userID, city)
}

// API-39
func TestOrderGoesToAnAddressOfTheAddressBook(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada := shop.SignIn(t, "customer")
	saved := save(t, shop, ada.ID, "Bremen")
	a := post(t, shop, order().With("address", nil).With("address_id", saved), "Authorization", ada.Bearer)
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	to := a.Body["address"].(map[string]any)
	require.Equal(t, "Ada at work", to["name"])
	require.Equal(t, "+49 421 7654321", to["phone"])
	require.Equal(t, "28195", to["postal_code"])
	require.Equal(t, "Bremen", to["city"])
	require.Equal(t, "Domshof 1", to["address_line1"])
	shop.Exec(t, `UPDATE accounts.addresses SET city = 'Hamburg'`)
	require.Equal(t, "Bremen", shoptest.Scalar[string](t, shop, `SELECT city FROM orders.addresses`),
		"the order keeps it as it was")
}

// API-39, ACC-21: not even staff can order to another user's address by its id.
func TestAddressesOfOthersAreRejected(t *testing.T) {
	t.Parallel()
	shop := open(t)
	ada, eve := shop.SignIn(t, "customer"), shop.SignIn(t, "customer")
	saved := save(t, shop, ada.ID, "Bremen")
	others := map[string]string{"another": eve.Bearer, "staff": shop.Staff(t), "a guest": shop.SignIn(t, "guest").Bearer, "a visitor": ""}
	before := rows(t, shop)
	for who, bearer := range others {
		a := post(t, shop, order().With("address", nil).With("address_id", saved), "Authorization", bearer)
		require.Equal(t, http.StatusBadRequest, a.Status, who)
		require.Equal(t, []string{"address_id"}, a.Fields(), who)
		require.NotContains(t, a.Raw, "Bremen")
	}
	for _, wrong := range []shoptest.Body{order().With("address", nil).With("address_id", "x"), order().With("address", nil).With("address_id", uuid.NewString())} {
		require.Equal(t, []string{"address_id"}, post(t, shop, wrong, "Authorization", ada.Bearer).Fields())
	}
	require.Equal(t, []string{"address"}, post(t, shop, order().With("address_id", saved), "Authorization",
		ada.Bearer).Fields(), "two of them")
	require.Equal(t, before, rows(t, shop))
}

// An order whose event would be too large is rejected with the field that makes it so, and nothing is stored.
func TestOrderWithATooLargeEventIsRejected(t *testing.T) {
	t.Parallel()
	for what, name := range map[string]string{
		"160 Japanese letters": strings.Repeat("商", 160), "letters that JSON escapes": strings.Repeat("<", 100),
	} {
		shop := open(t)
		shop.Exec(t, `UPDATE catalogue.products SET name = $2 WHERE sku = $1`, shoptest.Cap, name)
		before := rows(t, shop)
		hundred := order().With("lines", slices.Repeat([]map[string]any{{"sku": shoptest.Cap, "quantity": 1}}, 100))
		a := post(t, shop, hundred)
		require.Equal(t, http.StatusUnprocessableEntity, a.Status, what)
		require.Equal(t, "/problems/too-large-to-store", a.Body["type"], what)
		require.Equal(t, []string{"lines"}, a.Fields(), what)
		require.Equal(t, before, rows(t, shop), what)

		few := order().With("lines", slices.Repeat([]map[string]any{{"sku": shoptest.Cap, "quantity": 1}}, 50))
		require.Equal(t, http.StatusAccepted, post(t, shop, few).Status, what)
	}
}
