package placeorder

import (
	"context"
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

// checkAuthorisation returns a problem for an amount that the caller has not authorised. Whether enough of it is free is found out by the
// payment check.
func checkAuthorisation(ctx context.Context, tx pgx.Tx, id string) error {
	if id == "" {
		return nil
	}
	var known bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM payments.authorisations WHERE authorisation_id = @id AND owner_id = bus.caller())`,
		pgx.NamedArgs{"id": id}).Scan(&known)
	if err != nil {
		return fmt.Errorf("read authorisation %s: %w", id, err)
	}
	if !known {
		return problem.New(http.StatusBadRequest, "authorisation-unknown", "The caller has authorised no such amount.")
	}
	return nil
}
