package serveaccounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/token"
)

// Tokens are an access token, which is valid for an hour, and a refresh token, which is valid for a day.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token" doc:"Valid for one use."`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds until the access token expires."`
	TokenType    string `json:"token_type" example:"Bearer"`
}

// TokensAnswer is a new pair of tokens, in the body and in cookies.
type TokensAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Tokens
}

// maxSessions is the maximum of sessions of a user. A further one ends the least recently used one.
const maxSessions = 20

// openSession begins a session, if hash is still that of the user's password.
func (a *accounts) openSession(ctx context.Context, tx pgx.Tx, claims token.Claims, hash, agent string) (Tokens, error) {
	sessionID, err := uuid.NewV7()
	if err != nil {
		return Tokens{}, err
	}
	claims.Session = sessionID.String()
	refresh := rand.Text() + rand.Text()
	if err := insertSession(ctx, tx, claims, refresh, hash, auth.SourceFrom(ctx), truncateAgent(agent)); err != nil {
		return Tokens{}, err
	}
	return a.issueTokens(claims, refresh)
}

func (a *accounts) issueTokens(claims token.Claims, refresh string) (Tokens, error) {
	access, err := a.signing.Sign(claims, time.Now())
	return Tokens{AccessToken: access, RefreshToken: refresh, ExpiresIn: int(token.Life.Seconds()), TokenType: "Bearer"}, err
}

// truncateAgent returns the first 200 characters of a User-Agent.
func truncateAgent(agent string) string {
	if runes := []rune(agent); len(runes) > 200 {
		return string(runes[:200])
	}
	return agent
}

// insertSession stores a session, ends the least recently used ones over the maximum and deletes those that expired
// long ago. It locks the account and its password, so that a concurrent change of them sees the session or comes before
// it.
func insertSession(ctx context.Context, tx pgx.Tx, claims token.Claims, refresh, hash, source, agent string) error {
	tag, err := tx.Exec(ctx, `
		WITH gone AS (
			DELETE FROM accounts.sessions WHERE user_id = @user_id AND expires_at < now() - interval '30 days'
		), over AS (
			UPDATE accounts.sessions SET ended_at = now()
			WHERE session_id IN (
				SELECT session_id FROM accounts.sessions
				WHERE user_id = @user_id AND ended_at IS NULL AND expires_at >= now() - interval '30 days'
				ORDER BY used_at DESC
				OFFSET @most - 1)
		)
		INSERT INTO accounts.sessions (session_id, user_id, refresh_hash, source, agent, expires_at)
		SELECT @session_id, user_id, @refresh_hash, @source, @agent, now() + @life::interval
		FROM accounts.users
		JOIN accounts.passwords USING (user_id)
		WHERE user_id = @user_id AND active AND hash = @hash
		FOR SHARE`, pgx.NamedArgs{
		"user_id": claims.ID, "session_id": claims.Session, "refresh_hash": auth.HashToken(refresh),
		"source": source, "agent": agent, "life": auth.RefreshLife, "hash": hash, "most": maxSessions,
	})
	if err != nil {
		return fmt.Errorf("begin session of user %s: %w", claims.ID, err)
	}
	if tag.RowsAffected() != 1 { // the password or the account changed between the two transactions of a login
		return invalidCredentials()
	}
	return nil
}

// rotate replaces a refresh token, if it is the current one of an open session.
func rotate(ctx context.Context, tx pgx.Tx, shown, next string) (claims token.Claims, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		WITH rotated AS (
			UPDATE accounts.sessions s SET refresh_hash = @next, used_at = now(), expires_at = now() + @life::interval
			FROM accounts.users u
			WHERE s.refresh_hash = @shown AND s.ended_at IS NULL AND s.expires_at > now() AND u.user_id = s.user_id AND u.active
			RETURNING s.session_id, u.user_id, u.role, u.email
		), gone AS (
			DELETE FROM accounts.spent_tokens t USING rotated r
			WHERE t.session_id = r.session_id AND t.spent_at < now() - @life::interval
		), spent AS (
			INSERT INTO accounts.spent_tokens (refresh_hash, session_id) SELECT @shown, session_id FROM rotated
		)
		SELECT user_id::text, role, email, session_id::text FROM rotated`, pgx.NamedArgs{
		"shown": auth.HashToken(shown), "next": auth.HashToken(next), "life": auth.RefreshLife,
	}).Scan(&claims.ID, &claims.Role, &claims.Email, &claims.Session)
	if errors.Is(err, pgx.ErrNoRows) {
		return claims, false, nil
	}
	if err != nil {
		return claims, false, fmt.Errorf("replace refresh token: %w", err)
	}
	return claims, true, nil
}

// findSession returns the session of a refresh token, and reports whether the token has been used (spent).
func findSession(ctx context.Context, tx pgx.Tx, shown string) (claims token.Claims, spent, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT session_id::text, user_id::text, spent FROM accounts.session_of_token(@shown)`,
		pgx.NamedArgs{"shown": auth.HashToken(shown)}).Scan(&claims.Session, &claims.ID, &spent)
	if errors.Is(err, pgx.ErrNoRows) {
		return claims, false, false, nil
	}
	if err != nil {
		return claims, false, false, fmt.Errorf("find session of refresh token: %w", err)
	}
	return claims, spent, true, nil
}

// revokeSessions ends a session of a user, or all others if others is true, and returns how many.
func revokeSessions(ctx context.Context, tx pgx.Tx, userID, sessionID string, others bool) (ended int64, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.sessions SET ended_at = now()
		WHERE user_id = @user_id AND ended_at IS NULL AND (session_id = @session_id) <> @others`,
		pgx.NamedArgs{"user_id": userID, "session_id": sessionID, "others": others})
	if err != nil {
		return 0, fmt.Errorf("end sessions of user %s: %w", userID, err)
	}
	return tag.RowsAffected(), nil
}
