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

// User is somebody who is known, as they and staff see them.
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

// Profile is what people say about themselves.
type Profile struct {
	Email  string `json:"email" maxLength:"254" example:"ada@example.org"`
	Name   string `json:"name" minLength:"1" maxLength:"200"`
	Phone  string `json:"phone" maxLength:"40"`
	Locale string `json:"locale,omitempty" maxLength:"20" pattern:"^[A-Za-z0-9-]*$" example:"en"`
}

// faults lists what is wrong with a profile. What it says stands in mails and headers one day: it is text on one line.
func (p Profile) faults() (faults []problem.FieldError) {
	if parsed, err := netmail.ParseAddress(p.Email); err != nil || parsed.Address != p.Email {
		faults = append(faults, problem.FieldError{Field: "email", Message: "is not an e-mail address"})
	}
	return append(faults, nameAndPhone(p.Name, p.Phone)...)
}

func nameAndPhone(name, phone string) (faults []problem.FieldError) {
	if !oneLine(name) {
		faults = append(faults, problem.FieldError{Field: "name", Message: "must be text on one line"})
	}
	if !address.Phone(phone) {
		faults = append(faults, problem.FieldError{Field: "phone", Message: "is not a telephone number"})
	}
	return faults
}

// oneLine says whether a text can be seen and does not break.
func oneLine(text string) bool {
	return strings.TrimSpace(text) != "" && strings.IndexFunc(text, unicode.IsControl) < 0
}

const userColumns = `user_id::text, email, name, phone, role, active, locale, created_at, updated_at`

func scanUser(row pgx.Row) (u User, err error) {
	err = row.Scan(&u.ID, &u.Email, &u.Name, &u.Phone, &u.Role, &u.Active, &u.Locale, &u.CreatedAt, &u.UpdatedAt)
	u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
	return u, err
}

// selectUser reads a user whom the caller may see.
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

// breaks says whether an error is that a promise of the schema would be broken.
func breaks(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
