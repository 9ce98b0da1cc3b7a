package token_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/token"
)

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

func public(keys ...ed25519.PrivateKey) (all token.Keys) {
	for _, key := range keys {
		all = append(all, key.Public().(ed25519.PublicKey))
	}
	return all
}

func ada() token.Claims {
	return token.Claims{ID: uuid.NewString(), Role: token.Customer, Email: "ada@example.test", Session: uuid.NewString()}
}

func sign(t testing.TB, key ed25519.PrivateKey, c token.Claims, at time.Time) string {
	t.Helper()
	signed, err := token.NewSigning(key).Sign(c, at)
	require.NoError(t, err)
	return signed
}

// part reads the header (0) or the payload (1) of a token.
func part(t testing.TB, signed string, n int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(signed, ".")[n])
	require.NoError(t, err)
	var read map[string]any
	require.NoError(t, json.Unmarshal(text, &read))
	return read
}

func TestATokenIsValidForAnHourToTheSecond(t *testing.T) {
	t.Parallel()
	key, who := newKey(t), ada()
	signed := sign(t, key, who, time.Now())
	read, err := public(key).Verify(signed)
	require.NoError(t, err)
	require.Empty(t, read.Scopes)
	require.WithinDuration(t, time.Now().Add(time.Hour), read.Expires, 2*time.Second)
	read.Scopes, read.Expires = nil, time.Time{}
	require.Equal(t, who, read)
	payload := part(t, signed, 1)
	require.EqualValues(t, 3600, payload["exp"].(float64)-payload["iat"].(float64))
	require.Equal(t, "EdDSA", part(t, signed, 0)["alg"])

	old := sign(t, key, who, time.Now().Add(-3601*time.Second))
	_, err = public(key).Verify(old)
	require.ErrorIs(t, err, token.ErrInvalid)
}

func TestScopesOfAClientTravelAlong(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	read, err := public(key).Verify(sign(t, key,
		token.Claims{ID: uuid.NewString(), Role: token.Client, Scopes: []string{"stock", "orders"}}, time.Now()))
	require.NoError(t, err)
	require.Equal(t, []string{"stock", "orders"}, read.Scopes)
}

func TestTwoKeysAreValidAndARemovedKeyEndsItsTokens(t *testing.T) {
	t.Parallel()
	before, after := newKey(t), newKey(t)
	old, fresh := sign(t, before, ada(), time.Now()), sign(t, after, ada(), time.Now())
	for _, signed := range []string{old, fresh} {
		_, err := public(after, before).Verify(signed)
		require.NoError(t, err)
	}
	_, err := public(after).Verify(old)
	require.ErrorIs(t, err, token.ErrInvalid)
	_, err = public(after).Verify(fresh)
	require.NoError(t, err)
	_, err = token.Keys(nil).Verify(fresh)
	require.ErrorIs(t, err, token.ErrInvalid, "without keys nobody is anybody")
}

func TestAKeysNameIsItsThumbprint(t *testing.T) {
	t.Parallel()
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") // RFC 8037, appendix A.3
	require.NoError(t, err)
	set := token.Keys{x}.Set()
	require.Equal(t, []token.JWK{{
		Type: "OKP", Curve: "Ed25519", X: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", ID: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", Use: "sig", Alg: "EdDSA",
	}}, set)
}

// claims are those of a good token, with changes.
func claims(change jwt.MapClaims) jwt.MapClaims {
	now := time.Now()
	made := jwt.MapClaims{
		"sub": uuid.NewString(), "role": "admin", "typ": "access", "iss": "popup", "aud": "popup", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if made[name] = value; value == nil {
			delete(made, name)
		}
	}
	return made
}

func TestATokenThatIsNotOursOpensNothing(t *testing.T) {
	t.Parallel()
	key, foreign := newKey(t), newKey(t)
	theRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	kid := public(key).Set()[0].ID
	forge := func(method jwt.SigningMethod, with any, header map[string]any, change jwt.MapClaims) string {
		made := jwt.NewWithClaims(method, claims(change))
		made.Header["kid"] = kid
		for name, value := range header {
			made.Header[name] = value
		}
		signed, err := made.SignedString(with)
		require.NoError(t, err)
		return signed
	}
	ours := func(change jwt.MapClaims) string { return forge(jwt.SigningMethodEdDSA, key, nil, change) }
	named := func(kid any) string {
		return forge(jwt.SigningMethodEdDSA, foreign, map[string]any{"kid": kid}, nil)
	}
	good := ours(nil)
	_, err = public(key).Verify(good)
	require.NoError(t, err, "what is refused below is refused for its one fault")
	parts := strings.Split(good, ".")
	raised := claims(jwt.MapClaims{"role": "admin", "sub": uuid.NewString()})
	payload, err := json.Marshal(raised)
	require.NoError(t, err)
	now := time.Now()
	for name, bad := range map[string]string{
		"empty":                         "",
		"no token":                      "let me in",
		"two parts":                     parts[0] + "." + parts[1],
		"algorithm none":                forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"without a signature":           parts[0] + "." + parts[1] + ".",
		"HS256 with the public key":     forge(jwt.SigningMethodHS256, []byte(key.Public().(ed25519.PublicKey)), nil, nil),
		"RS256":                         forge(jwt.SigningMethodRS256, theRSA, nil, nil),
		"another's key by our name":     forge(jwt.SigningMethodEdDSA, foreign, nil, nil),
		"a changed payload":             parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2],
		"expired":                       ours(jwt.MapClaims{"exp": now.Add(-time.Second).Unix()}),
		"without an end":                ours(jwt.MapClaims{"exp": nil}),
		"not yet":                       ours(jwt.MapClaims{"nbf": now.Add(time.Minute).Unix()}),
		"for somebody else":             ours(jwt.MapClaims{"aud": "another-shop"}),
		"for nobody":                    ours(jwt.MapClaims{"aud": nil}),
		"of another issuer":             ours(jwt.MapClaims{"iss": "another-shop"}),
		"a refresh token's type":        ours(jwt.MapClaims{"typ": "refresh"}),
		"without a type":                ours(jwt.MapClaims{"typ": nil}),
		"a role that nobody has":        ours(jwt.MapClaims{"role": "root"}),
		"of nobody":                     ours(jwt.MapClaims{"sub": ""}),
		"of somebody who is no id":      ours(jwt.MapClaims{"sub": "1 OR true"}),
		"an unknown key":                named("0"),
		"a key that is a path":          named("../../../../dev/null"),
		"a key that is SQL":             named("' UNION SELECT 'x"),
		"a key that is no text":         named([]string{kid}),
		"a key at an address":           forge(jwt.SigningMethodEdDSA, foreign, map[string]any{"jku": "https://evil.test/keys"}, nil),
		"a key in a certificate":        forge(jwt.SigningMethodEdDSA, foreign, map[string]any{"x5u": "https://evil.test/c"}, nil),
		"a key that it brings":          forge(jwt.SigningMethodEdDSA, foreign, map[string]any{"jwk": public(foreign).Set()[0]}, nil),
		"a critical extension":          forge(jwt.SigningMethodEdDSA, key, map[string]any{"crit": []string{"exp"}}, nil),
		"an empty critical extension":   forge(jwt.SigningMethodEdDSA, key, map[string]any{"crit": nil}, nil),
		"a life of ten years":           ours(jwt.MapClaims{"exp": now.AddDate(10, 0, 0).Unix()}),
		"a life of an hour and more":    ours(jwt.MapClaims{"exp": now.Add(time.Hour + 2*time.Second).Unix()}),
		"issued in an hour":             ours(jwt.MapClaims{"iat": now.Add(time.Hour).Unix(), "exp": now.Add(2 * time.Hour).Unix()}),
		"issued at no time":             ours(jwt.MapClaims{"iat": nil}),
		"a session that is no id":       ours(jwt.MapClaims{"sid": "1"}),
		"a session in another form":     ours(jwt.MapClaims{"sid": "urn:uuid:" + uuid.NewString()}),
		"an id in another form":         ours(jwt.MapClaims{"sub": "{" + uuid.NewString() + "}"}),
		"longer than any token of ours": ours(jwt.MapClaims{"email": strings.Repeat("a", 4096)}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := public(key).Verify(bad)
			require.ErrorIs(t, err, token.ErrInvalid)
		})
	}
}
