package functiontest

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/token"
)

// key makes the tokens of all tests.
var key = ed25519.NewKeyFromSeed([]byte("the seed that makes all tests go"))

// Person is somebody who is signed in.
type Person struct {
	ID     string
	Bearer string // for the Authorization header
}

// SignIn makes somebody with a role and signs them in. A client has the scopes.
func (s *Shop) SignIn(t testing.TB, role string, scopes ...string) Person {
	t.Helper()
	p := Person{ID: newID(t)}
	p.Bearer = Bearer(t, token.Claims{ID: p.ID, Role: role, Session: newID(t), Scopes: scopes})
	return p
}

// Staff is the Authorization header of the shop's one member of staff.
func (s *Shop) Staff(t testing.TB) string {
	t.Helper()
	if s.staff.Bearer == "" {
		s.staff = s.SignIn(t, token.Staff)
	}
	return s.staff.Bearer
}

// Bearer is the Authorization header of whoever the claims name.
func Bearer(t testing.TB, c token.Claims) string {
	t.Helper()
	signed, err := token.NewSigning(key).Sign(c, time.Now())
	require.NoError(t, err)
	return "Bearer " + signed
}

// PublicKey is the key of all tests' tokens, as TOKEN_PUBLIC_KEYS holds it.
func PublicKey() string {
	_, public := config.KeySettings(key)
	return public
}
