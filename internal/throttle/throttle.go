// Package throttle slows down those who guess: passwords, tokens, numbers of orders. Failed attempts are counted in the database.
package throttle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// Key returns the key under which attempts of a kind are counted. It is a hash, since addresses are personal
// data.
func Key(kind string, of ...string) string {
	hash := sha256.Sum256([]byte(strings.ToLower(strings.Join(of, "\n"))))
	return kind + " " + hex.EncodeToString(hash[:])
}

// SourceKeys returns the throttle key of the network that the client is in, or none for a private address: that may be
// the address of a proxy which all requests come through.
func SourceKeys(ctx context.Context) []string {
	source, err := netip.ParseAddr(auth.SourceFrom(ctx))
	if err != nil || source.IsPrivate() || source.IsLoopback() || source.IsLinkLocalUnicast() {
		return nil
	}
	return []string{Key("source", Network(ctx))}
}

// Network returns the network that the client is in.
func Network(ctx context.Context) string { return auth.NetworkOf(auth.SourceFrom(ctx)) }

const (
	freeAttempts = 5                      // failed logins of an account before its logins are delayed
	firstDelay   = 100 * time.Millisecond // doubled by each further one
	maxDelay     = time.Second
)

// CountForDelay counts a failed attempt under a key, and returns how long to delay it. No request is rejected because of this
// count: otherwise strangers could lock the owner of an account out.
func CountForDelay(ctx context.Context, tx pgx.Tx, key string) (time.Duration, error) {
	var failures int
	err := tx.QueryRow(ctx, `
		INSERT INTO accounts.throttles AS t (key, failures, free_at)
		VALUES (@key, 1, now())
		ON CONFLICT (key) DO UPDATE SET touched_at = now(),
			failures = CASE WHEN t.touched_at < now() - interval '1 day' THEN 1 ELSE t.failures + 1 END
		RETURNING failures`, pgx.NamedArgs{"key": key}).Scan(&failures)
	if err != nil {
		return 0, fmt.Errorf("count attempt: %w", err)
	}
	if failures <= freeAttempts {
		return 0, nil
	}
	return min(firstDelay<<min(failures-freeAttempts-1, 10), maxDelay), nil
}

// Count counts a failed attempt under each key, or returns a problem while one of the keys has to wait. After
// five failures each further one doubles the wait, up to five minutes; a rejected attempt does not prolong it. Keys
// that are unused for two days are deleted.
func Count(ctx context.Context, tx pgx.Tx, keys []string) error {
	keys = slices.Sorted(slices.Values(keys))
	var counted int
	err := tx.QueryRow(ctx, `
		WITH gone AS (
			DELETE FROM accounts.throttles WHERE key IN (
				SELECT key FROM accounts.throttles
				WHERE touched_at < now() - interval '2 days' AND key <> ALL (@keys)
				LIMIT 20
				FOR UPDATE SKIP LOCKED)
		), counted AS (
			INSERT INTO accounts.throttles AS t (key, failures, free_at)
			SELECT key, 1, now() FROM unnest(@keys::text[]) AS key ORDER BY key
			ON CONFLICT (key) DO UPDATE SET touched_at = now(),
				failures = CASE WHEN t.touched_at < now() - interval '1 day' THEN 1 ELSE t.failures + 1 END,
				free_at = now() + CASE WHEN t.failures < 5 OR t.touched_at < now() - interval '1 day' THEN interval '0'
					ELSE LEAST(interval '1 s' * 2 ^ LEAST(t.failures - 5, 20), interval '5 min') END
			WHERE t.free_at <= now()
			RETURNING 1
		)
		SELECT count(*) FROM counted`, pgx.NamedArgs{"keys": keys}).Scan(&counted)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if counted < len(keys) {
		return tooMany(ctx, tx, keys)
	}
	return nil
}

func tooMany(ctx context.Context, tx pgx.Tx, keys []string) error {
	var seconds float64
	err := tx.QueryRow(ctx, `
		SELECT coalesce(extract(epoch FROM max(free_at) - now()), 1)::float8 FROM accounts.throttles WHERE key = ANY (@keys)`,
		pgx.NamedArgs{"keys": keys}).Scan(&seconds)
	if err != nil {
		return fmt.Errorf("read how long to wait: %w", err)
	}
	p := problem.New(http.StatusTooManyRequests, "too-many",
		"There were too many failed attempts. Wait before you try again.")
	p.RetryAfter = int(math.Ceil(max(seconds, 1)))
	return p
}

// Reset takes back an attempt that succeeded. The failures of an account are reset; those of a source address
// decrease by one, and a wait of it goes on: otherwise an attacker could log in to an account of their own to try
// passwords of others faster.
func Reset(ctx context.Context, tx pgx.Tx, keys []string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE accounts.throttles SET
			failures = CASE WHEN key LIKE 'source %' THEN GREATEST(failures - 1, 0) ELSE 0 END,
			free_at = CASE WHEN key LIKE 'source %' AND failures > 6 THEN free_at ELSE now() END
		WHERE key = ANY (@keys)`, pgx.NamedArgs{"keys": slices.Sorted(slices.Values(keys))})
	if err != nil {
		return fmt.Errorf("take back attempt: %w", err)
	}
	return nil
}
