// Package id derives ids from a cause, so that a retry creates the same id again.
package id

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
)

// Valid reports whether a text is a UUID as we write them: of its other forms, Postgres does not read all.
func Valid(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }

// Derive returns the id of what a function emits or creates for a cause. Its first 48 bits, a time in milliseconds, are
// those of the cause, so that everything of one order lies together in tables sorted by id.
func Derive(speaker, cause, discriminator string) (string, error) {
	root, err := uuid.Parse(cause)
	if err != nil {
		return "", fmt.Errorf("derive id from cause %q: %w", cause, err)
	}
	hash := sha256.New()
	hash.Write([]byte(speaker))
	hash.Write(root[:])
	hash.Write([]byte(discriminator))
	var id uuid.UUID
	copy(id[:], hash.Sum(nil))
	copy(id[:6], root[:6])
	id[6] = id[6]&0x0f | 0x80 // version 8: a form of our own, RFC 9562 section 5.8
	id[8] = id[8]&0x3f | 0x80
	return id.String(), nil
}
