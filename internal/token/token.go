// Package token makes and reads access tokens: JSON Web Tokens signed with Ed25519 (RFC 8037) and nothing else. It
// knows neither users nor the database: whether who a token names may still come in is asked elsewhere.
package token

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Life is how long an access token opens doors.
const Life = time.Hour

const (
	ourselves = "popup" // who issues tokens, and for whom they are
	access    = "access"
	longest   = 4 << 10
)

// Roles that a token may give. A visitor has no token.
const (
	Guest    = "guest"
	Customer = "customer"
	Staff    = "staff"
	Admin    = "admin"
	Client   = "client"
)

var roles = []string{Guest, Customer, Staff, Admin, Client}

// ErrInvalid is the error for every token that is not valid.
var ErrInvalid = errors.New("not a valid access token")

// Claims identify the caller who presents a token.
type Claims struct {
	ID      string // of the user, guest or client
	Role    string
	Email   string   // of users
	Session string   // of users
	Scopes  []string // of clients

	Expires time.Time // of a token that was verified
}

// wire is a token's payload.
type wire struct {
	Type    string `json:"typ"`
	Role    string `json:"role"`
	Email   string `json:"email,omitempty"`
	Session string `json:"sid,omitempty"`
	Scope   string `json:"scope,omitempty"`
	jwt.RegisteredClaims
}

// Sign makes a token that is valid from now for Life, in whole seconds.
func (k Signing) Sign(c Claims, now time.Time) (string, error) {
	if k.key == nil {
		return "", errors.New("sign token: there is no key")
	}
	now = now.Truncate(time.Second)
	made := jwt.NewWithClaims(jwt.SigningMethodEdDSA, wire{
		Type: access, Role: c.Role, Email: c.Email, Session: c.Session, Scope: strings.Join(c.Scopes, " "),
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: c.ID, Issuer: ourselves, Audience: jwt.ClaimStrings{ourselves},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Life)),
		},
	})
	made.Header["kid"] = k.id
	signed, err := made.SignedString(k.key)
	if err != nil {
		return "", fmt.Errorf("sign token of %s %s: %w", c.Role, c.ID, err)
	}
	return signed, nil
}

var parser = jwt.NewParser(
	jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithExpirationRequired(),
	jwt.WithIssuer(ourselves), jwt.WithAudience(ourselves), jwt.WithStrictDecoding(),
)

// clockSkew is how far the clock of the program that issued a token may be ahead.
const clockSkew = 10 * time.Second

// Verify returns the claims of a token. Its kid only chooses among the keys that are given here; a key that it names or brings is
// ignored. A token whose header has critical extensions (RFC 7515, 4.1.11) is not valid: none are known here.
func (k Keys) Verify(text string) (Claims, error) {
	if len(text) > longest {
		return Claims{}, ErrInvalid
	}
	var w wire
	parsed, err := parser.ParseWithClaims(text, &w, k.choose)
	if err != nil || !w.valid(time.Now()) {
		return Claims{}, ErrInvalid
	}
	if _, critical := parsed.Header["crit"]; critical {
		return Claims{}, ErrInvalid
	}
	return Claims{ID: w.Subject, Role: w.Role, Email: w.Email, Session: w.Session, Scopes: strings.Fields(w.Scope), Expires: w.ExpiresAt.Time}, nil
}

// valid reports whether the payload is one that Sign makes.
func (w wire) valid(now time.Time) bool {
	switch {
	case w.Type != access, !slices.Contains(roles, w.Role), !isID(w.Subject), w.Session != "" && !isID(w.Session):
		return false
	case w.IssuedAt == nil, w.IssuedAt.After(now.Add(clockSkew)), w.ExpiresAt.Sub(w.IssuedAt.Time) > Life:
		return false
	}
	return true
}

// isID reports whether a text is a UUID in its usual form, which the database reads too.
func isID(text string) bool {
	return len(text) == len(uuid.UUID{}.String()) && uuid.Validate(text) == nil
}

func (k Keys) choose(t *jwt.Token) (any, error) {
	named, _ := t.Header["kid"].(string)
	for _, key := range k {
		if id(key) == named {
			return key, nil
		}
	}
	return ed25519.PublicKey(nil), ErrInvalid
}
