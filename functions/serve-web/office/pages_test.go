package office_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

// WEB-33.
func TestCategoriesAreKept_WEB_33(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	idOf := func(name string) string {
		return shoptest.Scalar[string](t, shop, `SELECT category_id::text FROM catalogue.categories WHERE name = $1`, name)
	}
	require.Contains(t, staff.Post(t, "/office/categories", "name", "Hats <1>").HTML, "Hats &lt;1&gt;")
	hats := idOf("Hats <1>")
	require.Contains(t, staff.Post(t, "/office/categories", "name", "Straw", "parent_id", hats).Text, "Straw straw 2 0")
	straw := "/office/categories/" + idOf("Straw")
	empty := staff.Post(t, "/office/categories", "name", " ")
	require.Equal(t, http.StatusUnprocessableEntity, empty.Status)

	page := staff.Get(t, "/office/categories/"+hats)
	require.NotContains(t, page.HTML, `<option value="`+hats, "it is not put into itself")
	require.NotContains(t, page.HTML, `<option value="`+idOf("Straw"))
	refused := staff.Post(t, "/office/categories/"+hats+"/delete")
	require.Equal(t, http.StatusUnprocessableEntity, refused.Status)
	require.Contains(t, refused.Text, "Move them first.")
	require.Contains(t, staff.Post(t, straw, "name", "Panama", "parent_id", "", "slug", "panama-hats").Text, "Panama panama-hats 1 0")
	require.NotContains(t, staff.Post(t, "/office/categories/"+hats+"/delete").Text, "Hats <1>")
	require.Equal(t, http.StatusNotFound, staff.Get(t, "/office/categories/"+hats).Status)
}

// WEB-34.
func TestWarehousesAreKept_WEB_34(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	require.Contains(t, staff.Post(t, "/office/warehouses", "name", "Attic", "location", "Kiel", "priority", "7").Text, "Attic Kiel 7 0 0")
	require.Equal(t, http.StatusUnprocessableEntity, staff.Post(t, "/office/warehouses", "name", " ").Status)
	id := shoptest.Scalar[string](t, shop, `SELECT warehouse_id::text FROM stock.warehouses WHERE name = 'Attic'`)
	path := "/office/warehouses/" + id
	require.Contains(t, staff.Get(t, path).HTML, `value="Attic"`)
	require.Contains(t, staff.Post(t, path, "name", "Cellar", "location", "", "priority", "200").Text, "Cellar 200 0 0")
	require.NotContains(t, staff.Post(t, path+"/delete").Text, "Cellar")
	used := staff.Post(t, "/office/warehouses/"+shoptest.Harbour+"/delete")
	require.Equal(t, http.StatusUnprocessableEntity, used.Status)
	require.Contains(t, used.Text, "It has goods or holds, or a store sells from it.")
}

// WEB-34.
func TestGoodsAreHeldAndReleased_WEB_34(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	page := staff.Get(t, "/office/holds")
	require.Contains(t, page.Text, "No holds")
	form := []string{"idempotency_key", hidden(t, page, "idempotency_key"), "sku", shoptest.Cap, "quantity", "3", "minutes", "10"}
	for range 2 {
		require.Contains(t, staff.Post(t, "/office/holds", form...).Text, "3 × CAP-NAVY (Harbour) Held")
	}
	reserved := func() int64 {
		return shoptest.Scalar[int64](t, shop, `SELECT sum(reserved)::bigint FROM stock.levels WHERE sku = $1`, shoptest.Cap)
	}
	require.EqualValues(t, 3, reserved())
	short := staff.Post(t, "/office/holds", "idempotency_key", "x", "sku", shoptest.Cap, "quantity", "9999", "minutes", "10")
	require.Equal(t, http.StatusUnprocessableEntity, short.Status)
	require.Contains(t, short.HTML, `value="9999"`)
	require.Equal(t, http.StatusUnprocessableEntity, staff.Post(t, "/office/holds", "sku", shoptest.Cap, "quantity", "many").Status)

	id := shoptest.Scalar[string](t, shop, `SELECT hold_id::text FROM stock.holds`)
	require.Contains(t, staff.Post(t, "/office/holds/"+id+"/release").Text, "Released")
	require.Zero(t, reserved())
	require.Contains(t, staff.Get(t, "/office/holds?status=held").Text, "No holds")
}

// WEB-34: goods are taken out, or moved to another warehouse, once.
func TestGoodsAreTakenOutAndMoved_WEB_34(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	id := shoptest.Scalar[string](t, shop, `SELECT level_id::text FROM stock.levels WHERE sku = $1 AND warehouse_id = $2`, shoptest.Cap, shoptest.Harbour)
	path := "/office/stock/" + id
	key := hidden(t, staff.Get(t, path), "idempotency_key")
	for range 2 {
		page := staff.Post(t, path+"/move", "idempotency_key", key, "moved_quantity", "4", "moved_reason", "torn")
		require.Contains(t, page.Text, "out 4 torn")
	}
	onHand := func(warehouse string) int64 {
		return shoptest.Scalar[int64](t, shop, `
			SELECT coalesce(sum(on_hand), 0)::bigint FROM stock.levels WHERE sku = $1 AND warehouse_id = $2`, shoptest.Cap, warehouse)
	}
	require.EqualValues(t, 116, onHand(shoptest.Harbour))
	canal := onHand(shoptest.Canal)
	moved := []string{"idempotency_key", "m", "moved_quantity", "6", "moved_reason", "fair", "to_warehouse_id", shoptest.Canal}
	require.Equal(t, path, staff.Post(t, path+"/move", moved...).Path)
	require.EqualValues(t, 110, onHand(shoptest.Harbour))
	require.EqualValues(t, canal+6, onHand(shoptest.Canal))

	much := staff.Post(t, path+"/move", "idempotency_key", "n", "moved_quantity", "9999", "moved_reason", "all")
	require.Equal(t, http.StatusUnprocessableEntity, much.Status)
	require.Contains(t, much.HTML, `value="9999"`)
	require.Equal(t, http.StatusUnprocessableEntity, staff.Post(t, path+"/move", "moved_quantity", "x").Status)
	require.Contains(t, staff.Get(t, path+"?kind=inbound").Text, "1 in all")
}

// WEB-32: many products of a store are deleted after a question.
func TestManyProductsOfAStoreAreDeleted_WEB_32(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	first, second := productID(t, shop, shoptest.Cap), productID(t, shop, shoptest.Tee)
	path := "/office/stores/" + shoptest.TheStore
	left := func() int64 {
		return shoptest.Scalar[int64](t, shop, `
			SELECT count(*) FROM catalogue.products WHERE store_id = $1 AND deleted_at IS NULL`, shoptest.TheStore)
	}
	before := left()
	asked := staff.Post(t, path+"/products", "act", "some", "product", first, "product", second)
	require.Contains(t, asked.Text, "Delete 2 products?")
	require.Contains(t, asked.Text, shoptest.Cap)
	require.Equal(t, before, left(), "a question deletes nothing")
	require.Contains(t, staff.Post(t, path+"/products", "act", "some").HTML, "Choose", "none is chosen")

	deleted := staff.Post(t, path+"/products", "sure", "1", "product", first, "product", second)
	require.Contains(t, deleted.HTML, "2 products deleted.")
	require.Contains(t, deleted.Text, "2 products are deleted. Undo")
	require.Equal(t, before-2, left())
	staff.Post(t, "/office/products", "act", "restore", "product", first, "product", second, "next", path)
	require.Equal(t, before, left())

	require.Contains(t, staff.Post(t, path+"/products", "act", "all").Text, "All products of")
	require.Equal(t, before, left())
	require.Contains(t, staff.Post(t, path+"/products", "act", "all", "sure", "1").Text, "This store has no products yet.")
	require.Zero(t, left())
	require.Equal(t, path, staff.Get(t, path).Path, "name and place stay")
}

// WEB-39, ORD-43.
func TestOrdersAreHidden_WEB_39(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	over, running := shop.OrderIn(t, "cancelled"), shop.OrderIn(t, "confirmed")
	page := staff.Post(t, "/office/orders/hide", "next", "/office/orders", "order", over.ID, "order", running.ID)
	require.Contains(t, page.HTML, "1 hidden. These have not ended, so they stay: "+running.OrderNumber)
	require.NotContains(t, page.Text, over.OrderNumber)
	require.Contains(t, page.Text, running.OrderNumber)
	require.Contains(t, staff.Get(t, "/office/orders/"+over.ID).Text, "order.hidden", "its history stays")
	require.Equal(t, http.StatusForbidden, staff.Get(t, "/office/orders?hidden=true").Status)
	staff.As(t, shop.SignIn(t, token.Admin))
	require.Contains(t, staff.Get(t, "/office/orders?hidden=true").Text, over.OrderNumber)
}

// WEB-35, DEL-16, DEL-24.
func TestShipmentsAreListedAndMoved_WEB_35(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	first, second := shop.OrderIn(t, "confirmed"), shop.OrderIn(t, "confirmed")
	for _, p := range []shoptest.Placed{first, second} {
		shop.Deliver(t, "ship-order", shop.Emitted(t, p.ID, "order.confirmed")[0])
	}
	page := staff.Get(t, "/office/delivery?status=planned")
	require.Contains(t, page.Text, first.OrderNumber)
	require.Contains(t, staff.Get(t, "/office/delivery?status=shipped").Text, "No shipments")
	form := []string{"idempotency_key", hidden(t, page, "idempotency_key"), "status", "shipped", "location", "Kiel", "order", first.ID, "next", "/office/delivery"}
	for range 2 { // a double click
		require.Contains(t, staff.Post(t, "/office/delivery", form...).HTML, "1 shipment moved.")
	}
	shop.AwaitStatus(t, first.ID, "shipped")
	require.Len(t, shop.Emitted(t, first.ID, "shipment.moved"), 2, "through preparing to shipped")
	require.Contains(t, staff.Get(t, "/office/delivery?status=shipped").Text, "Kiel")
	some := staff.Post(t, "/office/delivery", "idempotency_key", "k", "status", "in_transit", "order", first.ID, "order", second.ID, "next", "/office/delivery")
	require.Contains(t, some.HTML, "1 moved. These cannot become that: "+second.OrderNumber)
	found := staff.Get(t, "/office/delivery?q="+second.OrderNumber)
	require.Contains(t, found.Text, "1 in all")
}

// WEB-38: the report has the figures of the orders.
func TestReportsAreThoseOfTheOrders_WEB_38(t *testing.T) {
	t.Parallel()
	shop, staff := open(t, token.Staff)
	for range 2 {
		shop.OrderIn(t, "confirmed")
	}
	shop.OrderIn(t, "cancelled")
	page := staff.Get(t, "/office/reports?days=7")
	require.Contains(t, page.Text, "Placed 3 Kept 2 Revenue €48.00 Average €24.00")
	require.Contains(t, page.Text, "7 in all")
	today := time.Now().UTC().Format(time.DateOnly)
	require.Contains(t, page.Text, today+" 3 2 2 48.00")
	rows := rowsOf(t, staff, "/office/reports?days=7&sort=day")
	require.Len(t, rows, 7)
	require.Equal(t, today, rows[6][0])
	require.Equal(t, "48.00", rows[6][4])
	require.Contains(t, staff.Get(t, "/office/reports?days=none").Text, "30 in all")
	require.False(t, strings.Contains(page.Text, "NaN"))
}

// WEB-53: what mails look like, in both languages side by side.
func TestMailTextsAreShown_WEB_53(t *testing.T) {
	t.Parallel()
	_, staff := open(t, token.Staff)
	page := staff.Get(t, "/office/settings/mails")
	for _, text := range []string{"order_shipped", "Order ORD-20260131-7K3QX9 is on its way", "発送", "Harbour cap"} {
		require.Contains(t, page.Text, text)
	}
	require.Contains(t, page.HTML, `lang="ja"`)
}
