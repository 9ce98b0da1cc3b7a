package serveaccounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/web"
)

func readMe(ctx context.Context, db web.Reader, _ *struct{}) (*UserAnswer, error) {
	u, err := selectUser(ctx, db, auth.CallerFrom(ctx).ID)
	return &UserAnswer{u}, err
}

// ProfileRequest changes the profile of the caller.
type ProfileRequest struct {
	Body struct {
		Profile
		Password string `json:"password,omitempty" maxLength:"128" doc:"The current password. It is required to change the e-mail address."`
	}
}

// credentials is the verification of the current password, which a change of the password or the e-mail address
// requires.
type credentials struct {
	required     bool
	hash         string
	newHash      string // the hash of the new password
	throttleKeys []string
}

func prepareProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest) (*credentials, error) {
	u, err := selectUser(ctx, tx, auth.CallerFrom(ctx).ID)
	if err != nil || strings.EqualFold(u.Email, in.Body.Email) {
		return &credentials{}, err
	}
	if in.Body.Password == "" {
		return nil, problem.Invalid(problem.FieldError{Field: "password", Message: "is required to change the e-mail address"})
	}
	return readCredentials(ctx, tx)
}

// readCredentials reads the hash of the caller's password, "" for a caller without one, and counts an attempt.
func readCredentials(ctx context.Context, tx pgx.Tx) (*credentials, error) {
	p := &credentials{required: true, throttleKeys: []string{throttle.Key("proof", auth.CallerFrom(ctx).ID)}}
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT hash FROM accounts.passwords WHERE user_id = @user_id), '')`,
		pgx.NamedArgs{"user_id": auth.CallerFrom(ctx).ID}).Scan(&p.hash)
	if err != nil {
		return nil, fmt.Errorf("read password of user %s: %w", auth.CallerFrom(ctx).ID, err)
	}
	return p, throttle.Count(ctx, tx, p.throttleKeys)
}

func (r *ProfileRequest) currentPassword() (field, password string) {
	return "password", r.Body.Password
}
func (r *PasswordRequest) currentPassword() (field, password string) { return "old", r.Body.Old }

// checkCredentials verifies the current password, if it is required.
func checkCredentials[I any, P interface {
	*I
	currentPassword() (field, password string)
}](ctx context.Context, in *I, p *credentials) error {
	if !p.required {
		return nil
	}
	field, shown := P(in).currentPassword()
	ok, _, err := password.Verify(ctx, p.hash, shown)
	if err == nil && !ok {
		return problem.Invalid(problem.FieldError{Field: field, Message: "is not your password"})
	}
	return err
}

// changeProfile stores the profile, if the caller has verified the password or keeps the e-mail address.
func changeProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest, p *credentials) (*UserAnswer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	body := in.Body
	if err := throttle.Reset(ctx, tx, p.throttleKeys); err != nil {
		return nil, nil, err
	}
	u, err := scanUser(tx.QueryRow(ctx, `
		UPDATE accounts.users SET email = @email, name = @name, phone = @phone, locale = @locale
		WHERE user_id = @user_id AND closed_at IS NULL AND (@proven OR lower(email) = lower(@email))
		RETURNING `+userColumns, pgx.NamedArgs{
		"user_id": caller.ID, "email": body.Email, "name": body.Name, "phone": body.Phone,
		"locale": cmp.Or(body.Locale, "en"), "proven": p.required,
	}))
	if violates(err, "users_email_unique") {
		return nil, nil, problem.New(http.StatusConflict, "e-mail-taken",
			"An account with this e-mail address exists already.")
	}
	if errors.Is(err, pgx.ErrNoRows) { // closed, or given another e-mail address, since the first transaction
		return nil, nil, problem.NotSignedIn()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store profile of user %s: %w", caller.ID, err)
	}
	return &UserAnswer{u}, []events.Event{events.AccountChanged{CustomerID: caller.ID, Change: "profile"}}, nil
}
