package serveaccounts

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
)

// PasswordRequest changes a password.
type PasswordRequest struct {
	Body struct {
		Old string `json:"old" maxLength:"128"`
		New string `json:"new" minLength:"8" maxLength:"128" doc:"8 to 128 characters, and none that is tried first"`
	}
}

func preparePassword(ctx context.Context, tx pgx.Tx, in *PasswordRequest) (*proof, error) {
	if why := password.Weakness(in.Body.New, auth.CallerFrom(ctx).Email); why != "" {
		return nil, problem.Invalid(problem.FieldError{Field: "new", Message: why})
	}
	return readProof(ctx, tx)
}

func checkPassword(ctx context.Context, in *PasswordRequest, p *proof) (err error) {
	if err := checkProof(ctx, in, p); err != nil {
		return err
	}
	p.fresh, err = password.Hash(ctx, in.Body.New)
	return err
}

// changePassword ends all other sessions: who knew the old password is out.
func changePassword(ctx context.Context, tx pgx.Tx, _ *PasswordRequest, p *proof) (*struct{}, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if err := calm(ctx, tx, p.keys); err != nil {
		return nil, nil, err
	}
	if err := setHash(ctx, tx, caller.ID, p.hash, p.fresh); err != nil {
		return nil, nil, err
	}
	if _, err := end(ctx, tx, caller.ID, caller.Session, true); err != nil {
		return nil, nil, err
	}
	return &struct{}{}, []events.Event{
		events.AccountChanged{CustomerID: caller.ID, Change: "password"},
		events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "password"},
	}, nil
}
