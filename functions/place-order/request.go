package placeorder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

// Request places an order.
type Request struct {
	web.Key
	Prefer      string `header:"Prefer" maxLength:"100" doc:"wait=N waits for the outcome up to N seconds: at most 10, by default 2."`
	Languages   string `header:"Accept-Language" doc:"The language of the order and its mails, if the body has no locale."`
	BasketToken string `header:"Popup-Basket-Token" maxLength:"100" doc:"For visitors: gives access to the basket to order."`
	Body        Body
}

// Body is an order: its items, customer and destination.
type Body struct {
	Wish
	PaymentMethod   string `json:"payment_method" maxLength:"40" example:"simulated"`
	AuthorisationID string `json:"authorisation_id,omitempty" format:"uuid" doc:"The amount that the order is taken from. Required with payment_method pre_authorised, and only then."`
}

// Wish is what an order and a quote have in common.
type Wish struct {
	Lines         []Item            `json:"lines,omitempty" maxItems:"100" doc:"The items to order. Required without basket_id."`
	BasketID      string            `json:"basket_id,omitempty" format:"uuid" doc:"A basket of the caller. All of it is ordered, and the basket is closed."`
	Address       *address.Address  `json:"address,omitempty" doc:"The address to deliver to. Required without address_id and pickup."`
	AddressID     string            `json:"address_id,omitempty" format:"uuid" doc:"The address to deliver to, from the caller's address book."`
	Pickup        *orderview.Pickup `json:"pickup,omitempty"`
	ExpectedTotal *money.Amount     `json:"expected_total,omitempty" doc:"Reject the order if its total differs."`
	Points        int64             `json:"points,omitempty" minimum:"0" maximum:"10000" doc:"How many points of the caller's account lower the total: each is worth 10 minor units."`
	Locale        string            `json:"locale,omitempty" maxLength:"20" pattern:"^[A-Za-z0-9-]*$" example:"en"`
	Contact       *Contact          `json:"contact,omitempty" doc:"How to reach the customer. Required for guests."`
}

// Item is a quantity of a product or a variant, which is named by its id or its SKU.
type Item struct {
	ProductID string `json:"product_id,omitempty" format:"uuid"`
	VariantID string `json:"variant_id,omitempty" format:"uuid"`
	SKU       string `json:"sku,omitempty" maxLength:"64"`
	Quantity  int64  `json:"quantity" minimum:"1" maximum:"99"`
}

// locale returns the language that an Accept-Language header prefers, or "".
func locale(header string) string {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 || len(tags[0].String()) > maxLocale || tags[0] == language.Make("mul") { // any
		return ""
	}
	return tags[0].String()
}

const maxLocale = 20

// countNames counts the fields that name the product; one is allowed.
func (i Item) countNames() (n int) {
	for _, name := range []string{i.ProductID, i.VariantID, i.SKU} {
		if name != "" {
			n++
		}
	}
	return n
}

// key returns the id or SKU, as a key of readProducts.
func (i Item) key() string { return strings.ToLower(i.ProductID+i.VariantID) + i.SKU }

// Contact is how to reach a customer.
type Contact struct {
	Name  string `json:"name" maxLength:"200"`
	Email string `json:"email" maxLength:"254"`
	Phone string `json:"phone" maxLength:"40"`
}

// Resolve normalises the address and the contact of an order, and returns the errors that are visible without the database.
func (b *Body) Resolve(ctx huma.Context, at *huma.PathBuffer) []error {
	if b.Address != nil {
		*b.Address = b.Address.Normalised()
	}
	errs := b.fieldErrors(web.SettingsOf[config.Shop](ctx).PaymentMethods)
	switch {
	case b.Contact != nil:
		b.Contact.Phone, _ = address.Phone(b.Contact.Phone)
		errs = append(errs, b.Contact.fieldErrors()...)
	case auth.CallerFrom(ctx.Context()).HasNoAccount():
		errs = append(errs, problem.FieldError{Field: "contact", Message: "must be given by guests"})
	}
	if b.Points > 0 && auth.CallerFrom(ctx.Context()).HasNoAccount() {
		errs = append(errs, pointsOfGuests())
	}
	return web.FieldErrors(at, errs)
}

func pointsOfGuests() problem.FieldError {
	return problem.FieldError{Field: "points", Message: "are for customers with an account"}
}

func (b *Body) fieldErrors(methods []string) (errs []problem.FieldError) {
	add := func(field, message string) { errs = append(errs, problem.FieldError{Field: field, Message: message}) }
	switch {
	case b.BasketID == "" && len(b.Lines) == 0:
		add("lines", "must have at least one")
	case b.BasketID != "" && len(b.Lines) > 0:
		add("basket_id", "must be given without lines")
	case b.BasketID != "" && !id.Valid(b.BasketID):
		add("basket_id", "is not a UUID")
	}
	for i, line := range b.Lines {
		if line.countNames() != 1 {
			add(fmt.Sprintf("lines[%d]", i), "must have a product_id, a variant_id or a sku")
		}
		for field, value := range map[string]string{"product_id": line.ProductID, "variant_id": line.VariantID} {
			if value != "" && !id.Valid(value) {
				add(fmt.Sprintf("lines[%d].%s", i, field), "is not a UUID")
			}
		}
	}
	b.checkDestination(add)
	b.checkPayment(methods, add)
	if b.ExpectedTotal != nil {
		if _, ok := money.Exponent(b.ExpectedTotal.Currency); !ok {
			add("expected_total.currency", "is not a currency")
		}
	}
	return errs
}

func (b *Body) checkDestination(add func(field, message string)) {
	switch {
	case b.countDestinations() == 0:
		add("address", "must be given unless address_id or pickup is")
	case b.countDestinations() > 1:
		add("address", "must be given without address_id and pickup")
	case b.AddressID != "" && !id.Valid(b.AddressID):
		add("address_id", "is not a UUID")
	case b.Pickup != nil && !id.Valid(b.Pickup.StoreID):
		add("pickup.store_id", "is not a UUID")
	case b.Address != nil:
		for _, fieldError := range b.Address.Faults() {
			add("address."+fieldError.Field, fieldError.Message)
		}
	}
}

func (b *Body) checkPayment(methods []string, add func(field, message string)) {
	if b.PaymentMethod != points.Method && !slices.Contains(methods, b.PaymentMethod) {
		add("payment_method", "is not one of "+strings.Join(methods, ", "))
	}
	switch preAuthorised := b.PaymentMethod == payment.PreAuthorised; {
	case preAuthorised && b.AuthorisationID == "":
		add("authorisation_id", "must be given with payment_method pre_authorised")
	case !preAuthorised && b.AuthorisationID != "":
		add("authorisation_id", "must be left out unless payment_method is pre_authorised")
	case b.AuthorisationID != "" && !id.Valid(b.AuthorisationID):
		add("authorisation_id", "is not a UUID")
	}
}

// countDestinations counts the fields that give a destination; one is allowed.
func (b *Body) countDestinations() (n int) {
	for _, given := range []bool{b.Address != nil, b.AddressID != "", b.Pickup != nil} {
		if given {
			n++
		}
	}
	return n
}

func (c *Contact) fieldErrors() (errs []problem.FieldError) {
	if c.Name == "" {
		errs = append(errs, problem.FieldError{Field: "contact.name", Message: "must not be empty"})
	}
	if !typed.IsEmail(c.Email) {
		errs = append(errs, problem.FieldError{Field: "contact.email", Message: "is not an e-mail address"})
	}
	if _, ok := address.Phone(c.Phone); !ok {
		errs = append(errs, problem.FieldError{Field: "contact.phone", Message: "is not a telephone number"})
	}
	return errs
}
