package shoptest

import (
	"context"
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/token"
)

// key makes the tokens of all tests.
var key = ed25519.NewKeyFromSeed([]byte("the seed that makes all tests go"))

// Person is a signed-in user, guest or client.
type Person struct {
	ID      string
	Session string
	Email   string
	Bearer  string // for the Authorization header
}

// SignIn creates an account, guest or client with a role and signs it in. A client has the scopes.
func (s *Shop) SignIn(t testing.TB, role string, scopes ...string) Person {
	t.Helper()
	c := token.Claims{ID: newID(t), Role: role, Session: newID(t), Email: newID(t) + "@example.test", Scopes: scopes}
	require.NoError(t, AddAccount(t.Context(), s.Pool, c))
	return Person{ID: c.ID, Session: c.Session, Email: c.Email, Bearer: Bearer(t, c)}
}

// AddAccount creates the user with the session, the guest or the client that a token names.
func AddAccount(ctx context.Context, pool *pgxpool.Pool, c token.Claims) error {
	sql := `
		WITH made AS (
			INSERT INTO accounts.users (user_id, email, name, phone, role) VALUES ($1, $3, 'Ada Byron', '+49 40 1234567', $4) RETURNING user_id
		)
		INSERT INTO accounts.sessions (session_id, user_id, refresh_hash, source, agent, expires_at)
		SELECT $2::uuid, user_id, decode(md5($2::uuid::text), 'hex'), '192.0.2.1', 'test', now() + interval '1 day' FROM made`
	args := []any{c.ID, c.Session, c.Email, c.Role}
	switch c.Role {
	case token.Guest:
		sql, args = `INSERT INTO accounts.guests (guest_id, name, phone) VALUES ($1, 'Ada Byron', '+49 40 1234567')`, args[:1]
	case token.Client:
		sql = `
			WITH made AS (
				INSERT INTO accounts.users (user_id, email, role) VALUES ($2, $3, 'admin') RETURNING user_id
			)
			INSERT INTO accounts.clients (client_id, name, secret_hash, scopes, owner_id)
			SELECT $1::uuid, 'test', decode(md5($1::uuid::text), 'hex'), $4, user_id FROM made`
		args[3] = c.Scopes
	}
	_, err := pool.Exec(ctx, sql, args...)
	return err
}

// Staff is the Authorization header of the shop's one member of staff.
func (s *Shop) Staff(t testing.TB) string {
	t.Helper()
	s.hire.Do(func() { s.staff = s.SignIn(t, token.Staff) })
	return s.staff.Bearer
}

// Bearer returns the Authorization header for claims.
func Bearer(t testing.TB, c token.Claims) string {
	t.Helper()
	return BearerOf(t, c, time.Now())
}

// BearerOf is Bearer with a token that was made at another time.
func BearerOf(t testing.TB, c token.Claims, at time.Time) string {
	t.Helper()
	signed, err := token.NewSigning(key).Sign(c, at)
	require.NoError(t, err)
	return "Bearer " + signed
}

// PublicKey is the key of all tests' tokens, as TOKEN_PUBLIC_KEYS holds it.
func PublicKey() string {
	_, public := config.KeySettings(key)
	return public
}

// ClaimsOf returns the claims of an access token.
func ClaimsOf(t testing.TB, signed string) token.Claims {
	t.Helper()
	claims, err := token.Keys{key.Public().(ed25519.PublicKey)}.Verify(signed)
	require.NoError(t, err)
	return claims
}

// Copy is another copy of all functions, on the same database.
func (s *Shop) Copy(t testing.TB) *Shop {
	t.Helper()
	return &Shop{
		URL: s.URL, Pool: s.Pool, Broker: s.Broker, functions: slices.Clone(s.functions),
		runtimes: map[string]*function.Runtime{},
	}
}
