package problem

import (
	"errors"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/pgbatch"
)

// Codes and classes of Postgres (its appendix A) that a caller's values lead to. A constraint that a function did not
// expect (class 23) is not among them: a mistake of the shop may violate it as well.
const (
	dataExceptionClass  = "22"
	programLimitClass   = "54" // such as a value that is too large for an index
	divisionByZero      = "22012"
	notInRepertoire     = "22021" // a zero byte, or bytes that are not UTF-8
	eventSizeConstraint = "event_data_at_most_64_kib"
	classLength         = 2
)

// closedAccountConstraints refuse what a closed account can't have. The account was closed during the request.
var closedAccountConstraints = []string{
	"closed_accounts_have_nothing", "closed_accounts_order_nothing", "closed_accounts_name_nobody",
}

// FromDatabase returns the problem for an error of the database that no function expected: the request's fault where it can only
// be that, otherwise "dependency-down" for a database that cannot be reached, "busy" for errors that pass and Internal for all others.
func FromDatabase(err error) *Problem {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if p := fromPostgres(pg); p != nil {
			return p
		}
	}
	if pgbatch.IsDisconnected(err) {
		return New(http.StatusServiceUnavailable, "dependency-down",
			"A part of the shop does not respond. Try again, with the same Idempotency-Key.")
	}
	if pgbatch.IsUnavailable(err) {
		return New(http.StatusServiceUnavailable, "busy",
			"The shop cannot do this right now. Try again, with the same Idempotency-Key.")
	}
	return Internal()
}

// fromPostgres returns nil for an error that is not the request's fault.
func fromPostgres(pg *pgconn.PgError) *Problem {
	class := pg.Code[:min(classLength, len(pg.Code))]
	switch {
	case slices.Contains(closedAccountConstraints, pg.ConstraintName):
		return NotSignedIn()
	case pg.Code == notInRepertoire:
		return New(http.StatusBadRequest, "invalid", "The request contains bytes that are not text.")
	case pg.ConstraintName == eventSizeConstraint:
		return TooLargeToStore("body")
	case pg.Code != divisionByZero && class == dataExceptionClass, class == programLimitClass:
		return notStorable()
	}
	return nil
}

// notStorable rejects a request with a value that the database does not store.
func notStorable() *Problem {
	p := New(http.StatusUnprocessableEntity, "not-storable",
		"The shop cannot store a value of the request: it is too large or has a form that is not allowed.")
	p.Errors = []FieldError{{Field: "body", Message: "contains a value that cannot be stored"}}
	return p
}
