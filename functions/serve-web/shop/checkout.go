package shop

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/payment"
)

// Where an order goes, as the form has it: an address of the form, one of the account's, or a store.
const (
	toAddress   = "address"
	savedPrefix = "saved:"
	storePrefix = "store:"
)

// checkoutView is what the checkout shows.
type checkoutView struct {
	form       *ui.Form
	basket     client.Basket
	images     map[string]client.Image
	quote      client.Quote
	addresses  []client.KeptAddress
	stores     []client.Store
	methods    []client.Method
	authorises bool  // an amount can be authorised for this and later orders
	points     int64 // that the account can use; 0 for visitors
	changed    bool  // the total is another one than the visitor has seen
}

// checkout is one page with one form. It is shown again, with all that was typed, until the order is placed. The form has
// a key and names its basket, so that it places one order however often it is sent.
func checkout(r *page.Request) error {
	f, submitted := r.Form()
	shown, err := readCheckout(r, f)
	if err != nil {
		return err
	}
	ordering := submitted && f.Value("action") != "update"
	if len(shown.basket.Lines) == 0 && !(ordering && f.Value("basket") != "") {
		return r.SeeOther("/basket")
	}
	fillIn(r, shown)
	if ordering {
		done, err := place(r, shown)
		if done || err != nil {
			return err
		}
	}
	if len(shown.basket.Lines) == 0 { // it was ordered by another form
		return r.SeeOther("/basket")
	}
	if err := shown.readQuote(r); err != nil {
		return err
	}
	return r.Show(checkoutPage(r.View, shown))
}

func readCheckout(r *page.Request, f *ui.Form) (*checkoutView, error) {
	shown := &checkoutView{form: f}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		shown.basket, err = r.API.GetBasket(ctx)
		return err
	})
	calls.Go(func() error {
		stores, err := r.API.ListStores(ctx, client.Paging{Limit: 100})
		shown.stores = slices.DeleteFunc(stores.Items, func(s client.Store) bool { return !s.Participating })
		return err
	})
	if r.View.SignedIn() {
		shown.readAccount(ctx, calls, r)
	}
	if err := calls.Wait(); err != nil {
		return nil, err
	}
	r.View.Basket = func() int64 { return shown.basket.Count }
	if err := shown.readMethods(r); err != nil {
		return nil, err
	}
	var err error
	shown.images, err = readImages(r, shown.basket.Lines)
	return shown, err
}

// readAccount reads the addresses and the points of an account, and its contact unless the form has one.
func (c *checkoutView) readAccount(ctx context.Context, calls *errgroup.Group, r *page.Request) {
	calls.Go(func() error {
		kept, err := r.API.ListMyAddresses(ctx, client.Paging{Limit: 50})
		c.addresses = kept.Items
		return err
	})
	calls.Go(func() error {
		balance, err := r.API.GetPoints(ctx, client.GetPointsQuery{})
		c.points = balance.Available
		return err
	})
	values := c.form.Values
	if values.Has("contact.email") {
		return
	}
	calls.Go(func() error {
		me, err := r.API.GetMe(ctx)
		if err == nil {
			values.Set("contact.name", me.Name)
			values.Set("contact.email", me.Email)
			values.Set("contact.phone", me.Phone)
		}
		return err
	})
}

// fillIn gives the fields that are not in the form yet what is likely.
func fillIn(r *page.Request, shown *checkoutView) {
	f := shown.form
	set := func(field, value string) {
		if !f.Values.Has(field) {
			f.Values.Set(field, value)
		}
	}
	set("key", rand.Text())
	set("authorise", shown.likelyAmount())
	if len(shown.methods) > 0 {
		set("payment_method", shown.methods[0].Code)
	}
	set("address.country", r.LikelyCountry())
	to := toAddress
	for _, a := range shown.addresses {
		if a.IsDefault || to == toAddress {
			to = savedPrefix + a.ID
		}
	}
	set("to", to)
}

// destination returns where the order goes.
func (c *checkoutView) destination() (a *client.Address, addressID string, pickup *client.Pickup) {
	f, to := c.form, c.form.Value("to")
	if id, ok := strings.CutPrefix(to, savedPrefix); ok {
		return nil, id, nil
	}
	if id, ok := strings.CutPrefix(to, storePrefix); ok {
		return nil, "", &client.Pickup{StoreID: id}
	}
	return &client.Address{
		Name: f.Value("contact.name"), Phone: f.Value("contact.phone"), Country: f.Value("address.country"),
		PostalCode: f.Value("address.postal_code"), Prefecture: f.Value("address.prefecture"), Region: f.Value("address.region"),
		City: f.Value("address.city"), AddressLine1: f.Value("address.address_line1"), AddressLine2: f.Value("address.address_line2"),
	}, "", nil
}

// readQuote asks what the order would cost, as it is now.
func (c *checkoutView) readQuote(r *page.Request) (err error) {
	in := client.QuoteRequest{BasketID: c.basket.ID, PaymentMethod: c.form.Value("payment_method"), Points: c.pointsUsed()}
	in.Address, in.AddressID, in.Pickup = c.destination()
	if in.Address != nil && in.Address.Country == "" {
		in.Address = nil
	}
	c.quote, err = r.API.Quote(r.Context(), in)
	if page.Is(err, "invalid") { // the fields are not there yet
		c.quote, err = r.API.Quote(r.Context(), client.QuoteRequest{BasketID: c.basket.ID})
	}
	return err
}

// place places the order. done is whether it has responded; otherwise the form is shown again.
func place(r *page.Request, c *checkoutView) (done bool, err error) {
	f := c.form
	in := client.PlaceOrderRequest{
		BasketID: cmp.Or(f.Value("basket"), c.basket.ID), PaymentMethod: f.Value("payment_method"), Locale: r.View.Language,
		Contact: &client.Contact{Name: f.Value("contact.name"), Email: f.Value("contact.email"), Phone: f.Value("contact.phone")},
	}
	in.Points = c.pointsUsed()
	in.Address, in.AddressID, in.Pickup = c.destination()
	if minor, err := strconv.ParseInt(f.Value("total"), 10, 64); err == nil {
		in.ExpectedTotal = &client.Amount{Minor: minor, Currency: f.Value("currency")}
	}
	if in.PaymentMethod == payment.PreAuthorised {
		if in.AuthorisationID, err = c.authorisation(r, *cmp.Or(in.ExpectedTotal, &c.basket.Total)); err != nil {
			return false, c.reject(r, err)
		}
		if in.AuthorisationID == "" {
			r.Status(http.StatusUnprocessableEntity)
			return false, nil
		}
	}
	placed, err := r.API.PlaceOrder(r.Context(), in, client.Key(f.Value("key")), client.Wait(decided))
	if err == nil {
		r.KeepOrder(placed.OrderToken, placed.ID, placed.Number)
		if placed.PaymentURI != "" {
			return true, r.SeeOther(orderPath(placed.Number) + "/pay")
		}
		return true, r.SeeOther(orderPath(placed.Number))
	}
	return false, c.reject(r, err)
}

// decided is how long a visitor waits until their order is decided.
const decided = 5 * time.Second

// reject adds what the API rejected to the form. The same key would give the same response, so a new attempt has a new one,
// unless the order may have been placed all the same.
func (c *checkoutView) reject(r *page.Request, err error) error {
	f := c.form
	var p *client.Problem
	if !errors.As(err, &p) || p.Status >= http.StatusInternalServerError {
		r.Status(http.StatusServiceUnavailable)
		f.Add("", r.View.T("checkout.unknown"))
		return nil
	}
	f.Values.Set("key", rand.Text())
	if page.Is(err, "total-changed") {
		c.changed = true
	}
	if lines := page.ShortLines(err); len(lines) > 0 {
		r.Status(http.StatusConflict)
		for _, line := range lines {
			f.Add("", r.View.T("checkout.short", c.nameOf(line.SKU), line.Available))
		}
		return nil
	}
	if err := r.Reject(f, err); err != nil {
		return err
	}
	c.mergeErrors()
	return nil
}

// mergeErrors leaves out errors of the address that are about the contact: a name is asked for once.
func (c *checkoutView) mergeErrors() {
	c.form.Errors = slices.DeleteFunc(c.form.Errors, func(e ui.FieldError) bool {
		name, ok := strings.CutPrefix(e.Field, "address.")
		return ok && (name == "name" || name == "phone") && c.form.Error("contact."+name) != ""
	})
	slices.SortStableFunc(c.form.Errors, func(a, b ui.FieldError) int { // as on the page: the contact comes first
		return cmp.Compare(strings.Index(b.Field, "contact."), strings.Index(a.Field, "contact."))
	})
	for i, e := range c.form.Errors {
		if name, ok := strings.CutPrefix(e.Field, "address."); ok && (name == "name" || name == "phone") {
			c.form.Errors[i].Field = "contact." + name
		}
	}
}

// nameOf returns the name of a line of the basket.
func (c *checkoutView) nameOf(sku string) string {
	for _, line := range c.basket.Lines {
		if line.SKU == sku {
			return line.Name
		}
	}
	return sku
}

// total returns what is to be paid, in the form's hidden fields.
func (c *checkoutView) total() string { return strconv.FormatInt(c.quote.Total.Minor, 10) }

// short lists the names of what there is not enough of.
func (c *checkoutView) short() (names []string) {
	for _, p := range c.quote.Problems {
		if p.Type == "/problems/out-of-stock" {
			names = append(names, c.nameOf(cmp.Or(p.SKU, p.Field)))
		}
	}
	return names
}
