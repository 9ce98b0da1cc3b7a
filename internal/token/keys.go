package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
)

// Keys are the public keys that verify tokens: one, or two while they are being changed.
type Keys []ed25519.PublicKey

// Signing is the key that makes tokens.
type Signing struct {
	key ed25519.PrivateKey
	id  string
}

// NewSigning takes a key into use.
func NewSigning(key ed25519.PrivateKey) Signing {
	return Signing{key: key, id: id(key.Public().(ed25519.PublicKey))}
}

// JWK is a public key as others read it.
type JWK struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
}

// Set is the keys as a JSON Web Key Set, RFC 7517.
func (k Keys) Set() []JWK {
	set := make([]JWK, len(k))
	for i, key := range k {
		set[i] = JWK{
			Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(key), ID: id(key), Use: "sig", Alg: "EdDSA",
		}
	}
	return set
}

// id is a key's name: its thumbprint, RFC 7638.
func id(key ed25519.PublicKey) string {
	print := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(key) + `"}`))
	return base64.RawURLEncoding.EncodeToString(print[:])
}
