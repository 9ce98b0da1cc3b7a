package serveaccounts

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// RegisterRequest creates an account.
type RegisterRequest struct {
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Profile
		Password string `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and not a commonly used password."`
	}
}

// RegisterAnswer is the new user with the tokens of a session.
type RegisterAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		User
		Tokens
	}
}

// hashedPassword is the hash of a new password.
type hashedPassword struct{ hash string }

// Resolve returns what is wrong with the password.
func (in *RegisterRequest) Resolve(huma.Context) []error {
	return weaknessOf("password", in.Body.Password, in.Body.Email, in.Body.Name, in.Body.Phone)
}

// weaknessOf returns what is wrong with the new password in a field, for the method Resolve of a request.
func weaknessOf(field, secret string, known ...string) []error {
	weakness := password.Weakness(secret, known...)
	if weakness == "" {
		return nil
	}
	return web.BodyErrors([]problem.FieldError{{Field: field, Message: weakness}})
}

func prepareRegister(context.Context, pgx.Tx, *RegisterRequest) (*hashedPassword, error) {
	return &hashedPassword{}, nil
}

func hashPassword(ctx context.Context, in *RegisterRequest, h *hashedPassword) (err error) {
	h.hash, err = password.Hash(ctx, in.Body.Password)
	return err
}

// register creates an account and begins a session. The account of a guest keeps the guest's id and with it their
// orders.
func (a *accounts) register(
	ctx context.Context, tx pgx.Tx, in *RegisterRequest, h *hashedPassword,
) (*RegisterAnswer, []events.Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	claims := token.Claims{ID: id.String(), Role: token.Customer, Email: in.Body.Email}
	if caller := auth.CallerFrom(ctx); caller.Role == token.Guest {
		claims.ID = caller.ID
		if err := deleteGuest(ctx, tx, claims.ID); err != nil {
			return nil, nil, err
		}
	}
	if err := auth.SetCaller(ctx, tx, claims); err != nil {
		return nil, nil, err
	}
	answer := &RegisterAnswer{}
	if answer.Body.User, err = insertUser(ctx, tx, claims.ID, in.Body.Profile, h.hash); err != nil {
		return nil, nil, err
	}
	if answer.Body.Tokens, err = a.openSession(ctx, tx, claims, h.hash, in.UserAgent); err != nil {
		return nil, nil, err
	}
	answer.SetCookie = a.cookies.Set(answer.Body.AccessToken, answer.Body.RefreshToken)
	return answer, []events.Event{events.AccountCreated{CustomerID: claims.ID, Kind: "account"}}, nil
}

func insertUser(ctx context.Context, tx pgx.Tx, userID string, p Profile, hash string) (User, error) {
	u, err := scanUser(tx.QueryRow(ctx, `
		WITH made AS (
			INSERT INTO accounts.users (user_id, email, name, phone, locale)
			VALUES (@user_id, @email, @name, @phone, @locale)
			RETURNING `+userColumns+`
		), kept AS (
			INSERT INTO accounts.passwords (user_id, hash) VALUES (@user_id, @hash)
		)
		SELECT * FROM made`, pgx.NamedArgs{
		"user_id": userID, "email": p.Email, "name": p.Name, "phone": p.Phone, "locale": cmp.Or(p.Locale, "en"),
		"hash": hash,
	}))
	if violates(err, "users_email_unique") {
		return u, problem.New(http.StatusConflict, "e-mail-taken", "An account with this e-mail address exists already.")
	}
	if err != nil {
		return u, fmt.Errorf("store user %s: %w", userID, err)
	}
	return u, nil
}
