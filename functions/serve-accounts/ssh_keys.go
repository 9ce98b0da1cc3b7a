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
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// SSHKey is a public key with which a user signs in to the shop by SSH.
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
		Key  string `json:"key" maxLength:"8192" doc:"A line of an authorized_keys file."`
	}
}

// SSHKeyAnswer is a key.
type SSHKeyAnswer struct{ Body SSHKey }

const minRSABits = 2048

// parseKey parses a public key. It rejects algorithms and lengths that are not secure.
func parseKey(line string) (ssh.PublicKey, bool) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(rest) > 0 {
		return nil, false
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
		return key, true
	case ssh.KeyAlgoRSA:
		inner, ok := key.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
		return key, ok && inner.N.BitLen() >= minRSABits
	}
	return nil, false
}

func addSSHKey(ctx context.Context, tx pgx.Tx, in *SSHKeyRequest) (*SSHKeyAnswer, []events.Event, error) {
	key, ok := parseKey(in.Body.Key)
	if !ok {
		return nil, nil, problem.Invalid(problem.FieldError{Field: "key", Message: "is not a public key of a secure kind"})
	}
	keyID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	stored := SSHKey{ID: keyID.String(), Name: in.Body.Name, Fingerprint: ssh.FingerprintSHA256(key)}
	err = tx.QueryRow(ctx, `
		INSERT INTO accounts.ssh_keys (key_id, user_id, name, public_key, fingerprint)
		VALUES (@key_id, @user_id, @name, @public_key, @fingerprint)
		RETURNING created_at`, pgx.NamedArgs{
		"key_id": stored.ID, "user_id": auth.CallerFrom(ctx).ID, "name": stored.Name,
		"public_key": string(ssh.MarshalAuthorizedKey(key)), "fingerprint": stored.Fingerprint,
	}).Scan(&stored.CreatedAt)
	if violates(err, "ssh_keys_belong_to_one_account") {
		return nil, nil, problem.New(http.StatusConflict, "key-taken", "This key belongs to an account already.")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store SSH key %s: %w", keyID, err)
	}
	return &SSHKeyAnswer{stored}, nil, nil
}

func deleteSSHKey(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	return deleteOwned(ctx, tx, "SSH key", in.ID, `
		DELETE FROM accounts.ssh_keys
		WHERE key_id = @id AND user_id = @caller`)
}
