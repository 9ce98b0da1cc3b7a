package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/token"
)

// ForgotRequest asks for a mail with a link to set a new password.
type ForgotRequest struct {
	Body struct {
		Email string `json:"email" minLength:"1" maxLength:"254"`
	}
}

// forgot has a mail sent to the account of an address. The response and its time are the same if there is none.
func forgot(ctx context.Context, tx pgx.Tx, in *ForgotRequest) (*struct{}, []events.Event, error) {
	keys := append(throttle.SourceKeys(ctx), throttle.Key("forgot", in.Body.Email))
	if err := throttle.Count(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	resetID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO accounts.resets (reset_id, user_id)
		SELECT @reset_id, u.user_id FROM (SELECT 1) AS always LEFT JOIN accounts.user_of_email(@email) u ON u.active`,
		pgx.NamedArgs{"reset_id": resetID.String(), "email": in.Body.Email})
	if err != nil {
		return nil, nil, fmt.Errorf("store request for a new password: %w", err)
	}
	return &struct{}{}, []events.Event{events.PasswordForgotten{ResetID: resetID.String()}}, nil
}

// ResetRequest sets a new password with the token of a mail.
type ResetRequest struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"100" doc:"The part of the link in the mail after #. It is valid for 30 minutes and one use."`
		New   string `json:"new" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and not a commonly used password."`
	}
}

// Resolve returns what is wrong with the new password.
func (in *ResetRequest) Resolve(huma.Context) []error { return weaknessOf("new", in.Body.New) }

func prepareReset(ctx context.Context, tx pgx.Tx, _ *ResetRequest) (*hashedPassword, error) {
	return &hashedPassword{}, throttle.Count(ctx, tx, throttle.SourceKeys(ctx))
}

func hashReset(ctx context.Context, in *ResetRequest, h *hashedPassword) (err error) {
	h.hash, err = password.Hash(ctx, in.Body.New)
	return err
}

// reset sets the password and ends all sessions of the account.
func reset(ctx context.Context, tx pgx.Tx, in *ResetRequest, h *hashedPassword) (*struct{}, []events.Event, error) {
	var userID, email string
	err := tx.QueryRow(ctx, `
		SELECT user_id::text, email FROM accounts.use_reset(@token, @hash)`,
		pgx.NamedArgs{"token": auth.HashToken(in.Body.Token), "hash": h.hash}).Scan(&userID, &email)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, problem.New(http.StatusConflict, "not-possible-now",
			"This link was used already or is too old. Ask for another one.")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reset password: %w", err)
	}
	if err := auth.SetCaller(ctx, tx, token.Claims{ID: userID}); err != nil {
		return nil, nil, err
	}
	keys := append(throttle.SourceKeys(ctx), throttle.Key("account", email, throttle.Network(ctx)), throttle.Key("everywhere", email))
	if err := throttle.Reset(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{
		events.AccountChanged{CustomerID: userID, Change: "password"},
		events.SessionRevoked{CustomerID: userID, SessionID: uuid.Nil.String(), Reason: "password"},
	}, nil
}
