package serveaccounts

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hiddeco/sshsig"
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

		Signature string `json:"signature,omitempty" maxLength:"8192" doc:"Proves that you have the private key: what ssh-keygen -Y sign -n popup writes for the id of your account. It is required for a key that another account has added without such a proof."`
	}
}

// namespace of signatures that are made for the shop.
const namespace = "popup"

// provesKey reports whether a text is a signature of the account's id by a key.
func provesKey(key ssh.PublicKey, signature, userID string) bool {
	s, err := sshsig.Unarmor([]byte(signature))
	return err == nil && sshsig.Verify(strings.NewReader(userID), s, key, s.HashAlgorithm, namespace) == nil
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

func (r *SSHKeyRequest) parse(userID string) (ssh.PublicKey, error) {
	key, ok := parseKey(r.Body.Key)
	switch {
	case !ok:
		return nil, problem.Invalid(problem.FieldError{Field: "key", Message: "is not a public key of a secure kind"})
	case r.Body.Signature != "" && !provesKey(key, r.Body.Signature, userID):
		return nil, problem.Invalid(problem.FieldError{Field: "signature", Message: "is not a signature of your account's id by this key"})
	}
	return key, nil
}

// addSSHKey adds a key to the account of the caller. With a signature it takes the key from an account that has none.
func addSSHKey(ctx context.Context, tx pgx.Tx, in *SSHKeyRequest) (*SSHKeyAnswer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	key, err := in.parse(caller.ID)
	if err != nil {
		return nil, nil, err
	}
	if err := requireRoom(ctx, tx, sshKeyRoom); err != nil {
		return nil, nil, err
	}
	keyID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	stored := SSHKey{ID: keyID.String(), Name: in.Body.Name, Fingerprint: ssh.FingerprintSHA256(key)}
	proven := in.Body.Signature != ""
	if proven {
		if err := releaseUnprovenKey(ctx, tx, stored.Fingerprint); err != nil {
			return nil, nil, err
		}
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO accounts.ssh_keys (key_id, user_id, name, public_key, fingerprint, proven)
		VALUES (@key_id, @user_id, @name, @public_key, @fingerprint, @proven)
		RETURNING created_at`, pgx.NamedArgs{
		"key_id": stored.ID, "user_id": caller.ID, "name": stored.Name, "proven": proven,
		"public_key": string(ssh.MarshalAuthorizedKey(key)), "fingerprint": stored.Fingerprint,
	}).Scan(&stored.CreatedAt)
	if violates(err, "ssh_keys_belong_to_one_account") {
		return nil, nil, problem.New(http.StatusConflict, "key-taken",
			"This key belongs to an account already. If it is yours, add it with a signature of your account's id.")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store SSH key %s: %w", keyID, err)
	}
	return &SSHKeyAnswer{stored}, nil, nil
}

func releaseUnprovenKey(ctx context.Context, tx pgx.Tx, fingerprint string) error {
	_, err := tx.Exec(ctx, `SELECT accounts.release_unproven_key(@fingerprint)`, pgx.NamedArgs{"fingerprint": fingerprint})
	if err != nil {
		return fmt.Errorf("release SSH key %s: %w", fingerprint, err)
	}
	return nil
}

func deleteSSHKey(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	return deleteOwned(ctx, tx, "SSH key", in.ID, `
		DELETE FROM accounts.ssh_keys
		WHERE key_id = @id AND user_id = @caller`)
}
