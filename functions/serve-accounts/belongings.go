package serveaccounts

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/ssh"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// SSHKey is a key with which somebody comes in through the terminal.
type SSHKey struct {
	ID          string     `json:"id" format:"uuid"`
	Name        string     `json:"name"`
	Fingerprint string     `json:"fingerprint" example:"SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"`
	CreatedAt   time.Time  `json:"created_at"`
	LastUsedAt  *time.Time `json:"last_used_at,omitempty"`
}

func listSSHKeys(ctx context.Context, db web.Reader, in *ListRequest) (items []SSHKey, total int64, err error) {
	args := pgx.NamedArgs{"user_id": auth.CallerFrom(ctx).ID, "limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[SSHKey], `FROM accounts.ssh_keys WHERE user_id = @user_id`,
		`SELECT key_id::text, name, fingerprint, created_at, last_used_at`, `ORDER BY created_at, key_id LIMIT @limit OFFSET @offset`, args)
}

// SSHKeyRequest adds a public key.
type SSHKeyRequest struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100"`
		Key  string `json:"key" maxLength:"8192" doc:"a line of an authorized_keys file"`
	}
}

// SSHKeyAnswer is a key.
type SSHKeyAnswer struct{ Body SSHKey }

const shortestRSA = 2048

// readKey reads a public key of a kind that is safe.
func readKey(line string) (ssh.PublicKey, bool) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(rest) > 0 {
		return nil, false
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
		return key, true
	case ssh.KeyAlgoRSA:
		inner, is := key.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
		return key, is && inner.N.BitLen() >= shortestRSA
	}
	return nil, false
}

func addSSHKey(ctx context.Context, tx pgx.Tx, in *SSHKeyRequest) (*SSHKeyAnswer, []events.Event, error) {
	key, fine := readKey(in.Body.Key)
	if !fine {
		return nil, nil, problem.Invalid(problem.FieldError{Field: "key", Message: "is not a public key of a kind that is safe"})
	}
	if !oneLine(in.Body.Name) {
		return nil, nil, problem.Invalid(problem.FieldError{Field: "name", Message: "must be text on one line"})
	}
	keyID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	kept := SSHKey{ID: keyID.String(), Name: in.Body.Name, Fingerprint: ssh.FingerprintSHA256(key)}
	err = tx.QueryRow(ctx, `
		INSERT INTO accounts.ssh_keys (key_id, user_id, name, public_key, fingerprint)
		VALUES (@key_id, @user_id, @name, @public_key, @fingerprint)
		RETURNING created_at`, pgx.NamedArgs{
		"key_id": kept.ID, "user_id": auth.CallerFrom(ctx).ID, "name": kept.Name,
		"public_key": string(ssh.MarshalAuthorizedKey(key)), "fingerprint": kept.Fingerprint,
	}).Scan(&kept.CreatedAt)
	if breaks(err, "ssh_keys_belong_to_one_account") {
		return nil, nil, problem.New(http.StatusConflict, "key-taken", "this key belongs to an account")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store SSH key %s: %w", keyID, err)
	}
	return &SSHKeyAnswer{kept}, nil, nil
}

func deleteSSHKey(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	return gone(ctx, tx, "SSH key", in.ID, `
		DELETE FROM accounts.ssh_keys
		WHERE key_id = @id AND user_id = @caller`)
}

// Session is somebody's session on one machine.
type Session struct {
	ID        string    `json:"id" format:"uuid"`
	Source    string    `json:"source" doc:"the address that it came from"`
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

// EndRequest ends a session of the caller's, or all but the one that it comes from.
type EndRequest struct {
	ID string `query:"id" format:"uuid" doc:"one session; all others when there is none"`
}

func endSessions(ctx context.Context, tx pgx.Tx, in *EndRequest) (*struct{}, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if in.ID == "" {
		_, err := end(ctx, tx, caller.ID, caller.Session, true)
		said := events.SessionRevoked{CustomerID: caller.ID, SessionID: caller.Session, Reason: "logout everywhere"}
		return &struct{}{}, []events.Event{said}, err
	}
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("session")
	}
	ended, err := end(ctx, tx, caller.ID, in.ID, false)
	if err == nil && ended == 0 {
		err = problem.NotFound("session")
	}
	return &struct{}{}, nil, err
}
