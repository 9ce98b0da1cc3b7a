package web

import (
	"context"
	"encoding/hex"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/token"
)

// The first statement of whatever is done for a caller: the function takes on its own role and says for whom it acts, and
// hears what has become of whoever the token names. Row-level security does the rest.
const (
	begin = `
		SELECT set_config('role', $1, true), set_config('popup.act', $2, true), set_config('popup.order_token_hash', $3, true),
			set_config('popup.caller', $4, true), set_config('popup.role', $5, true), set_config('popup.basket_token_hash', $6, true)`
	beginKnown = begin + `, s.role_now, s.live
		FROM accounts.standing($5, $4::text::uuid, nullif($7, '')::uuid) s`
)

// scope is that of a call.
func (s *server) scope(c call) pgbatch.Statement {
	args := []any{s.name, c.route, c.OrderTokenHash(), c.ID, c.Role, hashed(c.BasketToken)}
	if c.ID == "" || c.committed {
		return pgbatch.Statement{SQL: begin, Args: args}
	}
	return pgbatch.Statement{SQL: beginKnown, Args: append(args, c.Session), Row: c.checkAccountStatus}
}

// OrderTokenHash is what the database knows the caller's order token by, or "".
func (c Caller) OrderTokenHash() string { return hashed(c.OrderToken) }

func hashed(secret string) string {
	if secret == "" {
		return ""
	}
	return hex.EncodeToString(HashToken(secret))
}

// checkAccountStatus refuses those whose token names somebody who is not any more what it says. Who was demoted hears that the route
// is for others, if it is.
func (c call) checkAccountStatus(row pgx.Row) error {
	var set string
	var role string
	var live bool
	if err := row.Scan(&set, &set, &set, &set, &set, &set, &role, &live); err != nil {
		return err
	}
	now := c.Caller
	now.Role = role
	switch {
	case role != "" && role != c.Role && !admits(c.who, now):
		return NotAllowed()
	case role != c.Role || !live:
		return NotSignedIn()
	}
	return nil
}

// SetCaller makes a transaction that of somebody who has just shown who they are.
func SetCaller(ctx context.Context, tx pgx.Tx, who token.Claims) error {
	return pgbatch.Enqueue(ctx, tx, -1, `SELECT set_config('popup.caller', $1, true), set_config('popup.role', $2, true)`, who.ID, who.Role)
}

// GrantOrderToken makes a transaction see the order that a token opens, beside what its caller sees.
func GrantOrderToken(ctx context.Context, tx pgx.Tx, orderToken string) error {
	return pgbatch.Enqueue(ctx, tx, -1, `SELECT set_config('popup.order_token_hash', $1, true)`, Caller{OrderToken: orderToken}.OrderTokenHash())
}

// GrantBasketToken makes a transaction see the basket that a token opens.
func GrantBasketToken(ctx context.Context, tx pgx.Tx, basketToken string) error {
	return pgbatch.Enqueue(ctx, tx, -1, `SELECT set_config('popup.basket_token_hash', $1, true)`, hashed(basketToken))
}
