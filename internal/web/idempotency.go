package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// lockNotAvailable is the code of Postgres for a lock timeout.
const lockNotAvailable = "55P03"

// Keyed is an input with an idempotency key.
type Keyed interface {
	key() string
	body() []byte
}

// Key is embedded by the input of every request that moves stock or money.
type Key struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" doc:"Identifies the request: repeat it with the same key."`
	RawBody        []byte
}

func (k *Key) key() string  { return k.IdempotencyKey }
func (k *Key) body() []byte { return k.RawBody }

// idempotent runs do unless a request with this key has succeeded; then it returns what was stored for that request, and sets a
// header. The key is claimed in do's transaction, so a rejected request leaves it free.
func idempotent[I Keyed, S any](
	ctx context.Context, s *server, in I, do func(context.Context, pgx.Tx, I) (S, []events.Event, error),
) (done S, replayed bool, err error) {
	claim := claimFor(ctx, in)
	err = s.transact(ctx, func(tx pgx.Tx) (emitted []events.Event, err error) {
		stored, first, err := claim.take(ctx, tx)
		if err != nil {
			return nil, err
		}
		replayed = !first
		if replayed {
			return nil, json.Unmarshal(stored, &done)
		}
		done, emitted, err = do(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		return emitted, claim.store(ctx, tx, done)
	})
	if err == nil && replayed {
		responseFrom(ctx).SetHeader("Idempotency-Replayed", "true")
	}
	return done, replayed, err
}

// claim is an idempotency key of one caller for one path, with the hash of the request's body.
type claim struct {
	caller, route, key string
	hash               []byte
}

func claimFor(ctx context.Context, in Keyed) claim {
	hash := sha256.Sum256(in.body())
	request := auth.RequestFrom(ctx)
	return claim{request.IdempotencyOwner(), request.Path, in.key(), hash[:]}
}

// take claims the key, or returns what is stored under it. It waits for a request with the same key that is in progress, until the
// lock timeout.
func (c claim) take(ctx context.Context, tx pgx.Tx) (stored []byte, first bool, err error) {
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
	if errors.As(err, &pg) && pg.Code == lockNotAvailable {
		duplicate := problem.New(http.StatusConflict, "twin-in-flight", "A request with this Idempotency-Key is in progress.")
		duplicate.RetryAfter = 1
		return nil, false, duplicate
	}
	if err != nil || first {
		return nil, first, wrap("claim", c.key, err)
	}
	err = tx.QueryRow(ctx, `
		SELECT body_hash, answer::text
		FROM bus.idempotency
		WHERE (caller, route, key) = (@caller, @route, @key)`, c.args(nil)).Scan(&hash, &stored)
	if err == nil && string(hash) != string(c.hash) {
		return nil, false, problem.New(http.StatusUnprocessableEntity, "key-reused", "This Idempotency-Key was used for another request.")
	}
	return stored, false, wrap("read", c.key, err)
}

// store stores what a later request with the same key receives.
func (c claim) store(ctx context.Context, tx pgx.Tx, done any) error {
	response, err := json.Marshal(done)
	if err != nil {
		return err
	}
	err = pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE bus.idempotency SET answer = @answer
		WHERE (caller, route, key) = (@caller, @route, @key)`, c.args(response))
	return wrap("store", c.key, err)
}

func (c claim) args(response []byte) pgx.NamedArgs {
	return pgx.NamedArgs{"caller": c.caller, "route": c.route, "key": c.key, "hash": c.hash, "answer": string(response)}
}

func wrap(verb, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s idempotency key %q: %w", verb, key, err)
}
