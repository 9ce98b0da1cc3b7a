package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/typed"
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

// Resolve normalises a profile and returns its errors.
func (p *Profile) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	var errs []problem.FieldError
	if !typed.IsEmail(p.Email) {
		errs = append(errs, problem.FieldError{Field: "email", Message: "is not an e-mail address"})
	}
	return web.FieldErrors(at, append(errs, normalisePhone(&p.Phone)...))
}

func normalisePhone(phone *string) []problem.FieldError {
	number, ok := address.Phone(*phone)
	if !ok {
		return []problem.FieldError{{Field: "phone", Message: "is not a telephone number"}}
	}
	*phone = number
	return nil
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
