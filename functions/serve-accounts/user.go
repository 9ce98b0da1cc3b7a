package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/popup-shop/popup/internal/problem"

	netmail "net/mail"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/web"
)

// User is an account or a guest, as the user and staff see it.
type User struct {
	ID        string    `json:"id" format:"uuid"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Phone     string    `json:"phone"`
	Role      string    `json:"role" example:"customer"`
	Active    bool      `json:"active"`
	Locale    string    `json:"locale"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// UserAnswer is a user.
type UserAnswer struct{ Body User }

// Profile has the data that users edit themselves.
type Profile struct {
	Email  string `json:"email" maxLength:"254" example:"ada@example.org"`
	Name   string `json:"name" minLength:"1" maxLength:"200"`
	Phone  string `json:"phone" maxLength:"40"`
	Locale string `json:"locale,omitempty" maxLength:"20" pattern:"^[A-Za-z0-9-]*$" example:"en"`
}

// fieldErrors returns the errors of a profile. Its texts must be on one line, since they are written into mails and
// headers.
func (p Profile) fieldErrors() (errs []problem.FieldError) {
	if parsed, err := netmail.ParseAddress(p.Email); err != nil || parsed.Address != p.Email {
		errs = append(errs, problem.FieldError{Field: "email", Message: "is not an e-mail address"})
	}
	return append(errs, checkNameAndPhone(p.Name, p.Phone)...)
}

func checkNameAndPhone(name, phone string) (errs []problem.FieldError) {
	if !isOneLine(name) {
		errs = append(errs, problem.FieldError{Field: "name", Message: "must be text on one line"})
	}
	if !address.Phone(phone) {
		errs = append(errs, problem.FieldError{Field: "phone", Message: "is not a telephone number"})
	}
	return errs
}

// isOneLine reports whether a text is not blank and has no line breaks or other control characters.
func isOneLine(text string) bool {
	return strings.TrimSpace(text) != "" && strings.IndexFunc(text, unicode.IsControl) < 0
}

const userColumns = `user_id::text, email, name, phone, role, active, locale, created_at, updated_at`

func scanUser(row pgx.Row) (u User, err error) {
	err = row.Scan(&u.ID, &u.Email, &u.Name, &u.Phone, &u.Role, &u.Active, &u.Locale, &u.CreatedAt, &u.UpdatedAt)
	u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
	return u, err
}

// selectUser returns a user that row-level security lets the caller see.
func selectUser(ctx context.Context, db web.Reader, userID string) (User, error) {
	u, err := scanUser(db.QueryRow(ctx, `
		SELECT `+userColumns+`
		FROM accounts.users
		WHERE user_id = @user_id AND closed_at IS NULL`, pgx.NamedArgs{"user_id": userID}))
	if errors.Is(err, pgx.ErrNoRows) {
		return u, problem.NotFound("user")
	}
	if err != nil {
		return u, fmt.Errorf("read user %s: %w", userID, err)
	}
	return u, nil
}

// violates reports whether an error is the violation of a constraint.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
