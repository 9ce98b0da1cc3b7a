package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// guestOrder are the fields of the checkout that a guest fills in.
var guestOrder = []string{
	"contact.email", "ada@example.test", "contact.name", "Ada Byron", "contact.phone", "+49 40 1234567",
	"address.address_line1", "Am Kai 1", "address.postal_code", "20457", "address.city", "Hamburg",
}

// choose chooses a value of a select as a visitor does.
func (w *tab) choose(name, value string) {
	w.t.Helper()
	eval[bool](w, `(() => {
		const field = document.querySelector('main [name="`+name+`"]');
		field.value = "`+value+`";
		field.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	})()`)
}

// orders counts the orders of the shop.
func orders(t testing.TB) (n int) {
	t.Helper()
	require.NoError(t, shop.Pool.QueryRow(t.Context(), `SELECT count(*) FROM orders.orders`).Scan(&n))
	return n
}

// toCheckout puts a product into the basket by its page, and goes to the checkout.
func (w *tab) toCheckout() {
	w.t.Helper()
	w.visit(productWith("CAP-NAVY")(w.t, w))
	w.click("#add button[type=submit]")
	w.see("Sum")
	w.visit("/checkout")
	w.see("Contact")
}

// fillCheckout fills in what a guest has to.
func (w *tab) fillCheckout() {
	w.t.Helper()
	w.choose("address.country", "DE")
	w.await(`document.querySelector("#address-fields[data-country=DE]")`, "the fields of Germany")
	w.fill(guestOrder...)
	w.payBy("simulated")
}

// payBy chooses a method of payment.
func (w *tab) payBy(method string) {
	w.t.Helper()
	eval[bool](w, `document.querySelector('[name=payment_method][value=`+method+`]').checked = true, true`)
}

// WEB-20: an order is paid on the page of the card provider, where a card is refused first, and the shop shows it by itself.
func TestPayingOnTheProvidersPage_WEB_20(t *testing.T) {
	w := open(t, "")
	w.toCheckout()
	w.fillCheckout()
	w.payBy("card")
	w.click("#checkout-pay button")
	w.see("Open the payment")
	require.Regexp(t, `^/o/ORD-.*/pay$`, w.where())
	number := strings.Split(w.where(), "/")[2]
	w.press("#order a.button")
	w.see("Payment simulator")
	w.click("form[action$='/decline'] button")
	w.see("declined 1 times")
	w.click("form[action$='/pay'] button")
	w.see("Your order is confirmed")
	require.True(t, strings.HasPrefix(w.where(), "/o/"+number))
	w.requireNoErrors()
}

// WEB-20: a page that waits for the money changes by itself.
func TestThePayPageChangesByItself_WEB_20(t *testing.T) {
	w := open(t, "")
	w.visit(payable("taler")(t, w))
	w.see("Scan this code")
	var id string
	require.NoError(t, shop.Pool.QueryRow(t.Context(), `SELECT provider_ref FROM payments.payments WHERE provider = 'taler' ORDER BY created_at DESC LIMIT 1`).Scan(&id))
	_, err := shop.Simulator.Act("taler", id, "pay")
	require.NoError(t, err)
	w.see("Your order is confirmed")
	w.requireNoErrors()
}

// WEB-18, WEB-03: by mouse, with the basket beside the product.
func TestCheckoutByMouse_WEB_18(t *testing.T) {
	w := open(t, "")
	w.visit(productWith("CAP-NAVY")(t, w))
	w.click("#add button[type=submit]")
	w.await(`document.getElementById("drawer").open`, "the basket does not open")
	w.await(`document.querySelector("#basket-link .badge")?.textContent === "1"`, "the count does not change")
	w.shot("drawer-1440")
	require.Empty(t, w.faults())
	w.click("#drawer a[href='/checkout']")
	w.see("Contact")
	w.fillCheckout()
	w.click("#checkout-pay button")
	w.see("Your order is confirmed")
	require.Regexp(t, `^/o/ORD-`, w.where())
	w.requireNoErrors()
}

// WEB-03: with scripts off.
func TestCheckoutWithoutScripts_WEB_03(t *testing.T) {
	w := open(t, "")
	w.scripts(false)
	w.visit(productWith("CAP-NAVY")(t, w))
	w.press("#add button[type=submit]")
	w.see("Sum")
	require.Equal(t, "/basket", w.where())
	w.press("#basket a[href='/checkout']")
	w.see("Contact")
	eval[bool](w, `document.querySelector('[name="address.country"]').value = "JP", true`)
	w.press(".country-go button")
	w.await(`document.querySelector("#address-fields[data-country=JP]")`, "the fields of Japan")
	eval[bool](w, `document.querySelector('[name="address.country"]').value = "DE", true`)
	w.press(".country-go button")
	w.await(`document.querySelector("#address-fields[data-country=DE]")`, "the fields of Germany")
	w.fill(guestOrder...)
	w.payBy("simulated")
	w.press("#checkout-pay button")
	w.see("Your order is confirmed")
}

// press activates a link or a button, also where the scripts of the page are off.
func (w *tab) press(selector string) {
	w.t.Helper()
	eval[bool](w, "document.querySelector(`"+selector+"`).click(), true")
}

// WEB-03: by keyboard alone.
func TestCheckoutByKeyboard_WEB_03(t *testing.T) {
	w := open(t, "")
	w.visit(productWith("CAP-NAVY")(t, w))
	w.tabTo(`document.activeElement.closest("#add") && document.activeElement.type === "submit"`)
	w.do(chromedp.KeyEvent(kb.Enter))
	w.await(`document.getElementById("drawer").open`, "the basket does not open")
	w.tabTo(`document.activeElement.getAttribute("href") === "/checkout"`)
	w.do(chromedp.KeyEvent(kb.Enter))
	w.see("Contact")
	w.choose("address.country", "DE")
	w.await(`document.querySelector("#address-fields[data-country=DE]")`, "the fields of Germany")
	w.payBy("simulated")
	for i := 0; i < len(guestOrder); i += 2 {
		w.tabTo(`document.activeElement.name === "` + guestOrder[i] + `"`)
		w.do(chromedp.KeyEvent(guestOrder[i+1]))
	}
	w.do(chromedp.KeyEvent(kb.Enter))
	w.see("Your order is confirmed")
}

// tabTo presses Tab until an expression is true, and requires that the focus can be seen each time.
func (w *tab) tabTo(expression string) {
	w.t.Helper()
	for range 80 {
		w.do(chromedp.KeyEvent(kb.Tab))
		if eval[bool](w, "Boolean("+expression+")") {
			return
		}
	}
	require.Fail(w.t, "the keyboard does not reach "+expression)
}

// WEB-19: two clicks, a reload and the way back make one order.
func TestOneFormMakesOneOrder_WEB_19(t *testing.T) {
	w := open(t, "")
	w.toCheckout()
	w.fillCheckout()
	before := orders(t)
	eval[bool](w, `(() => {
		const form = document.getElementById("checkout-form");
		form.submit();
		form.submit();
		return true;
	})()`)
	w.see("Your order is confirmed")
	require.Equal(t, before+1, orders(t))
	w.do(chromedp.Reload())
	w.see("Your order is confirmed")
	eval[bool](w, `setTimeout(() => history.back(), 0), true`)
	w.await(`document.readyState === "complete" && !location.pathname.startsWith("/o/")`, "the way back")
	if eval[bool](w, `Boolean(document.getElementById("checkout-form"))`) {
		w.press("#checkout-pay button")
		w.see("Your order is confirmed")
	}
	require.Equal(t, before+1, orders(t))
}

// WEB-18: what is wrong is shown at the field and at the top, and nothing that was typed is lost.
func TestARefusalKeepsEverything_WEB_18(t *testing.T) {
	w := open(t, "")
	w.toCheckout()
	w.fillCheckout()
	w.fill("contact.email", "nobody", "address.postal_code", "1")
	w.click("#checkout-pay button")
	w.await(`document.activeElement?.id === "errors"`, "the focus is not on the summary")
	w.see("This is not an e-mail address.")
	w.shot("checkout-errors")
	require.Empty(t, w.faults())
	require.Equal(t, "Am Kai 1", eval[string](w, `document.querySelector('[name="address.address_line1"]').value`))
	require.Equal(t, "true", eval[string](w, `document.querySelector('[name="address.postal_code"]').getAttribute("aria-invalid")`))
	w.fill("contact.email", "ada@example.test", "address.postal_code", "20457")
	w.click("#checkout-pay button")
	w.see("Your order is confirmed")
}

// WEB-09: what was typed is text, whatever it looks like.
func TestAProductNamedScriptIsText_WEB_09(t *testing.T) {
	name := `<script>document.title="run"</script><b>"'`
	_, err := shop.Pool.Exec(t.Context(), `UPDATE catalogue.products SET name = $1, description = $1 WHERE sku = 'CANDLE-FOG'`, name)
	require.NoError(t, err)
	w := open(t, "")
	for _, path := range []string{productWith("CANDLE-FOG")(t, w), "/products"} {
		w.visit(path)
		w.see(name)
		require.NotEqual(t, "run", eval[string](w, `document.title`))
		w.requireNoErrors()
	}
	_, err = shop.Pool.Exec(t.Context(), `UPDATE catalogue.products SET name = 'Fog candle' WHERE sku = 'CANDLE-FOG'`)
	require.NoError(t, err)
}

// WEB-07: an order's page changes by itself when the order does, in another window too.
func TestTwoWindowsShowTheSameOrder_WEB_07(t *testing.T) {
	w := open(t, "")
	path := orderIn("confirmed")(t, w)
	w.visit(path)
	w.see("Your order is confirmed")
	w.click(".cancel summary")
	other := sameVisitor(t, w)
	other.visit(path)
	other.see("Your order is confirmed")
	w.click(".cancel button[type=submit]")
	w.see("Your order is cancelled")
	other.see("Your order is cancelled")
	other.requireNoErrors()
}

// noticed is how long the shop may be away before a page states it.
const noticed = 35 * time.Second

// WEB-06: a banner appears while the shop is away, and disappears by itself; what is loaded stays readable.
func TestABannerShowsThatTheShopIsAway_WEB_06(t *testing.T) {
	w := open(t, "")
	w.visit("/products")
	away.Store(true)
	defer away.Store(false)
	w.awaitFor(noticed, `!document.getElementById("offline").hidden`, "no banner")
	w.see("Harbour cap")
	w.shot("offline")
	away.Store(false)
	w.awaitFor(noticed, `document.getElementById("offline").hidden`, "the banner stays")
}

// WEB-15: the price and what is left are those of the variant that is chosen.
func TestThePriceFollowsTheVariant_WEB_15(t *testing.T) {
	w := open(t, "")
	w.visit(productWith("BAG-SAIL")(t, w))
	eval[bool](w, `!!Object.assign(document.querySelector("[data-price]:not(:checked):not(:disabled)").dataset, { price: "€43.21", note: "2 left" })`)
	w.click(`label:has([data-price]:not(:checked):not(:disabled))`)
	w.await(`document.getElementById("price").textContent === "€43.21"`, "the price stays")
	w.await(`document.getElementById("stock-note").textContent === "2 left"`, "what is left stays")
	w.requireNoErrors()
}

// WEB-18: a payment that is refused keeps all that was typed, and the basket.
func TestARefusedPaymentKeepsEverything_WEB_18(t *testing.T) {
	refusing, stop, err := openShop(t.Context(), 0)
	require.NoError(t, err)
	defer stop()
	usual, usualSite := shop, site
	shop, site = refusing.Shop, refusing.site
	defer func() { shop, site = usual, usualSite }()
	w := open(t, "")
	w.toCheckout()
	w.fillCheckout()
	w.click("#checkout-pay button")
	w.awaitFor(20*time.Second, `document.getElementById("errors")`, "no refusal is shown")
	w.shot("checkout-refused")
	require.Empty(t, w.faults())
	for n := 0; n+1 < len(guestOrder); n += 2 {
		require.Equal(t, guestOrder[n+1], eval[string](w, `document.querySelector('[name="`+guestOrder[n]+`"]').value`), guestOrder[n])
	}
	require.Equal(t, "/checkout", w.where())
	w.visit("/basket")
	w.await(`document.querySelector(".basket-line")`, "the basket is empty")
	w.requireNoErrors()
}
