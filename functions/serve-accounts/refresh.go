package serveaccounts

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// RefreshRequest shows a refresh token, in the body or in the cookie.
type RefreshRequest struct {
	Cookie string `header:"Cookie"`
	Body   *struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"200"`
	}
}

// refresh returns a new pair of tokens for a refresh token. A token that is used for a second time has been stolen, so
// its session ends.
func (a *accounts) refresh(ctx context.Context, tx pgx.Tx, in *RefreshRequest) (*TokensAnswer, []events.Event, error) {
	shown := a.cookies.Refresh(in.Cookie)
	if in.Body != nil && in.Body.RefreshToken != "" {
		shown = in.Body.RefreshToken
	}
	refusal := problem.NotSignedIn()
	refusal.Cookies = a.cookies.Delete()
	claims, _, ok, err := findSession(ctx, tx, shown)
	if err != nil || !ok {
		return nil, nil, orProblem(err, refusal)
	}
	if err := auth.SetCaller(ctx, tx, claims); err != nil {
		return nil, nil, err
	}
	next := rand.Text() + rand.Text()
	rotated, ok, err := rotate(ctx, tx, shown, next)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		revoked, err := revokeReused(ctx, tx, shown)
		return nil, revoked, orProblem(err, web.CommitRefusal(refusal))
	}
	tokens, err := a.issueTokens(rotated, next)
	return &TokensAnswer{a.cookies.Set(tokens.AccessToken, tokens.RefreshToken), tokens}, nil, err
}

// revokeReused ends the session of a refresh token that has been used before. Of two concurrent uses the second waits
// in rotate for the first and comes here too.
func revokeReused(ctx context.Context, tx pgx.Tx, shown string) ([]events.Event, error) {
	claims, spent, ok, err := findSession(ctx, tx, shown)
	if err != nil || !ok || !spent {
		return nil, err
	}
	ended, err := revokeSessions(ctx, tx, claims.ID, claims.Session, false)
	if err != nil || ended == 0 {
		return nil, err
	}
	return []events.Event{events.SessionRevoked{CustomerID: claims.ID, SessionID: claims.Session, Reason: "reuse"}}, nil
}

func orProblem(err, problem error) error {
	if err != nil {
		return err
	}
	return problem
}

// LogoutRequest ends the session of the caller, or all of their sessions.
type LogoutRequest struct {
	Everywhere bool `query:"everywhere"`
}

// ClearAnswer deletes the cookies with tokens.
type ClearAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
}

func (a *accounts) logout(ctx context.Context, tx pgx.Tx, in *LogoutRequest) (*ClearAnswer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if _, err := revokeSessions(ctx, tx, caller.ID, caller.Session, false); err != nil {
		return nil, nil, err
	}
	answer := &ClearAnswer{a.cookies.Delete()}
	if !in.Everywhere {
		return answer, nil, nil
	}
	if _, err := revokeSessions(ctx, tx, caller.ID, uuid.Nil.String(), true); err != nil {
		return nil, nil, err
	}
	revoked := events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "logout everywhere"}
	return answer, []events.Event{revoked}, nil
}
