package serveaccounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/password"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// LoginRequest shows who somebody is.
type LoginRequest struct {
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"128"`
	}
}

// login is a try to sign in.
type login struct {
	who    token.Claims
	active bool
	hash   string // what is kept; "" when there is nobody
	fresh  string // what is to be kept in its place, or ""
	keys   []string
}

// wrong is all that is said about a password or a token that is not right.
func wrong() *problem.Problem {
	p := problem.NotSignedIn()
	p.Detail = "that is not right"
	return p
}

// prepareLogin counts the try as one that fails, until it does not. A machine from which somebody has signed in before is
// counted by itself, so that strangers who try do not lock the owner out.
func prepareLogin(ctx context.Context, tx pgx.Tx, in *LoginRequest) (*login, error) {
	var l login
	var known bool
	err := tx.QueryRow(ctx, `
		SELECT coalesce(u.user_id::text, ''), coalesce(u.role, ''), coalesce(u.active, false), coalesce(u.hash, ''),
			coalesce(accounts.known_source(u.user_id, @source), false)
		FROM (SELECT 1) AS always
		LEFT JOIN accounts.user_of_email(@email) u ON true`, pgx.NamedArgs{"email": in.Body.Email, "source": auth.SourceFrom(ctx)}).
		Scan(&l.who.ID, &l.who.Role, &l.active, &l.hash, &known)
	if err != nil {
		return nil, fmt.Errorf("read user to sign in: %w", err)
	}
	l.who.Email = in.Body.Email
	if !l.active {
		l.hash = ""
	}
	account := throttleKey("account", in.Body.Email)
	if known {
		account = throttleKey("account", in.Body.Email, auth.SourceFrom(ctx))
	}
	l.keys = append(sourceKeys(ctx), account)
	return &l, count(ctx, tx, l.keys)
}

// checkLogin takes as long for somebody who is not there as for somebody who is.
func checkLogin(ctx context.Context, in *LoginRequest, l *login) error {
	right, old, err := password.Verify(ctx, l.hash, in.Body.Password)
	if err != nil {
		return err
	}
	if !right {
		return wrong()
	}
	if old {
		l.fresh, err = password.Hash(ctx, in.Body.Password)
	}
	return err
}

func (a *accounts) login(ctx context.Context, tx pgx.Tx, in *LoginRequest, l *login) (*TokensAnswer, []events.Event, error) {
	if err := auth.SetCaller(ctx, tx, l.who); err != nil {
		return nil, nil, err
	}
	if err := calm(ctx, tx, l.keys); err != nil {
		return nil, nil, err
	}
	user, err := selectUser(ctx, tx, l.who.ID)
	if err != nil {
		return nil, nil, err
	}
	l.who.Role, l.who.Email = user.Role, user.Email
	made, err := a.open(ctx, tx, l.who, l.hash, in.UserAgent)
	if err != nil {
		return nil, nil, err
	}
	if l.fresh != "" {
		if err := setHash(ctx, tx, l.who.ID, l.hash, l.fresh); err != nil {
			return nil, nil, err
		}
	}
	return &TokensAnswer{a.cookies.Set(made.AccessToken, made.RefreshToken), made}, nil, nil
}

// setHash replaces a password's hash, if it is still the one that was looked at.
func setHash(ctx context.Context, tx pgx.Tx, userID, before, after string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.passwords SET hash = @after
		WHERE user_id = @user_id AND hash = @before`, pgx.NamedArgs{"user_id": userID, "before": before, "after": after})
	if err != nil {
		return fmt.Errorf("store password of user %s: %w", userID, err)
	}
	if tag.RowsAffected() != 1 {
		return wrong()
	}
	return nil
}
