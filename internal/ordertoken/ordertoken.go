// Package ordertoken derives the token of a guest's order from its id and a key of the shop, so that the response which placed the order
// and every mail about it have the same one. The database keeps the hash of the token with the order, and the key where only place-order
// and send-email can read it.
package ordertoken

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// size is the length of a token before it is encoded: 160 bits.
const size = 20

// Source derives tokens. It reads the key once.
type Source struct {
	query string // for the key

	mu  sync.Mutex
	key []byte
}

// NewSource returns a source of tokens whose key a query returns.
func NewSource(query string) *Source { return &Source{query: query} }

// Of returns the token of an order.
func (s *Source) Of(ctx context.Context, tx pgx.Tx, orderID string) (string, error) {
	key, err := s.readKey(ctx, tx)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("order " + orderID))
	return base32.StdEncoding.EncodeToString(mac.Sum(nil)[:size]), nil
}

func (s *Source) readKey(ctx context.Context, tx pgx.Tx) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	if err := tx.QueryRow(ctx, s.query).Scan(&s.key); err != nil {
		return nil, fmt.Errorf("read the key of order tokens: %w", err)
	}
	return s.key, nil
}

// Opens reports whether a token is the one whose hash an order has.
func Opens(token string, hash []byte) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], hash) == 1
}
