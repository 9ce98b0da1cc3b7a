package eventstore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// DeadLetter is an event that its consumer could not handle.
type DeadLetter struct {
	ID       int64     `json:"id"`
	EventID  string    `json:"event_id"`
	Type     string    `json:"type"`
	Source   string    `json:"source"`
	Consumer string    `json:"function"`
	Revision string    `json:"revision"`
	Kind     string    `json:"kind"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	StoredAt time.Time `json:"stored_at"`
	Event    string    `json:"event"`

	ResolvedAt *time.Time `json:"resolved_at,omitempty"` // when it was redriven or discarded, or its event was handled after all
}

// DB is a pool or a transaction.
type DB interface {
	Querier
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Redrive lets the sweeper publish the events of dead letters again: those with the ids, or all of a function. Only events that
// the event store has can be redriven, and those that a function could not emit itself: it tries again. The action is recorded
// with its user.
func Redrive(ctx context.Context, db DB, by, consumer string, ids ...int64) (n int64, err error) {
	err = db.QueryRow(ctx, `
		WITH redriven AS (
			UPDATE bus.dead_letters p SET resolved_at = now()
			WHERE p.resolved_at IS NULL AND (p.dead_letter_id = ANY (@ids) OR p.consumer = nullif(@consumer, ''))
			AND (p.source = '/functions/' || p.consumer OR EXISTS (SELECT FROM bus.event e WHERE e.event_id = bus.id_of(p.event_id)))
			RETURNING p.dead_letter_id, p.event_id, p.consumer
		), noted AS (
			INSERT INTO bus.dead_letter_actions (dead_letter_id, action, by) SELECT dead_letter_id, 'redrive', @by FROM redriven
		), published AS (
			INSERT INTO bus.undelivered (event_id, consumer, created_at)
			SELECT e.event_id, r.consumer, e.created_at FROM redriven r JOIN bus.event e ON e.event_id = bus.id_of(r.event_id)
			ON CONFLICT (event_id, consumer) DO UPDATE SET attempts = 0, next_at = now()
		)
		SELECT count(*) FROM redriven`,
		pgx.NamedArgs{"ids": ids, "consumer": consumer, "by": by}).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("redrive: %w", err)
	}
	return n, nil
}

// DeadLetterIDs returns which of a function's own events are dead letters, open or discarded.
func DeadLetterIDs(ctx context.Context, tx pgx.Tx, function string, ids []string) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `
		SELECT event_id
		FROM bus.dead_letters p
		WHERE event_id = ANY (@ids) AND consumer = @function
		AND (resolved_at IS NULL OR EXISTS (SELECT FROM bus.dead_letter_actions a WHERE a.dead_letter_id = p.dead_letter_id AND action = 'discard'))`,
		pgx.NamedArgs{"ids": ids, "function": function})
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", function, err)
	}
	dead := map[string]bool{}
	var eventID string
	_, err = pgx.ForEachRow(rows, []any{&eventID}, func() error {
		dead[eventID] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read dead letters of %s: %w", function, err)
	}
	return dead, nil
}

// Discard gives up dead letters: those with the ids, or all of a function. Their events count as handled.
func Discard(ctx context.Context, db DB, by, consumer string, ids ...int64) (n int64, err error) {
	return DiscardWithNote(ctx, db, by, "", consumer, ids...)
}

// DiscardWithNote is Discard with a note why.
func DiscardWithNote(ctx context.Context, db DB, by, note, consumer string, ids ...int64) (n int64, err error) {
	tag, err := db.Exec(ctx, `
		WITH discarded AS (
			UPDATE bus.dead_letters SET resolved_at = now()
			WHERE resolved_at IS NULL AND (dead_letter_id = ANY (@ids) OR consumer = nullif(@consumer, ''))
			RETURNING dead_letter_id, event_id, consumer
		), heard AS (
			INSERT INTO bus.inbox (event_id, consumer)
			SELECT e.event_id, d.consumer FROM discarded d JOIN bus.event e ON e.event_id = bus.id_of(d.event_id)
			ON CONFLICT DO NOTHING
		)
		INSERT INTO bus.dead_letter_actions (dead_letter_id, action, by, note) SELECT dead_letter_id, 'discard', @by, @note FROM discarded`,
		pgx.NamedArgs{"ids": ids, "consumer": consumer, "by": by, "note": note})
	if err != nil {
		return 0, fmt.Errorf("discard: %w", err)
	}
	return tag.RowsAffected(), nil
}

// crashRounds is after how many rounds of attempts in a row without any response an event becomes a dead letter.
const crashRounds = 3

// StoreDeadLetter stores an event that the broker could not deliver, if its function has a reason against it. An event that
// the event store does not know is stored as unknown. One whose function could not be reached or is not at fault is left to
// Sweep, which publishes it again until it is handled; one that its function never responds to, though it is reached, is
// stored after a few rounds.
func StoreDeadLetter(ctx context.Context, tx pgx.Tx, dead cloudevent.DeadLetter) error {
	if dead.Reason != "" {
		return insertDeadLetter(ctx, tx, "undelivered", fmt.Sprintf("%d %s", dead.Code, dead.Reason), dead)
	}
	stored, rounds, err := countRound(ctx, tx, dead)
	switch {
	case err != nil:
		return err
	case !stored:
		return insertDeadLetter(ctx, tx, "unknown", fmt.Sprintf("%d ", dead.Code), dead)
	case rounds >= crashRounds:
		return insertDeadLetter(ctx, tx, "undelivered", fmt.Sprintf("%d no response", dead.Code), dead)
	}
	return nil
}

// reached reports whether a function without a response was reached: it, and not what is before it, ended the connection or
// responded with an error that it does not know.
func reached(code int) bool {
	return code == http.StatusInternalServerError || code == http.StatusBadGateway
}

func insertDeadLetter(ctx context.Context, tx pgx.Tx, kind, reason string, dead cloudevent.DeadLetter) error {
	structured, err := dead.CloudEvent("").MarshalJSON()
	if err != nil {
		structured = dead.Data
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event)
		VALUES (@event_id, @type, @source, @consumer, @kind, @reason, @event)
		ON CONFLICT (event_id, consumer) WHERE resolved_at IS NULL
		DO UPDATE SET attempts = dead_letters.attempts + 1, reason = excluded.reason, stored_at = now()`,
		pgx.NamedArgs{
			"event_id": dead.ID, "type": dead.Type, "source": dead.Source, "consumer": dead.Consumer, "kind": kind,
			"reason": reason, "event": structured,
		})
	if err != nil {
		return fmt.Errorf("store dead letter %s: %w", dead.ID, err)
	}
	return nil
}

// countRound reports whether the event is stored, and returns how many rounds in a row its function was reached and did not respond.
// A round in which it could not be reached counts neither way.
func countRound(ctx context.Context, tx pgx.Tx, dead cloudevent.DeadLetter) (stored bool, rounds int, err error) {
	err = tx.QueryRow(ctx, `
		WITH stored AS (
			SELECT event_id, created_at FROM bus.event WHERE event_id = bus.id_of(@event_id) AND type = @type
		), counted AS (
			INSERT INTO bus.undelivered AS u (event_id, consumer, created_at, no_response)
			SELECT event_id, @consumer, created_at, @crashed::int FROM stored WHERE @crashed::int > 0 OR @responded
			ON CONFLICT (event_id, consumer) DO UPDATE SET no_response = CASE WHEN @responded THEN 0 ELSE u.no_response + 1 END
			RETURNING no_response
		)
		SELECT EXISTS (SELECT FROM stored), coalesce((SELECT no_response FROM counted), 0)`,
		pgx.NamedArgs{
			"event_id": dead.ID, "type": dead.Type, "consumer": dead.Consumer, "responded": dead.Responded, "crashed": crashed(dead),
		}).Scan(&stored, &rounds)
	if err != nil {
		return false, 0, fmt.Errorf("read event %s: %w", dead.ID, err)
	}
	return stored, rounds, nil
}

func crashed(dead cloudevent.DeadLetter) int {
	if !dead.Responded && reached(dead.Code) {
		return 1
	}
	return 0
}

// Quarantine returns a statement that stores an event which a function itself sets aside. Set aside again for the same function,
// it counts.
func Quarantine(consumer, revision, kind, reason string, m cloudevent.Message) pgbatch.Statement {
	structured, err := json.Marshal(m.CloudEvent(""))
	if err != nil { // not an event that can be written as one: keep its data
		structured = m.Data
	}
	return pgbatch.Statement{
		SQL: `
		INSERT INTO bus.dead_letters (event_id, type, source, consumer, revision, kind, reason, event)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (event_id, consumer) WHERE resolved_at IS NULL
		DO UPDATE SET attempts = dead_letters.attempts + 1, reason = excluded.reason, revision = excluded.revision, stored_at = now()`,
		Args: []any{
			cloudevent.Storable(m.ID), cloudevent.Storable(m.Type), cloudevent.Storable(m.Source), consumer,
			revision, kind, cloudevent.Storable(reason), []byte(cloudevent.Storable(string(structured))),
		},
	}
}
