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
	"github.com/popup-shop/popup/internal/web"
)

func readMe(ctx context.Context, db web.Reader, _ *struct{}) (*UserAnswer, error) {
	u, err := selectUser(ctx, db, auth.CallerFrom(ctx).ID)
	return &UserAnswer{u}, err
}

// ProfileRequest is what somebody says about themselves from now on.
type ProfileRequest struct {
	Body struct {
		Profile
		Password string `json:"password,omitempty" maxLength:"128" doc:"needed to change the e-mail address"`
	}
}

// proof is a password that is to be shown again, and what is kept of it.
type proof struct {
	needed bool
	hash   string
	fresh  string // the hash of the next password
	keys   []string
}

func prepareProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest) (*proof, error) {
	if faults := in.Body.faults(); faults != nil {
		return nil, problem.Invalid(faults...)
	}
	u, err := selectUser(ctx, tx, auth.CallerFrom(ctx).ID)
	if err != nil || strings.EqualFold(u.Email, in.Body.Email) {
		return &proof{}, err
	}
	if in.Body.Password == "" {
		return nil, problem.Invalid(problem.FieldError{Field: "password", Message: "is needed to change the e-mail address"})
	}
	return readProof(ctx, tx)
}

// readProof reads what is kept of the caller's password, which is nothing for those who have none, and counts a try to show it.
func readProof(ctx context.Context, tx pgx.Tx) (*proof, error) {
	p := &proof{needed: true, keys: []string{throttleKey("proof", auth.CallerFrom(ctx).ID)}}
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT hash FROM accounts.passwords WHERE user_id = @user_id), '')`, pgx.NamedArgs{"user_id": auth.CallerFrom(ctx).ID}).Scan(&p.hash)
	if err != nil {
		return nil, fmt.Errorf("read password of user %s: %w", auth.CallerFrom(ctx).ID, err)
	}
	return p, count(ctx, tx, p.keys)
}

func (r *ProfileRequest) shown() (field, password string)  { return "password", r.Body.Password }
func (r *PasswordRequest) shown() (field, password string) { return "old", r.Body.Old }

// checkProof looks whether the password that was shown is right, where one is needed.
func checkProof[I any, P interface {
	*I
	shown() (field, password string)
}](ctx context.Context, in *I, p *proof) error {
	if !p.needed {
		return nil
	}
	field, shown := P(in).shown()
	right, _, err := password.Verify(ctx, p.hash, shown)
	if err == nil && !right {
		return problem.Invalid(problem.FieldError{Field: field, Message: "is not your password"})
	}
	return err
}

func changeProfile(ctx context.Context, tx pgx.Tx, in *ProfileRequest, p *proof) (*UserAnswer, []events.Event, error) {
	caller, body := auth.CallerFrom(ctx), in.Body
	if err := calm(ctx, tx, p.keys); err != nil {
		return nil, nil, err
	}
	u, err := scanUser(tx.QueryRow(ctx, `
		UPDATE accounts.users SET email = @email, name = @name, phone = @phone, locale = @locale
		WHERE user_id = @user_id AND closed_at IS NULL AND (@proven OR lower(email) = lower(@email))
		RETURNING `+userColumns, pgx.NamedArgs{
		"user_id": caller.ID, "email": body.Email, "name": body.Name, "phone": body.Phone, "locale": cmp.Or(body.Locale, "en"), "proven": p.needed,
	}))
	if breaks(err, "users_email_unique") {
		return nil, nil, problem.New(http.StatusConflict, "e-mail-taken", "there is an account with this e-mail address")
	}
	if errors.Is(err, pgx.ErrNoRows) { // closed, or given another address, since the proof was asked for
		return nil, nil, problem.NotSignedIn()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store profile of user %s: %w", caller.ID, err)
	}
	return &UserAnswer{u}, []events.Event{events.AccountChanged{CustomerID: caller.ID, Change: "profile"}}, nil
}
