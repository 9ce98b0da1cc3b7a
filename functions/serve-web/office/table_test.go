package office_test

import (
	"encoding/csv"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// lists are all lists of the office.
var lists = []string{
	"/office/orders", "/office/products", "/office/categories", "/office/stock", "/office/warehouses", "/office/holds",
	"/office/stores", "/office/stores/" + shoptest.TheStore, "/office/customers", "/office/delivery", "/office/reports", "/office/mails",
	"/office/engine/functions", "/office/engine/checks", "/office/engine/dead-letters", "/office/settings/staff", "/office/settings/tokens",
	"/office/settings/audit",
}

// full opens a shop in which every list has two rows or more.
func full(t *testing.T) (*shoptest.Shop, *shoptest.Visitor) {
	t.Helper()
	shop, admin := open(t, token.Admin)
	for range 2 {
		placed := shop.OrderIn(t, "confirmed")
		shop.Deliver(t, "ship-order", shop.Emitted(t, placed.ID, "order.confirmed")[0])
		shop.Exec(t, `INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by)
			VALUES (gen_random_uuid(), $1, 'payment_paid', 'failed', gen_random_uuid())`, placed.ID)
		shop.Exec(t, `INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, attempts, event)
			VALUES (gen_random_uuid()::text, 'order.placed', '/', 'ship-order', 'poison', 'it is broken', 1, '{}')`)
	}
	for _, name := range []string{"Stall", "Shed"} {
		admin.Post(t, "/office/stores", "name", name, "location", "Kiel")
		admin.Post(t, "/office/settings/tokens", "name", name, "scopes", "stock")
		admin.Post(t, "/office/categories", "name", name)
		admin.Post(t, "/office/holds", "sku", shoptest.Cap, "quantity", "1", "minutes", "5", "idempotency_key", name)
	}
	return shop, admin
}

var sortLink = regexp.MustCompile(`<th scope="col"[^>]*><a href="([^"]*sort=[^"]*)"`)

// WEB-08: each list is sorted by its headings, has pages of the size that is chosen, and is saved as it is sorted.
func TestListsAreSortedPagedAndSaved_WEB_08(t *testing.T) {
	t.Parallel()
	_, admin := full(t)
	for _, path := range lists {
		page := admin.Get(t, path)
		require.Equal(t, http.StatusOK, page.Status, path)
		for _, size := range []string{"5", "10", "25", "100"} {
			require.Contains(t, page.HTML, "size="+size+`"`, path)
		}
		sorts := sortLink.FindAllStringSubmatch(page.HTML, -1)
		require.NotEmpty(t, sorts, "%s can not be sorted", path)
		for _, sort := range sorts {
			at := strings.ReplaceAll(sort[1], "&amp;", "&")
			sorted := admin.Get(t, at)
			require.Equal(t, http.StatusOK, sorted.Status, at)
			require.Contains(t, sorted.HTML, `aria-sort="`, at)
			require.NotEmpty(t, rowsOf(t, admin, at), at)
		}
	}
}

// rowsOf returns the rows of the file of a list.
func rowsOf(t *testing.T, v *shoptest.Visitor, path string) [][]string {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	file := v.Get(t, path+separator+"as=csv")
	require.Equal(t, "text/csv; charset=utf-8", file.Header.Get("Content-Type"), path)
	require.Contains(t, file.Header.Get("Content-Disposition"), "attachment; filename=", path)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.HTML, "\ufeff"))).ReadAll()
	require.NoError(t, err, path)
	return rows[1:]
}

// WEB-08: both ways, by all rows and not by those of a page.
func TestAListIsSortedBothWays_WEB_08(t *testing.T) {
	t.Parallel()
	shop, admin := full(t)
	column := func(path string, n int) (cells []string) {
		for _, row := range rowsOf(t, admin, path) {
			cells = append(cells, row[n])
		}
		return cells
	}
	for path, of := range map[string]int{
		"/office/stores?sort=": 0, "/office/categories?sort=": 0, "/office/warehouses?sort=": 0, "/office/engine/functions?sort=": 0,
	} {
		up, down := column(path+"name", of), column(path+"-name", of)
		require.True(t, slices.IsSortedFunc(up, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }), "%v", up)
		slices.Reverse(down)
		require.Equal(t, up, down, path)
	}
	for path, of := range map[string]int{
		"/office/orders?sort=-created_at": 0, "/office/customers?sort=-email": 1, "/office/stock?sort=-sku": 0, "/office/mails?sort=-created_at": 4,
		"/office/settings/audit?sort=-at": 0, "/office/delivery?sort=-created_at": 0, "/office/holds?sort=-created_at": 0,
		"/office/engine/dead-letters?sort=-stored_at": 4,
	} {
		down := column(path, of)
		slices.Reverse(down)
		require.Equal(t, column(strings.Replace(path, "=-", "=", 1), of), down, path)
	}
	first := admin.Get(t, "/office/stock?sort=-available&size=5")
	most := shoptest.Scalar[int64](t, shop, `SELECT max(on_hand - reserved) FROM stock.levels`)
	require.Contains(t, first.Text, strconv.FormatInt(most, 10))
	second := admin.Get(t, "/office/stock?sort=-available&size=5&page=2")
	require.NotContains(t, second.Text, strconv.FormatInt(most, 10))
	require.Contains(t, second.HTML, "size=5&amp;sort=-available", "the next page is sorted too")
}

// WEB-08: what customers and staff typed is text for a spreadsheet, in every list.
func TestAFileRunsNoFormulas_WEB_08(t *testing.T) {
	t.Parallel()
	shop, admin := open(t, token.Admin)
	evil := "=cmd|'/c calc'!A1"
	admin.Post(t, "/office/stores", "name", evil, "location", "@SUM(A1)")
	admin.Post(t, "/office/warehouses", "name", "+1+cmd|' /c'!A0", "location", "-2+3+cmd")
	admin.Post(t, "/office/categories", "name", evil)
	admin.Post(t, "/office/settings/tokens", "name", evil, "scopes", "stock")
	placed := shop.OrderIn(t, "confirmed")
	shop.Exec(t, `UPDATE orders.addresses SET name = $2 WHERE order_id = $1`, placed.ID, evil)
	shop.Exec(t, `UPDATE accounts.users SET name = $1`, evil)
	shop.Exec(t, `UPDATE catalogue.products SET name = $2 WHERE sku = $1`, shoptest.Cap, evil)
	for path, want := range map[string]string{
		"/office/stores": "'" + evil, "/office/warehouses": "'+1+cmd|' /c'!A0", "/office/categories": "'" + evil,
		"/office/settings/tokens": "'" + evil, "/office/orders": "'" + evil, "/office/customers": "'" + evil,
		"/office/settings/staff": "'" + evil, "/office/stores/" + shoptest.TheStore: "'" + evil,
	} {
		rows := rowsOf(t, admin, path)
		require.True(t, slices.ContainsFunc(rows, func(row []string) bool { return slices.Contains(row, want) }), "%s: %v", path, rows)
		for _, cell := range slices.Concat(rows...) {
			require.NotRegexp(t, `^[=@\t\r]|^[+-].*[a-z|!]`, cell, path)
		}
	}
}

// WEB-08: a file has all rows that the filters select, not those of one page.
func TestAFileHasAllRows_WEB_08(t *testing.T) {
	t.Parallel()
	shop, admin := open(t, token.Admin)
	for n := range 104 {
		shop.Exec(t, `INSERT INTO stock.warehouses (warehouse_id, name) VALUES (gen_random_uuid(), 'W' || $1::int)`, n)
		shop.Exec(t, `INSERT INTO accounts.guests (guest_id, name, phone) VALUES (gen_random_uuid(), 'G' || $1::int, '+4940' || (100000 + $1::int))`, n)
	}
	require.Len(t, rowsOf(t, admin, "/office/warehouses?size=5&page=2"), 107)
	require.Len(t, rowsOf(t, admin, "/office/customers?role=guest&size=5"), 104)
	require.Len(t, rowsOf(t, admin, "/office/customers?role=staff"), 0)
}
