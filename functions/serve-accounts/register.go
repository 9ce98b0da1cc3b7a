package serveaccounts

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// RegisterRequest asks for an account.
type RegisterRequest struct {
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Profile
		Password string `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and none that is tried first"`
	}
}

// RegisterAnswer is the new user, signed in.
type RegisterAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		User
		Tokens
	}
}

// hashed is the hash of a new password.
type hashed struct{ hash string }

func prepareRegister(_ context.Context, _ pgx.Tx, in *RegisterRequest) (*hashed, error) {
	faults := in.Body.faults()
	if why := password.Weakness(in.Body.Password, in.Body.Email, in.Body.Name, in.Body.Phone); why != "" {
		faults = append(faults, problem.FieldError{Field: "password", Message: why})
	}
	if faults != nil {
		return nil, problem.Invalid(faults...)
	}
	return &hashed{}, nil
}

func hashNew(ctx context.Context, in *RegisterRequest, h *hashed) (err error) {
	h.hash, err = password.Hash(ctx, in.Body.Password)
	return err
}

// register makes an account and signs its owner in. A guest's account keeps the guest's id, and so their orders.
func (a *accounts) register(ctx context.Context, tx pgx.Tx, in *RegisterRequest, h *hashed) (*RegisterAnswer, []events.Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	who := token.Claims{ID: id.String(), Role: token.Customer, Email: in.Body.Email}
	if caller := auth.CallerFrom(ctx); caller.Role == token.Guest {
		who.ID = caller.ID
		if err := deleteGuest(ctx, tx, who.ID); err != nil {
			return nil, nil, err
		}
	}
	if err := auth.SetCaller(ctx, tx, who); err != nil {
		return nil, nil, err
	}
	answer := &RegisterAnswer{}
	if answer.Body.User, err = insertUser(ctx, tx, who.ID, in.Body.Profile, h.hash); err != nil {
		return nil, nil, err
	}
	if answer.Body.Tokens, err = a.open(ctx, tx, who, h.hash, in.UserAgent); err != nil {
		return nil, nil, err
	}
	answer.SetCookie = a.cookies.Set(answer.Body.AccessToken, answer.Body.RefreshToken)
	return answer, []events.Event{events.AccountCreated{CustomerID: who.ID, Kind: "account"}}, nil
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
		"user_id": userID, "email": p.Email, "name": p.Name, "phone": p.Phone, "locale": cmp.Or(p.Locale, "en"), "hash": hash,
	}))
	if breaks(err, "users_email_unique") {
		return u, problem.New(http.StatusConflict, "e-mail-taken", "there is an account with this e-mail address")
	}
	if err != nil {
		return u, fmt.Errorf("store user %s: %w", userID, err)
	}
	return u, nil
}
