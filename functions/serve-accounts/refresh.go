package serveaccounts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// RefreshRequest shows a refresh token, in the body or in the cookie.
type RefreshRequest struct {
	Cookie string `header:"Cookie"`
	Body   *struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"200"`
	}
}

// refreshGrace is how long a used refresh token works on: two tabs may use it at the same time, and a response may be lost.
const refreshGrace = 10 * time.Second

// successor returns the refresh token that follows another one. It is the same each time, so that two uses of one token lead to one
// pair.
func successor(secret []byte, shown string) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte("refresh " + shown))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// refresh returns a new pair of tokens for a refresh token. A token that is used again after refreshGrace has been stolen, so its
// session ends.
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
	next := successor(a.secrets[0], shown)
	rotated, ok, err := rotate(ctx, tx, shown, next)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		rotated, next, ok, err = a.findSuccessor(ctx, tx, shown)
		if err != nil {
			return nil, nil, err
		}
	}
	if !ok {
		revoked, err := revokeReused(ctx, tx, shown)
		return nil, revoked, orProblem(err, web.CommitRefusal(refusal))
	}
	tokens, err := a.issueTokens(rotated, next)
	return &TokensAnswer{a.cookies.Set(tokens.AccessToken, tokens.RefreshToken), tokens}, nil, err
}

// findSuccessor returns the token that a refresh token was replaced by within refreshGrace, and its session. Of two concurrent uses the
// second waits in rotate for the first and comes here.
func (a *accounts) findSuccessor(ctx context.Context, tx pgx.Tx, shown string) (claims token.Claims, next string, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT user_id::text, role, email, session_id::text FROM accounts.session_of_spent_token(@shown, @within::interval)`,
		pgx.NamedArgs{"shown": auth.HashToken(shown), "within": refreshGrace}).Scan(&claims.ID, &claims.Role, &claims.Email, &claims.Session)
	if errors.Is(err, pgx.ErrNoRows) {
		return claims, "", false, nil
	}
	if err != nil {
		return claims, "", false, fmt.Errorf("find session of used refresh token: %w", err)
	}
	for _, secret := range a.secrets { // the key may have changed since
		next = successor(secret, shown)
		of, _, known, err := findSession(ctx, tx, next)
		if err != nil || known && of.Session == claims.Session {
			return claims, next, known, err
		}
	}
	return claims, "", false, nil
}

// revokeReused ends the session of a refresh token that has been used before.
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
