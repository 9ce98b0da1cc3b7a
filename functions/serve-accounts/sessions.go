package serveaccounts

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Session is an open session of a user.
type Session struct {
	ID        string    `json:"id" format:"uuid"`
	Source    string    `json:"source" doc:"The client address at the login."`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Current   bool      `json:"current"`
}

func listSessions(ctx context.Context, db web.Reader, in *ListRequest) (items []Session, total int64, err error) {
	caller := auth.CallerFrom(ctx)
	args := pgx.NamedArgs{"user_id": caller.ID, "session_id": caller.Session, "limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Session],
		`FROM accounts.sessions WHERE user_id = @user_id AND ended_at IS NULL AND expires_at > now()`,
		`SELECT session_id::text, source, agent, created_at, used_at, expires_at, session_id = @session_id::uuid`,
		`ORDER BY used_at DESC, session_id LIMIT @limit OFFSET @offset`, args)
}

// EndRequest ends a session of the caller, or all but the current one.
type EndRequest struct {
	ID string `query:"id" format:"uuid" doc:"The session to end. Without it all sessions but the current one end."`
}

func endSessions(ctx context.Context, tx pgx.Tx, in *EndRequest) (*struct{}, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if in.ID == "" {
		_, err := revokeSessions(ctx, tx, caller.ID, caller.Session, true)
		revoked := events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "logout everywhere"}
		return &struct{}{}, []events.Event{revoked}, err
	}
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("session")
	}
	ended, err := revokeSessions(ctx, tx, caller.ID, in.ID, false)
	if err == nil && ended == 0 {
		err = problem.NotFound("session")
	}
	return &struct{}{}, nil, err
}
