package config

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Public is how the shop is reached from outside.
type Public struct {
	PublicURL string `envconfig:"PUBLIC_URL" default:"http://localhost:8080" desc:"the shop's address in links; with https cookies are for TLS only"`
}

// Secure reports whether the shop is reached over TLS.
func (p Public) Secure() bool { return strings.HasPrefix(p.PublicURL, "https://") }

// Access is how callers are known.
type Access struct {
	Public
	TokenPublicKeys []string `envconfig:"TOKEN_PUBLIC_KEYS" desc:"public keys of access tokens, base64url, one or two with a comma; without one no token is valid"`
}

// Keys are the keys that verify tokens.
func (a Access) Keys() (keys []ed25519.PublicKey, err error) {
	for _, text := range a.TokenPublicKeys {
		key, err := decode("TOKEN_PUBLIC_KEYS", text, ed25519.PublicKeySize)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, atMostTwo("TOKEN_PUBLIC_KEYS", len(keys))
}

// Check refuses settings that make no sense, by name.
func (a Access) Check() error {
	_, err := a.Keys()
	return err
}

// Signing is how tokens are made.
type Signing struct {
	TokenKeys []string `envconfig:"TOKEN_KEYS" desc:"secret seeds of access tokens, base64url, one or two with a comma: the first signs, all verify"`
}

// Keys are the keys of tokens; the first one makes them.
func (s Signing) Keys() (keys []ed25519.PrivateKey, err error) {
	for _, text := range s.TokenKeys {
		seed, err := decode("TOKEN_KEYS", text, ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		keys = append(keys, ed25519.NewKeyFromSeed(seed))
	}
	return keys, atMostTwo("TOKEN_KEYS", len(keys))
}

// decode never shows what it was given: it may be secret.
func decode(name, text string, size int) ([]byte, error) {
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	if err == nil && len(key) != size {
		err = fmt.Errorf("%d bytes", len(key))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: each must be %d bytes in base64url: %w", name, size, err)
	}
	return key, nil
}

func atMostTwo(name string, n int) error {
	if n > 2 {
		return errors.New(name + ": must be one or two keys")
	}
	return nil
}

// NewKey generates a key of tokens and returns its settings.
func NewKey() (secret, public string) {
	_, key, _ := ed25519.GenerateKey(nil) // it reads from crypto/rand, which does not fail
	return KeySettings(key)
}

// KeySettings are a key as the settings TOKEN_KEYS and TOKEN_PUBLIC_KEYS hold it.
func KeySettings(key ed25519.PrivateKey) (secret, public string) {
	return base64.RawURLEncoding.EncodeToString(key.Seed()), base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}
