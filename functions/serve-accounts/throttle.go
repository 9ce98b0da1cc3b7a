package serveaccounts

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

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// throttleKey is what tries of a kind are counted under: hashed, for it is made of addresses.
func throttleKey(kind string, of ...string) string {
	hash := sha256.Sum256([]byte(strings.ToLower(strings.Join(of, "\n"))))
	return kind + " " + hex.EncodeToString(hash[:])
}

// sourceKeys is the key of the address that a call comes from. An address within a network is nobody's in particular: it may
// be that of a door which all callers come through.
func sourceKeys(ctx context.Context) []string {
	source, err := netip.ParseAddr(auth.SourceFrom(ctx))
	if err != nil || source.IsPrivate() || source.IsLoopback() || source.IsLinkLocalUnicast() {
		return nil
	}
	return []string{throttleKey("source", source.String())}
}

// count counts a try under each key as one that failed, or refuses it while one of the keys has to wait. After five failures
// each further one makes it wait twice as long, five minutes at most; a try that is refused makes nobody wait longer. What
// nobody has touched for two days is forgotten.
func count(ctx context.Context, tx pgx.Tx, keys []string) error {
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
		return fmt.Errorf("count a try: %w", err)
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
	p := problem.New(http.StatusTooManyRequests, "too-many", "too many tries that failed; please wait")
	p.RetryAfter = int(math.Ceil(max(seconds, 1)))
	return p
}

// calm takes back a try that did not fail: an account is as if nobody had ever failed, a source has one failure less, and
// waits on if it had to wait before: who has an account of their own does not try others' faster for it.
func calm(ctx context.Context, tx pgx.Tx, keys []string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE accounts.throttles SET
			failures = CASE WHEN key LIKE 'source %' THEN GREATEST(failures - 1, 0) ELSE 0 END,
			free_at = CASE WHEN key LIKE 'source %' AND failures > 6 THEN free_at ELSE now() END
		WHERE key = ANY (@keys)`, pgx.NamedArgs{"keys": slices.Sorted(slices.Values(keys))})
	if err != nil {
		return fmt.Errorf("take back a try: %w", err)
	}
	return nil
}
