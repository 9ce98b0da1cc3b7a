package serveorders_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
)

func numbers(t *testing.T, a shoptest.Response) (found []string) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	found = []string{}
	for _, item := range items(a) {
		found = append(found, item["order_number"].(string))
	}
	return found
}

// API-40: each filter selects, alone and with others.
func TestFiltersSelectOrders(t *testing.T) {
	t.Parallel()
	shop := open(t)
	euro := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	yen := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 1)).With("contact", map[string]any{
		"name": "Grace Hopper", "email": "grace@example.test", "phone": "(555) 123-4567",
	}).With("address", map[string]any{
		"name": "Grace Hopper", "phone": "(555) 123-4567", "country": "US", "postal_code": "10001", "city": "NY", "address_line1": "1",
	}))
	store := yen.Lines[0].StoreID
	staff := []string{"Authorization", shop.Staff(t)}
	both := []string{euro.OrderNumber, yen.OrderNumber}
	for query, want := range map[string][]string{
		"":                                 both,
		"number=" + yen.OrderNumber:        {yen.OrderNumber},
		"method=simulated":                 both,
		"method=card":                      {},
		"status=pending":                   both,
		"status=shipped":                   {},
		"store_id=" + store:                {yen.OrderNumber},
		"store_id=" + uuid.NewString():     {},
		"from=2026-01-01":                  both,
		"from=2126-01-01":                  {},
		"to=2126-01-01":                    both,
		"to=2026-01-01":                    {},
		"from=2026-01-01T00:00:00%2B09:00": both,
		"q=hopper":                         {yen.OrderNumber},
		"q=GRACE@example":                  {yen.OrderNumber},
		"q=123-45":                         {yen.OrderNumber},
		"q=" + strings.ToLower(yen.OrderNumber[4:]): {yen.OrderNumber},
		"q=nobody":            {},
		"q=%25":               {},
		"q=grace&method=card": {},
	} {
		require.ElementsMatch(t, want, numbers(t, get(t, shop, "/v1/orders?"+query, staff...)), query)
	}
	for _, query := range []string{"from=yesterday", "to=2026-13-01", "from=1"} {
		a := get(t, shop, "/v1/orders?"+query, staff...)
		require.Equal(t, http.StatusBadRequest, a.Status, "%s", a.Raw)
		require.Equal(t, []string{query[:strings.Index(query, "=")]}, a.Fields())
		require.Contains(t, string(a.Raw), "a day such as 2026-11-29")
		require.NotContains(t, string(a.Raw), "2006")
	}
}

// D11: owner and staff see who ordered.
func TestOrderShowsItsContact(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	want := map[string]any{"name": "Ada", "email": "ada@example.test", "phone": "+49 40 123456"}
	for _, header := range [][]string{{"Popup-Order-Token", placed.Token}, {"Authorization", shop.Staff(t)}} {
		contact := get(t, shop, "/v1/orders/"+placed.ID, header...).Body["contact"]
		require.Equal(t, want["email"], contact.(map[string]any)["email"])
		require.NotEmpty(t, contact.(map[string]any)["name"])
		require.NotEmpty(t, contact.(map[string]any)["phone"])
	}
}

// API-03: a table has flat columns.
func TestOrdersAsCSVAreFlat(t *testing.T) {
	t.Parallel()
	shop := open(t)
	shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 2), shoptest.Of(shoptest.Print, 1)))
	a := get(t, shop, "/v1/orders.csv", "Authorization", shop.Staff(t))
	table, err := csv.NewReader(strings.NewReader(string(a.Raw))).ReadAll()
	require.NoError(t, err)
	require.Len(t, table, 2)
	cells := map[string]string{}
	for i, name := range table[0] {
		cells[name] = table[1][i]
		require.NotContains(t, table[1][i], "{", name)
	}
	require.Equal(t, "16800", cells["total.amount_minor"])
	require.Equal(t, "EUR", cells["total.currency"])
	require.Equal(t, "DE", cells["address.country"])
	require.Equal(t, "", cells["pickup.store_id"])
	require.Equal(t, "2 × CAP-NAVY; 1 × PRINT-50", cells["lines"])
}

// ORD-49.
func TestNotesAreForStaff(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed, other := shop.OrderIn(t, "pending"), shop.OrderIn(t, "pending")
	path := "/v1/orders/" + placed.ID + "/notes"
	staff := []string{"Authorization", shop.Staff(t)}
	add := func(note string, headers ...string) shoptest.Response {
		return shop.Call(t, name, http.MethodPost, path, map[string]string{"note": note}, headers...)
	}
	first := add("asked for gift wrap\nand a card", staff...)
	require.Equal(t, http.StatusCreated, first.Status, "%s", first.Raw)
	require.NotEmpty(t, first.Body["author_id"])
	require.NotEmpty(t, first.Body["created_at"])
	require.Equal(t, http.StatusCreated, add("done", staff...).Status)
	var notes []any
	for _, note := range items(get(t, shop, path, staff...)) {
		notes = append(notes, note["note"])
	}
	require.Equal(t, []any{"asked for gift wrap\nand a card", "done"}, notes)
	require.Empty(t, items(get(t, shop, "/v1/orders/"+other.ID+"/notes", staff...)))

	require.Equal(t, http.StatusUnauthorized, get(t, shop, path, "Popup-Order-Token", placed.Token).Status)
	require.Equal(t, http.StatusForbidden, get(t, shop, path, "Authorization", shop.SignIn(t, "customer").Bearer).Status)
	require.Equal(t, http.StatusForbidden, add("mine", "Authorization", shop.SignIn(t, "customer").Bearer).Status)
	require.Equal(t, []string{"note"}, add(" ", staff...).Fields())
	require.Equal(t, []string{"note"}, add("a\x1b[31m", staff...).Fields())
	require.Equal(t, http.StatusNotFound, get(t, shop, "/v1/orders/"+uuid.NewString()+"/notes", staff...).Status)
}

// ORD-48.
func TestGuestFindsAnOrderByNumberAndEmail(t *testing.T) {
	t.Parallel()
	shop := open(t)
	placed := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	ada := []string{"Authorization", shop.SignIn(t, "customer").Bearer}
	account := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)), ada...)
	find := func(number, email, source string) shoptest.Response {
		return shop.Call(t, name, http.MethodPost, "/v1/orders/find", map[string]string{"order_number": number, "email": email}, "X-Forwarded-For", source)
	}
	a := find(" "+strings.ToLower(placed.OrderNumber), " ADA@example.test", "203.0.113.1")
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	require.Equal(t, placed.ID, a.Body["id"])
	require.NotContains(t, a.Raw, placed.Token)

	wrong := find(placed.OrderNumber, "eve@example.test", "203.0.113.2")
	require.Equal(t, http.StatusNotFound, wrong.Status)
	unknown := find("ORD-20260101-AAAAAA", "ada@example.test", "203.0.113.2")
	require.Equal(t, wrong.Raw, unknown.Raw)
	require.Equal(t, http.StatusNotFound, find(account.OrderNumber, "ada@example.test", "203.0.113.2").Status, "the order of an account")
	seen := map[int]int{}
	for range 20 {
		seen[find(placed.OrderNumber, "eve@example.test", "203.0.113.3").Status]++
	}
	require.NotZero(t, seen[http.StatusTooManyRequests], seen)
	require.LessOrEqual(t, seen[http.StatusNotFound], 7)
	require.Equal(t, http.StatusOK, find(placed.OrderNumber, "ada@example.test", "198.51.100.1").Status, "others are not kept out")
}
