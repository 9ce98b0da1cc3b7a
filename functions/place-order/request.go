package placeorder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"

	netmail "net/mail"

	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/web"
)

// Request is a call that places an order.
type Request struct {
	web.Key
	Prefer      string `header:"Prefer" maxLength:"100" doc:"wait=N: how many seconds to wait for the outcome, 2 unless said, 10 at most"`
	BasketToken string `header:"Popup-Basket-Token" maxLength:"100" doc:"for visitors: opens the basket that is ordered"`
	Body        Body
}

// Body is what is ordered, by whom, and where it goes.
type Body struct {
	Lines         []Item            `json:"lines,omitempty" maxItems:"100" doc:"what is ordered; or basket_id"`
	BasketID      string            `json:"basket_id,omitempty" format:"uuid" doc:"the caller's basket, which is ordered whole and closed"`
	Address       *address.Address  `json:"address,omitempty" doc:"where it goes; or address_id, or pickup"`
	AddressID     string            `json:"address_id,omitempty" format:"uuid" doc:"where it goes, of the caller's address book"`
	Pickup        *orderview.Pickup `json:"pickup,omitempty"`
	PaymentMethod string            `json:"payment_method" maxLength:"40" example:"simulated"`
	ExpectedTotal *money.Amount     `json:"expected_total,omitempty" doc:"refuse the order if its total is another"`
	Locale        string            `json:"locale,omitempty" maxLength:"20" pattern:"^[A-Za-z0-9-]*$" example:"en"`
	Contact       *Contact          `json:"contact,omitempty" doc:"for guests"`
}

// Item is a product or one of its variants, by its id or its SKU, and how many of it.
type Item struct {
	ProductID string `json:"product_id,omitempty" format:"uuid"`
	VariantID string `json:"variant_id,omitempty" format:"uuid"`
	SKU       string `json:"sku,omitempty" maxLength:"64"`
	Quantity  int64  `json:"quantity" minimum:"1" maximum:"99"`
}

// names are how many ways the line says what it is about.
func (i Item) names() (n int) {
	for _, name := range []string{i.ProductID, i.VariantID, i.SKU} {
		if name != "" {
			n++
		}
	}
	return n
}

// name is what the line is about, as products are found by it.
func (i Item) name() string { return strings.ToLower(i.ProductID+i.VariantID) + i.SKU }

// Contact is how a guest is reached.
type Contact struct {
	Name  string `json:"name" maxLength:"200"`
	Email string `json:"email" maxLength:"254"`
	Phone string `json:"phone" maxLength:"40"`
}

// faults lists what is wrong with an order before anything is looked up.
func (b Body) faults(methods []string) (faults []problem.FieldError) {
	add := func(field, why string) { faults = append(faults, problem.FieldError{Field: field, Message: why}) }
	switch {
	case b.BasketID == "" && len(b.Lines) == 0:
		add("lines", "must have at least one")
	case b.BasketID != "" && len(b.Lines) > 0:
		add("basket_id", "must be given without lines")
	case b.BasketID != "" && !id.Valid(b.BasketID):
		add("basket_id", "is not a UUID")
	}
	for i, line := range b.Lines {
		if line.names() != 1 {
			add(fmt.Sprintf("lines[%d]", i), "must have a product_id, a variant_id or a sku")
		}
		for field, value := range map[string]string{"product_id": line.ProductID, "variant_id": line.VariantID} {
			if value != "" && !id.Valid(value) {
				add(fmt.Sprintf("lines[%d].%s", i, field), "is not a UUID")
			}
		}
	}
	switch {
	case b.destinations() == 0:
		add("address", "must be given unless address_id or pickup is")
	case b.destinations() > 1:
		add("address", "must be given without address_id and pickup")
	case b.AddressID != "" && !id.Valid(b.AddressID):
		add("address_id", "is not a UUID")
	case b.Pickup != nil && !id.Valid(b.Pickup.StoreID):
		add("pickup.store_id", "is not a UUID")
	case b.Address != nil:
		for _, fault := range b.Address.Faults() {
			add("address."+fault.Field, fault.Message)
		}
	}
	if !slices.Contains(methods, b.PaymentMethod) {
		add("payment_method", "is not one of "+strings.Join(methods, ", "))
	}
	if b.ExpectedTotal != nil {
		if _, ok := money.Exponent(b.ExpectedTotal.Currency); !ok {
			add("expected_total.currency", "is not a currency")
		}
	}
	return append(faults, b.Contact.faults()...)
}

// destinations are how many ways the order says where it goes.
func (b Body) destinations() (n int) {
	for _, given := range []bool{b.Address != nil, b.AddressID != "", b.Pickup != nil} {
		if given {
			n++
		}
	}
	return n
}

func (c *Contact) faults() (faults []problem.FieldError) {
	if c == nil {
		return []problem.FieldError{{Field: "contact", Message: "must be given by guests"}}
	}
	if strings.TrimSpace(c.Name) == "" {
		faults = append(faults, problem.FieldError{Field: "contact.name", Message: "must not be empty"})
	}
	if parsed, err := netmail.ParseAddress(c.Email); err != nil || parsed.Address != c.Email {
		faults = append(faults, problem.FieldError{Field: "contact.email", Message: "is not an e-mail address"})
	}
	if !address.Phone(c.Phone) {
		faults = append(faults, problem.FieldError{Field: "contact.phone", Message: "is not a telephone number"})
	}
	return faults
}
