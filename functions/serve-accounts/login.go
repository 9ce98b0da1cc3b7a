package serveaccounts

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/token"
)

// LoginRequest signs a user in.
type LoginRequest struct {
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"128"`
	}
}

// login is an attempt to sign in.
type login struct {
	claims       token.Claims
	active       bool
	hash         string // of the stored password; "" without an active account
	newHash      string // a hash to replace it with, or ""
	throttleKeys []string
	delay        time.Duration // before the password is verified
}

// invalidCredentials returns the problem of a failed login. It does not reveal whether the account exists.
func invalidCredentials() *problem.Problem {
	p := problem.NotSignedIn()
	p.Detail = "The e-mail address or the password is wrong."
	return p
}

// prepareLogin reads the account and counts the attempt as failed; login takes that back. Attempts are counted for each
// network, and for the account in each network. The count of an account over all networks only delays attempts from an
// address from which the user has not signed in before.
func prepareLogin(ctx context.Context, tx pgx.Tx, in *LoginRequest) (*login, error) {
	var l login
	var isKnownSource bool
	err := tx.QueryRow(ctx, `
		SELECT coalesce(u.user_id::text, ''), coalesce(u.role, ''), coalesce(u.active, false), coalesce(u.hash, ''),
			coalesce(accounts.known_source(u.user_id, @source), false)
		FROM (SELECT 1) AS always
		LEFT JOIN accounts.user_of_email(@email) u ON true`, pgx.NamedArgs{"email": in.Body.Email, "source": auth.SourceFrom(ctx)}).
		Scan(&l.claims.ID, &l.claims.Role, &l.active, &l.hash, &isKnownSource)
	if err != nil {
		return nil, fmt.Errorf("read user to sign in: %w", err)
	}
	l.claims.Email = in.Body.Email
	if !l.active {
		l.hash = ""
	}
	l.throttleKeys = append(throttle.SourceKeys(ctx), throttle.Key("account", in.Body.Email, throttle.Network(ctx)))
	if err := throttle.Count(ctx, tx, l.throttleKeys); err != nil {
		return nil, err
	}
	everywhere := throttle.Key("everywhere", in.Body.Email)
	l.throttleKeys = append(l.throttleKeys, everywhere)
	if !isKnownSource {
		l.delay, err = throttle.CountForDelay(ctx, tx, everywhere)
	}
	return &l, err
}

// checkLogin verifies the password. It takes the same time whether or not the account exists.
func checkLogin(ctx context.Context, in *LoginRequest, l *login) error {
	ok, outdated, err := password.Verify(ctx, l.hash, in.Body.Password)
	if err != nil {
		return err
	}
	if !ok {
		return invalidCredentials()
	}
	if outdated {
		l.newHash, err = password.Hash(ctx, in.Body.Password)
	}
	return err
}

// login begins a session.
func (a *accounts) login(ctx context.Context, tx pgx.Tx, in *LoginRequest, l *login) (*TokensAnswer, []events.Event, error) {
	if err := auth.SetCaller(ctx, tx, l.claims); err != nil {
		return nil, nil, err
	}
	if err := throttle.Reset(ctx, tx, l.throttleKeys); err != nil {
		return nil, nil, err
	}
	user, err := selectUser(ctx, tx, l.claims.ID)
	if err != nil {
		return nil, nil, err
	}
	l.claims.Role, l.claims.Email = user.Role, user.Email
	tokens, err := a.openSession(ctx, tx, l.claims, l.hash, in.UserAgent)
	if err != nil {
		return nil, nil, err
	}
	if l.newHash != "" {
		if err := setHash(ctx, tx, l.claims.ID, l.hash, l.newHash); err != nil {
			return nil, nil, err
		}
	}
	return &TokensAnswer{a.cookies.Set(tokens.AccessToken, tokens.RefreshToken), tokens}, nil, nil
}

// setHash replaces the hash of a password, if it is still the one that was verified.
func setHash(ctx context.Context, tx pgx.Tx, userID, before, after string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.passwords SET hash = @after
		WHERE user_id = @user_id AND hash = @before`, pgx.NamedArgs{"user_id": userID, "before": before, "after": after})
	if err != nil {
		return fmt.Errorf("store password of user %s: %w", userID, err)
	}
	if tag.RowsAffected() != 1 {
		return invalidCredentials()
	}
	return nil
}
