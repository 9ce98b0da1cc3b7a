package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func init() {
	for name, path := range map[string]string{
		"office": "/office", "office-orders": "/office/orders", "office-orders-none": "/office/orders?q=nothing",
		"office-products": "/office/products", "office-products-off": "/office/products?view=off", "office-product-new": "/office/products/new",
		"office-import": "/office/products/import", "office-stock": "/office/stock", "office-stores": "/office/stores",
		"office-categories": "/office/categories", "office-category": "/office/categories/01900000-0000-7000-8000-000000000402",
		"office-warehouses": "/office/warehouses", "office-warehouse": "/office/warehouses/01900000-0000-7000-8000-000000000001",
		"office-holds": "/office/holds", "office-delivery": "/office/delivery", "office-payments": "/office/payments", "office-suspense": "/office/payments/suspense", "office-reconciliations": "/office/payments/reconciliations", "office-delivery-none": "/office/delivery?q=nothing",
		"office-reports": "/office/reports", "office-samples": "/office/settings/mails", "office-orders-hidden": "/office/orders?hidden=true",
		"office-customers": "/office/customers", "office-mails": "/office/mails", "office-engine": "/office/engine",
		"office-functions": "/office/engine/functions", "office-dead-letters": "/office/engine/dead-letters", "office-checks": "/office/engine/checks",
		"office-flow": "/office/engine/flow", "office-settings": "/office/settings", "office-text": "/office/settings/texts/terms",
		"office-staff": "/office/settings/staff", "office-tokens": "/office/settings/tokens", "office-audit": "/office/settings/audit",
		"office-product": "/office/products/01900000-0000-7000-8000-000000000103",
		"office-level":   "/office/stock/01900000-0000-7000-8000-000000000203",
		"office-store":   "/office/stores/01900000-0000-7000-8000-000000000011",
	} {
		pages = append(pages, pageToOpen{name: name, as: staff, path: path})
	}
	pages = append(pages, pageToOpen{name: "office-order", as: staff, make: func(t testing.TB, w *tab) string {
		return "/office/orders/" + placeOrder(t)["id"].(string)
	}})
}

// WEB-54: Ctrl-K finds and opens, "?" lists the keys, and "g o" goes to the orders.
func TestTheOfficeIsUsedByKeyboard_WEB_54(t *testing.T) {
	_, access := account(t, staff)
	w := open(t, access)
	w.visit("/office")
	w.await(`document.getElementById("palette")`, "no palette")
	w.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(2)))
	w.await(`document.getElementById("palette").open`, "Ctrl-K opens nothing")
	w.do(chromedp.KeyEvent("CAP-NAVY"), chromedp.KeyEvent(kb.Enter))
	w.await(`location.pathname.startsWith("/office/products/")`, "Enter opens nothing")
	w.await(`document.readyState === "complete"`, "the page does not load")
	w.do(chromedp.KeyEvent("?"))
	w.await(`document.getElementById("shortcuts").open`, "? lists nothing")
	w.do(chromedp.KeyEvent(kb.Escape))
	w.await(`!document.getElementById("shortcuts").open`, "Escape closes nothing")
	w.do(chromedp.KeyEvent("g"), chromedp.KeyEvent("o"))
	w.await(`location.pathname === "/office/orders"`, "g o goes nowhere")
	w.requireNoErrors()
}

// WEB-52, INS-17: events of an order appear by themselves, and none while the list is paused.
func TestEventsAppearByThemselves_WEB_52(t *testing.T) {
	_, access := account(t, staff)
	w := open(t, access)
	w.visit("/office/engine?type=order.placed")
	w.see("Live")
	rows := func() int64 { return eval[int64](w, `document.querySelectorAll("#events tr").length`) }
	before := rows()
	placeOrder(t)
	w.await(`document.querySelectorAll("#events tr.new").length === 1`, "no row after an order")
	require.Equal(t, before+1, rows())
	w.click("#pause")
	w.see("Paused")
	placeOrder(t)
	require.Equal(t, before+1, rows())
	w.click("#pause")
	w.await(`document.querySelectorAll("#events tr.new").length === 2`, "what came while the list was paused is lost")
	w.requireNoErrors()
}
