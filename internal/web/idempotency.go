package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// Keyed is an input with an idempotency key.
type Keyed interface {
	key() string
	body() []byte
}

// Key is embedded by the input of every call that moves stock or money.
type Key struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" doc:"the same on every attempt at one thing"`
	RawBody        []byte
}

func (k *Key) key() string  { return k.IdempotencyKey }
func (k *Key) body() []byte { return k.RawBody }

// idempotent runs do unless it was done with this key: then it answers what was kept, and says so in a header. Claim and effect
// are one transaction, so a refused call leaves the key free.
func idempotent[I Keyed, S any](ctx context.Context, s *server, in I, do func(context.Context, pgx.Tx, I) (S, []events.Event, error)) (done S, replayed bool, err error) {
	claim := claimOf(ctx, in)
	err = s.do(ctx, func(tx pgx.Tx) (said []events.Event, err error) {
		kept, first, err := claim.take(ctx, tx)
		if err != nil {
			return nil, err
		}
		if replayed = !first; replayed {
			return nil, json.Unmarshal(kept, &done)
		}
		if done, said, err = do(ctx, tx, in); err != nil {
			return nil, err
		}
		return said, claim.keep(ctx, tx, done)
	})
	if err == nil && replayed {
		callOf(ctx).answer.SetHeader("Idempotency-Replayed", "true")
	}
	return done, replayed, err
}

// claim is a key with all that makes it one caller's, for one call.
type claim struct {
	caller, route, key string
	hash               []byte
}

func claimOf(ctx context.Context, in Keyed) claim {
	hash := sha256.Sum256(in.body())
	return claim{CallerOf(ctx).idempotencyOwner(), callOf(ctx).path, in.key(), hash[:]}
}

// idempotencyOwner is whose a key is: that of the one who shows a token, or an order's token. Visitors hold nothing that a second
// try would certainly still have, so they share their keys: a stranger who has the key gets the answer only with the whole
// body, and so knows already what the answer says.
func (c Caller) idempotencyOwner() string {
	switch {
	case c.ID != "":
		return c.ID
	case c.OrderToken != "":
		return "order-token " + hex.EncodeToString(HashToken(c.OrderToken))
	}
	return "visitor"
}

// take claims the key, or reads what is kept under it. It waits for a twin in flight as long as locks may be waited for.
func (c claim) take(ctx context.Context, tx pgx.Tx) (kept []byte, first bool, err error) {
	var hash []byte
	err = tx.QueryRow(ctx, `
		WITH claimed AS (
			INSERT INTO bus.idempotency (caller, route, key, body_hash)
			VALUES (@caller, @route, @key, @hash)
			ON CONFLICT DO NOTHING
			RETURNING 1
		)
		SELECT EXISTS (SELECT FROM claimed)`, c.args(nil)).Scan(&first)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55P03" {
		twin := New(http.StatusConflict, "twin-in-flight", "a call with this key is being worked on")
		twin.RetryAfter = 1
		return nil, false, twin
	}
	if err != nil || first {
		return nil, first, wrap("claim", c.key, err)
	}
	err = tx.QueryRow(ctx, `
		SELECT body_hash, answer::text
		FROM bus.idempotency
		WHERE (caller, route, key) = (@caller, @route, @key)`, c.args(nil)).Scan(&hash, &kept)
	if err == nil && string(hash) != string(c.hash) {
		return nil, false, New(http.StatusUnprocessableEntity, "key-reused", "this Idempotency-Key was used for another request")
	}
	return kept, false, wrap("read", c.key, err)
}

func (c claim) keep(ctx context.Context, tx pgx.Tx, done any) error {
	answer, err := json.Marshal(done)
	if err != nil {
		return err
	}
	err = pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE bus.idempotency SET answer = @answer
		WHERE (caller, route, key) = (@caller, @route, @key)`, c.args(answer))
	return wrap("keep", c.key, err)
}

func (c claim) args(answer []byte) pgx.NamedArgs {
	return pgx.NamedArgs{"caller": c.caller, "route": c.route, "key": c.key, "hash": c.hash, "answer": string(answer)}
}

func wrap(verb, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s idempotency key %q: %w", verb, key, err)
}
