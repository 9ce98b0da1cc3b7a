package payment

import (
	"context"
	"errors"

	"github.com/popup-shop/popup/internal/money"
)

// Authorised is the provider of payments from amounts that customers authorised beforehand. They are in the shop's own books: create-payment
// sets an amount aside, and the customer has it captured.
type Authorised struct{}

// PreAuthorised is the code of the method, and the provider's name.
const PreAuthorised = "pre_authorised"

// NotEnoughMoney is the reason of a payment for which too little is free.
const NotEnoughMoney = "not_enough_money"

// Name is PreAuthorised.
func (Authorised) Name() string { return PreAuthorised }

// Set returns the payment for which free is left of an authorisation. The customer pays it in the shop.
func (Authorised) Set(r Request, free int64) Opened {
	if free < r.Amount.Minor {
		return Opened{Ref: "auth_" + r.PaymentID, Outcome: Declined, Reason: NotEnoughMoney}
	}
	return Opened{Ref: "auth_" + r.PaymentID, Outcome: SetAside, URI: r.ReturnURL}
}

var errOwnBooks = errors.New("pre-authorised amounts are in the shop's own books")

// Open returns an error: amounts are set aside in the shop's own books.
func (Authorised) Open(context.Context, string, Request) (Opened, error) {
	return Opened{}, errOwnBooks
}

// Query returns an error: there are no other books.
func (Authorised) Query(context.Context, string) (State, error) { return State{}, errOwnBooks }

// Void has nothing to close elsewhere.
func (Authorised) Void(context.Context, string, string) (bool, error) { return false, nil }

// Refund has nothing to return elsewhere: what is refunded can be used again.
func (Authorised) Refund(context.Context, string, string, money.Amount) (bool, string, error) {
	return true, "", nil
}
