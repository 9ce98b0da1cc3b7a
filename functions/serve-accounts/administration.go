package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// UsersRequest filters the list of users and guests.
type UsersRequest struct {
	web.Paging
	Q       string `query:"q" maxLength:"100" doc:"A part of a name, an e-mail address or a telephone number."`
	Role    string `query:"role" enum:"guest,customer,staff,admin"`
	Active  string `query:"active" enum:"true,false"`
	Ordered string `query:"ordered" enum:"true,false" doc:"Whether the user has ever ordered."`
	Sort    string `query:"sort" enum:"created_at,-created_at,name,-name,email,-email" default:"-created_at"`
}

var sortColumns = map[string]string{
	"created_at": "created_at, user_id", "-created_at": "created_at DESC, user_id DESC",
	"name": "lower(name), user_id", "-name": "lower(name) DESC, user_id DESC",
	"email": "lower(email), user_id", "-email": "lower(email) DESC, user_id DESC",
}

// listUsers returns users and guests.
func listUsers(ctx context.Context, db web.Reader, in *UsersRequest) (items []User, total int64, err error) {
	const from = `FROM (
			SELECT user_id, email, name, phone, role, active, locale, created_at, updated_at FROM accounts.users WHERE closed_at IS NULL
			UNION ALL
			SELECT guest_id, '', name, phone, 'guest', true, '', created_at, updated_at FROM accounts.guests
		) AS u
		WHERE (@q = '' OR name ILIKE @like OR email ILIKE @like OR phone LIKE @like)
		AND @role IN ('', role) AND @active IN ('', active::text)
		AND (@ordered = '' OR @ordered::boolean = EXISTS (SELECT FROM orders.orders o WHERE o.customer_id = u.user_id))`
	args := pgx.NamedArgs{
		"q": in.Q, "like": "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(in.Q) + "%", "role": in.Role, "active": in.Active,
		"ordered": in.Ordered, "limit": in.Limit, "offset": in.Offset(),
	}
	return web.QueryPage(ctx, db, func(row pgx.CollectableRow) (User, error) { return scanUser(row) }, from, `SELECT `+userColumns,
		`ORDER BY `+sortColumns[in.Sort]+` LIMIT @limit OFFSET @offset`, args)
}

func readUser(ctx context.Context, db web.Reader, in *Named) (*UserAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("user")
	}
	u, err := selectUser(ctx, db, in.ID)
	return &UserAnswer{u}, err
}

// UserChange sets the role of a user, and whether the account is active.
type UserChange struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Role   string `json:"role" enum:"customer,staff,admin"`
		Active bool   `json:"active"`
	}
}

// changeUser changes the role of a user, or disables or enables the account. Sessions that began with the old
// permissions end.
func changeUser(ctx context.Context, tx pgx.Tx, in *UserChange) (*UserAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("user")
	}
	if err := lockUser(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	before, err := selectUser(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	after, err := scanUser(tx.QueryRow(ctx, `
		UPDATE accounts.users SET role = @role, active = @active
		WHERE user_id = @user_id AND closed_at IS NULL
		RETURNING `+userColumns, pgx.NamedArgs{"user_id": in.ID, "role": in.Body.Role, "active": in.Body.Active}))
	switch {
	case violates(err, "the_last_admin_stays"):
		return nil, nil, lastAdmin()
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil, problem.NotFound("user")
	case err != nil:
		return nil, nil, fmt.Errorf("change user %s: %w", in.ID, err)
	}
	emitted, err := revokeAfterChange(ctx, tx, before, after)
	return &UserAnswer{after}, emitted, err
}

// revokeAfterChange ends the sessions of a user whose permissions have changed, and returns the events to emit.
func revokeAfterChange(ctx context.Context, tx pgx.Tx, before, after User) (emitted []events.Event, err error) {
	if before.Role != after.Role {
		emitted = append(emitted, events.AccountChanged{CustomerID: after.ID, Change: "role"})
	}
	disabled := before.Active && !after.Active
	if disabled {
		emitted = append(emitted, events.AccountChanged{CustomerID: after.ID, Change: "disabled"})
	}
	if len(emitted) == 0 {
		return nil, nil
	}
	last, err := lastSession(ctx, tx, after.ID)
	if err != nil {
		return nil, err
	}
	if _, err := revokeSessions(ctx, tx, after.ID, auth.CallerFrom(ctx).Session, true); err != nil {
		return nil, err
	}
	if disabled && last != "" {
		emitted = append(emitted, events.SessionRevoked{CustomerID: after.ID, SessionID: last, Reason: "disabled"})
	}
	return emitted, nil
}

// lastSession returns the open session that the user used last, or "".
func lastSession(ctx context.Context, tx pgx.Tx, userID string) (sessionID string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT session_id::text FROM accounts.sessions
		WHERE user_id = @user_id AND ended_at IS NULL
		ORDER BY used_at DESC
		LIMIT 1`, pgx.NamedArgs{"user_id": userID}).Scan(&sessionID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("read last session of user %s: %w", userID, err)
	}
	return sessionID, nil
}
