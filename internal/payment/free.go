package payment

import (
	"context"
	"errors"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/points"
)

// Nothing is the method of the payment of an order that costs nothing, whatever method its customer chose.
const Nothing = "none"

// MethodFor returns the method by which an amount is paid: the one that the customer chose, or Nothing where nothing is to be paid, unless
// points pay it.
func MethodFor(chosen string, amount money.Amount) string {
	if amount.Minor == 0 && chosen != points.Method {
		return Nothing
	}
	return chosen
}

// Free is the provider of payments of 0, without a method or by points: they are paid at once, and no provider has them in its books.
type Free struct{}

// Name is "none".
func (Free) Name() string { return Nothing }

// Open returns a paid payment.
func (f Free) Open(_ context.Context, _ string, r Request) (Opened, error) { return f.Decide(r), nil }

// Decide returns a paid payment.
func (Free) Decide(r Request) Opened { return Opened{Ref: "free_" + r.PaymentID, Outcome: Paid} }

// Query returns an error: no provider has payments of 0 in its books.
func (Free) Query(context.Context, string) (State, error) {
	return State{}, errors.New("payments of 0 are in no books")
}

// Void has nothing to close: the payment is never open.
func (Free) Void(context.Context, string, string) (bool, error) { return false, nil }

// Refund has nothing to return.
func (Free) Refund(context.Context, string, string, money.Amount) (bool, string, error) {
	return true, "", nil
}
