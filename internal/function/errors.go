package function

import (
	"errors"

	"github.com/popup-shop/popup/internal/pgbatch"
)

type permanentError struct{ error }

// Unwrap returns the cause.
func (p permanentError) Unwrap() error { return p.error }

// Permanent marks an error that no retry can cure: the event becomes a dead letter for a person. Every other error is
// retried.
func Permanent(err error) error { return permanentError{err} }

type unavailableError struct{ error }

// Unwrap returns the cause.
func (u unavailableError) Unwrap() error { return u.error }

// Unavailable marks an error that is no verdict on the event: something that its handling needs is not there. The event
// is retried for as long as it takes and never becomes a dead letter. The runtime marks what a Call returns, lost
// connections and timeouts.
func Unavailable(err error) error { return unavailableError{err} }

// Reason returns what a function has against an event: "" if something that it needs was unavailable.
func Reason(err error) string {
	if isUnavailable(err) {
		return ""
	}
	return err.Error()
}

func isUnavailable(err error) bool {
	var u unavailableError
	return errors.As(err, &u) || pgbatch.IsUnavailable(err)
}

func isPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p)
}

// verdict returns the error of a handling that ran alone: data that the database rejects is permanent. What is a
// duplicate may succeed at the next attempt.
func verdict(err error) error {
	if pgbatch.IsInvalidData(err) || pgbatch.IsConstraint(err) && !pgbatch.IsDuplicate(err) {
		return Permanent(err)
	}
	return err
}
