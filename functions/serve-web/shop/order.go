package shop

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/text"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	rules "github.com/popup-shop/popup/internal/order"
)

// orderView is what the page of an order shows.
type orderView struct {
	client.Order
	events []client.OrdersEvent
	images map[string]client.Image // by product
	form   *ui.Form                // that cancels the order
	guest  bool                    // it belongs to no account, and the browser has its token
	found  bool                    // by number and e-mail address: it is shown once, and nothing can be done with it
}

// orderPath returns the address of an order's page.
func orderPath(number string) string { return "/o/" + number }

// order shows an order to its owner, and to a guest whose browser has its token. Others are asked for the link of the mail.
func order(r *page.Request) error {
	shown, err := readOrder(r)
	if isMissing(err) || page.Is(err, "not-signed-in") && !r.View.SignedIn() {
		r.Status(404)
		return r.Show(openPage(r.View, ui.NewForm("order_number", r.PathValue("number"))))
	}
	if err != nil {
		return err
	}
	shown.form.Values.Set("key", rand.Text())
	return r.Show(orderPage(r.View, shown))
}

func readOrder(r *page.Request) (*orderView, error) {
	number := r.PathValue("number")
	api := r.ForOrder(number)
	found, err := api.GetOrder(r.Context(), number)
	if err != nil {
		return nil, err
	}
	shown := &orderView{Order: found, form: ui.NewForm()}
	emitted, err := api.GetOrderEvents(r.Context(), number)
	if err != nil {
		return nil, err
	}
	shown.events, shown.guest = emitted.Items, found.CustomerID == "" && r.HasOrder(number)
	shown.images, err = readOrderImages(r, found.Lines)
	return shown, err
}

func readOrderImages(r *page.Request, lines []client.OrdersLine) (map[string]client.Image, error) {
	asLines := make([]client.Line, len(lines))
	for i, line := range lines {
		asLines[i].ProductID = line.ProductID
	}
	return readImages(r, asLines)
}

// openOrder is called by the script of a page that was opened by the link of a mail. It exchanges the token, which is in
// the part of the link that browsers do not send, for a cookie.
func openOrder(r *page.Request) error {
	number := r.PathValue("number")
	_, err := r.API.OpenOrder(r.Context(), number, client.OpenOrderRequest{OrderToken: r.FormValue("token")})
	if isMissing(err) {
		return r.SeeOther(orderPath(number))
	}
	if err != nil {
		return err
	}
	return r.SeeOther(orderPath(number))
}

// cancel cancels an order, and shows it again where that is not possible any more.
func cancel(r *page.Request) error {
	f, submitted := r.Form()
	number := r.PathValue("number")
	if submitted {
		_, err := r.ForOrder(number).CancelOrder(r.Context(), f.Value("id"), client.CancelOrderRequest{
			Reason: cmp.Or(f.Value("reason"), "changed my mind"),
		}, client.Key(f.Value("key")), client.Wait(decided))
		if err == nil {
			r.Notify("good", "order.cancel-done")
			return r.SeeOther(orderPath(number))
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	shown, err := readOrder(r)
	if err != nil {
		return err
	}
	shown.form = f
	f.Values.Set("key", rand.Text())
	return r.Show(orderPage(r.View, shown))
}

// claim moves a guest's order to the visitor's account.
func claim(r *page.Request) error {
	number := r.PathValue("number")
	if err := r.ClaimOrder(number); err != nil {
		return err
	}
	r.Notify("good", "order.claimed")
	return r.SeeOther(orderPath(number))
}

// pay shows how an order is paid. It changes to the order by itself once that is done.
func pay(r *page.Request) error {
	shown, err := readOrder(r)
	if err != nil {
		return err
	}
	if !shown.unpaid() {
		return r.SeeOther(orderPath(shown.Number))
	}
	p, err := r.ForOrder(shown.Number).GetOrderPayment(r.Context(), shown.ID)
	if isMissing(err) { // it is not open yet
		p, err = client.Payment{}, nil
	}
	if err != nil {
		return err
	}
	return r.Show(payPage(r.View, shown, p))
}

// orders lists the visitor's own orders.
func orders(r *page.Request) error {
	number, _ := strconv.ParseInt(r.URL.Query().Get("page"), 10, 32)
	own, err := r.API.ListOrders(r.Context(), client.ListOrdersQuery{
		Paging: client.Paging{Page: max(number, 1), Limit: perPage}, CustomerID: r.View.User.ID, Sort: "-created_at",
	})
	if err != nil {
		return err
	}
	return r.Show(ordersPage(r.View, own))
}

// findOrder shows an order by its number and e-mail address, once.
func findOrder(r *page.Request) error {
	f, _ := r.Form()
	found, err := r.API.FindOrder(r.Context(), client.FindOrderRequest{Number: f.Value("order_number"), Email: f.Value("email")})
	if page.Is(err, "not-found") {
		f.Add("order_number", r.View.T("track.unknown-order"))
		r.Status(404)
		return r.Show(trackPage(r.View, f, nil))
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(trackPage(r.View, f, nil))
	}
	images, err := readOrderImages(r, found.Lines)
	if err != nil {
		return err
	}
	return r.Show(orderPage(r.View, &orderView{Order: found, images: images, form: ui.NewForm(), found: true}))
}

// The steps of an order, as its page shows them.
var steps = []string{"received", "paid", "packed", "sent", "delivered"}

// reached returns how many of the steps the order has come to.
func (o *orderView) reached() int {
	switch o.Order.Status {
	case "delivered", "completed", "picked_up":
		return 5
	case "shipped", "in_transit":
		return 4
	case "processing", "ready_for_pickup":
		return 3
	}
	if o.Payment == "paid" || o.Payment == "authorised" {
		return 2
	}
	return 1
}

// ended reports whether the order came to an end before it was delivered.
func (o *orderView) ended() bool {
	return slices.Contains([]string{"cancelling", "cancelled", "rejected", "expired", "returned", "failed_delivery"}, o.Order.Status)
}

// moving reports whether the order may still change by itself.
func (o *orderView) moving() bool {
	return !slices.Contains([]string{"completed", "cancelled", "rejected", "expired", "returned"}, o.Order.Status)
}

// unpaid reports whether the visitor has something to pay.
func (o *orderView) unpaid() bool {
	return o.Payment == "created" && (o.Order.Status == "pending" || o.Order.Status == "confirmed")
}

// cancellable reports whether the order can be cancelled in its state.
func (o *orderView) cancellable() bool {
	return !o.found && rules.Status(o.Order.Status).CanMoveTo(rules.Cancelling)
}

// sentence returns the key of the order's state in one sentence, and hint the key of what happens next.
func (o *orderView) sentence() string { return "order.is." + o.Order.Status }

func (o *orderView) hint() string {
	if o.unpaid() {
		return "order.next.unpaid"
	}
	return "order.next." + o.Order.Status
}

// entry is a line of the timeline.
type entry struct {
	key string
	at  time.Time
}

// timeline returns the events that mean something to a customer, the newest first.
func (o *orderView) timeline() (entries []entry) {
	for _, e := range slices.Backward(o.events) {
		if key := "event." + strings.TrimPrefix(e.Type, "shop.popup."); text.Has(key) {
			entries = append(entries, entry{key, e.Time})
		}
	}
	return entries
}

// lines returns the address that the order goes to.
func (o *orderView) lines(v *ui.View) []string {
	a := o.Address
	return append([]string{a.Name}, ui.Lines(v, a.AddressLine1, a.AddressLine2, a.PostalCode, a.City, a.Prefecture+a.Region, a.Country)...)
}
