package auth

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// The first statement of every transaction for a caller sets the role of the function and the settings that row-level
// security reads. For a caller with an id it also returns the account's role now, and whether its session is still
// valid.
const (
	setScope = `
		SELECT set_config('role', $1, true), set_config('popup.act', $2, true), set_config('popup.order_token_hash', $3, true),
			set_config('popup.caller', $4, true), set_config('popup.role', $5, true), set_config('popup.basket_token_hash', $6, true)`
	setScopeAndCheck = setScope + `, s.role_now, s.live
		FROM accounts.standing($5, $4::text::uuid, nullif($7, '')::uuid) s`
)

// Scope returns the statement that limits a transaction of a function to what the caller of r may see. It fails when
// the account has been closed, or its role no longer allows the route.
func (r Request) Scope(function string) pgbatch.Statement {
	args := append(r.scopeArgs(function), r.Session)
	if r.Claims.ID == "" {
		return r.ScopeUnchecked(function)
	}
	return pgbatch.Statement{SQL: setScopeAndCheck, Args: args, Row: r.checkAccountStatus}
}

// ScopeUnchecked is Scope without a look at the account, for reads after the request's change is committed.
func (r Request) ScopeUnchecked(function string) pgbatch.Statement {
	return pgbatch.Statement{SQL: setScope, Args: r.scopeArgs(function)}
}

func (r Request) scopeArgs(function string) []any {
	return []any{function, r.Route, r.OrderTokenHash(), r.Claims.ID, r.Role, hashText(r.BasketToken)}
}

// OrderTokenHash returns what the database stores of the caller's order token, or "".
func (c Caller) OrderTokenHash() string { return hashText(c.OrderToken) }

func hashText(secret string) string {
	if secret == "" {
		return ""
	}
	return hex.EncodeToString(HashToken(secret))
}

// checkAccountStatus rejects a token whose account has been closed or whose role has changed since it was issued: 403
// if the new role may not use the route, 401 otherwise.
func (r Request) checkAccountStatus(row pgx.Row) error {
	var ignored string
	var role string
	var live bool
	if err := row.Scan(&ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &role, &live); err != nil {
		return err
	}
	now := r.Caller
	now.Role = role
	switch {
	case role != "" && role != r.Role && !now.Allowed(r.Access):
		return problem.NotAllowed()
	case role != r.Role || !live:
		return problem.NotSignedIn()
	}
	return nil
}

// SetCaller makes a transaction one of the account that has just signed in.
func SetCaller(ctx context.Context, tx pgx.Tx, claims token.Claims) error {
	return pgbatch.Enqueue(ctx, tx, -1,
		`SELECT set_config('popup.caller', $1, true), set_config('popup.role', $2, true)`, claims.ID, claims.Role)
}

// GrantOrderToken lets a transaction also see the order that a token opens.
func GrantOrderToken(ctx context.Context, tx pgx.Tx, orderToken string) error {
	return pgbatch.Enqueue(ctx, tx, -1, `SELECT set_config('popup.order_token_hash', $1, true)`, hashText(orderToken))
}

// GrantBasketToken lets a transaction also see the basket that a token opens.
func GrantBasketToken(ctx context.Context, tx pgx.Tx, basketToken string) error {
	return pgbatch.Enqueue(ctx, tx, -1, `SELECT set_config('popup.basket_token_hash', $1, true)`, hashText(basketToken))
}

// CheckAccount returns a problem if the account of the caller may not use its route any more. db has the scope of the
// caller; each of its reads makes this check, and this one makes nothing else.
func CheckAccount(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) error {
	var ok bool
	if err := db.QueryRow(ctx, `SELECT true`).Scan(&ok); err != nil {
		return fmt.Errorf("check the caller: %w", err)
	}
	return nil
}
