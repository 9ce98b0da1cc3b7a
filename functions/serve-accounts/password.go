package serveaccounts

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/throttle"
)

// PasswordRequest changes a password.
type PasswordRequest struct {
	Body struct {
		Old string `json:"old" maxLength:"128"`
		New string `json:"new" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and not a commonly used password."`
	}
}

// Resolve returns what is wrong with the new password.
func (in *PasswordRequest) Resolve(ctx huma.Context) []error {
	return weaknessOf("new", in.Body.New, auth.CallerFrom(ctx.Context()).Email)
}

func preparePassword(ctx context.Context, tx pgx.Tx, _ *PasswordRequest) (*credentials, error) {
	return readCredentials(ctx, tx)
}

func checkPassword(ctx context.Context, in *PasswordRequest, p *credentials) (err error) {
	if err := checkCredentials(ctx, in, p); err != nil {
		return err
	}
	p.newHash, err = password.Hash(ctx, in.Body.New)
	return err
}

// changePassword stores the new password and ends all other sessions, which may be of a person who knew the old one.
func changePassword(ctx context.Context, tx pgx.Tx, _ *PasswordRequest, p *credentials) (*struct{}, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if err := throttle.Reset(ctx, tx, p.throttleKeys); err != nil {
		return nil, nil, err
	}
	if err := setHash(ctx, tx, caller.ID, p.hash, p.newHash); err != nil {
		return nil, nil, err
	}
	if _, err := revokeSessions(ctx, tx, caller.ID, caller.Session, true); err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{
		events.AccountChanged{CustomerID: caller.ID, Change: "password"},
		events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "password"},
	}, nil
}
