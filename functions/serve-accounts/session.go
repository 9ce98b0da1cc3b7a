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

// Tokens open doors for an hour, and give new ones for a day.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token" doc:"good for one use"`
	ExpiresIn    int    `json:"expires_in" doc:"seconds until the access token ends"`
	TokenType    string `json:"token_type" example:"Bearer"`
}

// TokensAnswer is a new pair, as body and as cookies.
type TokensAnswer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Tokens
}

// mostSessions is how many sessions somebody has at the most; the one that was used longest ago ends.
const mostSessions = 20

// open begins a session of somebody whose password is still the one that was shown.
func (a *accounts) open(ctx context.Context, tx pgx.Tx, who token.Claims, hash, agent string) (Tokens, error) {
	sessionID, err := uuid.NewV7()
	if err != nil {
		return Tokens{}, err
	}
	who.Session = sessionID.String()
	refresh := rand.Text() + rand.Text()
	if err := insertSession(ctx, tx, who, refresh, hash, auth.SourceFrom(ctx), cut(agent)); err != nil {
		return Tokens{}, err
	}
	return a.pair(who, refresh)
}

func (a *accounts) pair(who token.Claims, refresh string) (Tokens, error) {
	access, err := a.signing.Sign(who, time.Now())
	return Tokens{AccessToken: access, RefreshToken: refresh, ExpiresIn: int(token.Life.Seconds()), TokenType: "Bearer"}, err
}

// cut is as much of a User-Agent as tells one machine from another.
func cut(agent string) string {
	if runes := []rune(agent); len(runes) > 200 {
		return string(runes[:200])
	}
	return agent
}

// insertSession locks the account and its password against a change that would not see the session, stores the session, ends those that are one too many, and forgets those that are long over.
func insertSession(ctx context.Context, tx pgx.Tx, who token.Claims, refresh, hash, source, agent string) error {
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
		"user_id": who.ID, "session_id": who.Session, "refresh_hash": auth.HashToken(refresh), "source": source, "agent": agent,
		"life": auth.RefreshLife, "hash": hash, "most": mostSessions,
	})
	if err != nil {
		return fmt.Errorf("begin session of user %s: %w", who.ID, err)
	}
	if tag.RowsAffected() != 1 { // changed between the two transactions of a login
		return wrong()
	}
	return nil
}

// rotate replaces a refresh token, if it is the last one of a session that runs.
func rotate(ctx context.Context, tx pgx.Tx, shown, next string) (who token.Claims, found bool, err error) {
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
	}).Scan(&who.ID, &who.Role, &who.Email, &who.Session)
	if errors.Is(err, pgx.ErrNoRows) {
		return who, false, nil
	}
	if err != nil {
		return who, false, fmt.Errorf("replace refresh token: %w", err)
	}
	return who, true, nil
}

// ofToken finds the session that a refresh token is or was of.
func ofToken(ctx context.Context, tx pgx.Tx, shown string) (who token.Claims, spent, found bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT session_id::text, user_id::text, spent FROM accounts.session_of_token(@shown)`,
		pgx.NamedArgs{"shown": auth.HashToken(shown)}).Scan(&who.Session, &who.ID, &spent)
	if errors.Is(err, pgx.ErrNoRows) {
		return who, false, false, nil
	}
	if err != nil {
		return who, false, false, fmt.Errorf("find session of refresh token: %w", err)
	}
	return who, spent, true, nil
}

// end ends sessions of a user: the one that is named, or all but it.
func end(ctx context.Context, tx pgx.Tx, userID, sessionID string, others bool) (ended int64, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.sessions SET ended_at = now()
		WHERE user_id = @user_id AND ended_at IS NULL AND (session_id = @session_id) <> @others`,
		pgx.NamedArgs{"user_id": userID, "session_id": sessionID, "others": others})
	if err != nil {
		return 0, fmt.Errorf("end sessions of user %s: %w", userID, err)
	}
	return tag.RowsAffected(), nil
}
