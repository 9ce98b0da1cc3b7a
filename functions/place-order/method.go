package placeorder

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/problem"
)

// checkMethod returns a problem for a payment method that does not take the total of the order.
func (o *priced) checkMethod() error {
	if o.TotalMinor == 0 {
		return nil
	}
	if o.PaymentMethod == points.Method {
		return notTaken("can be points only if they pay the whole order")
	}
	m, ok := payment.MethodOf(o.PaymentMethod)
	total := money.Amount{Minor: o.TotalMinor, Currency: o.Currency}
	switch {
	case !ok || m.Takes(total):
		return nil
	case o.Currency == m.Currency:
		return notTaken("takes at most " + money.Amount{Minor: m.AtMost, Currency: m.Currency}.String())
	}
	return notTaken("takes only " + m.Currency)
}

func notTaken(message string) error {
	return problem.Invalid(problem.FieldError{Field: "payment_method", Message: message})
}

// checkAuthorisation returns a problem for an amount that the caller has not authorised, or has in another currency. Whether enough of it
// is free is found out by the payment check.
func checkAuthorisation(ctx context.Context, tx pgx.Tx, id, currency string) error {
	if id == "" {
		return nil
	}
	var of string
	err := tx.QueryRow(ctx, `
		SELECT currency FROM payments.authorisations WHERE authorisation_id = @id AND owner_id = bus.caller()`, pgx.NamedArgs{"id": id}).Scan(&of)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return problem.New(http.StatusBadRequest, "authorisation-unknown", "The caller has authorised no such amount.")
	case err != nil:
		return fmt.Errorf("read authorisation %s: %w", id, err)
	case of != currency:
		return problem.Invalid(problem.FieldError{Field: "authorisation_id", Message: "is an amount in " + of + ", and the order is in " + currency})
	}
	return nil
}
