package serveaccounts

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/web"
)

// RefreshRequest shows a refresh token, in the body or in the cookie.
type RefreshRequest struct {
	Cookie string `header:"Cookie"`
	Body   *struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"200"`
	}
}

// refresh gives a new pair for a refresh token. One that was used before was copied: the whole session ends.
func (a *accounts) refresh(ctx context.Context, tx pgx.Tx, in *RefreshRequest) (*TokensAnswer, []events.Event, error) {
	shown := a.cookies.Refresh(in.Cookie)
	if in.Body != nil && in.Body.RefreshToken != "" {
		shown = in.Body.RefreshToken
	}
	refused := wrong()
	refused.Cookies = a.cookies.Delete()
	who, _, found, err := ofToken(ctx, tx, shown)
	if err != nil || !found {
		return nil, nil, orProblem(err, refused)
	}
	if err := auth.SetCaller(ctx, tx, who); err != nil {
		return nil, nil, err
	}
	next := rand.Text() + rand.Text()
	rotated, valid, err := rotate(ctx, tx, shown, next)
	if err != nil {
		return nil, nil, err
	}
	if !valid {
		said, err := reused(ctx, tx, shown)
		return nil, said, orProblem(err, web.CommitRefusal(refused))
	}
	made, err := a.pair(rotated, next)
	return &TokensAnswer{a.cookies.Set(made.AccessToken, made.RefreshToken), made}, nil, err
}

// reused ends the session of a token that was used before. Two that use one at the same moment are seen here too: the
// second one waited for the first.
func reused(ctx context.Context, tx pgx.Tx, shown string) ([]events.Event, error) {
	who, spent, found, err := ofToken(ctx, tx, shown)
	if err != nil || !found || !spent {
		return nil, err
	}
	ended, err := end(ctx, tx, who.ID, who.Session, false)
	if err != nil || ended == 0 {
		return nil, err
	}
	return []events.Event{events.SessionRevoked{CustomerID: who.ID, SessionID: who.Session, Reason: "reuse"}}, nil
}

func orProblem(err, problem error) error {
	if err != nil {
		return err
	}
	return problem
}

// LogoutRequest ends a session, or all of somebody's.
type LogoutRequest struct {
	Everywhere bool `query:"everywhere"`
}

// ClearAnswer has browsers forget tokens.
type ClearAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
}

func (a *accounts) logout(ctx context.Context, tx pgx.Tx, in *LogoutRequest) (*ClearAnswer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if _, err := end(ctx, tx, caller.ID, caller.Session, false); err != nil {
		return nil, nil, err
	}
	answer := &ClearAnswer{a.cookies.Delete()}
	if !in.Everywhere {
		return answer, nil, nil
	}
	if _, err := end(ctx, tx, caller.ID, uuid.Nil.String(), true); err != nil {
		return nil, nil, err
	}
	return answer, []events.Event{events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "logout everywhere"}}, nil
}
