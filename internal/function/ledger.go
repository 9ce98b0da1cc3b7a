package function

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/popup-shop/popup/internal/id"
)

var (
	errUnknown   = errors.New("the ledger does not know the event")
	errDuplicate = errors.New("the event was handled before")
)

// refused is what bus.refuse_claim meant, and any other error as it is.
func refused(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "PU404":
			return errUnknown
		case "PU409":
			return errDuplicate
		}
	}
	return err
}

// claim takes events for a function, each once, if the ledger knows them all. The database refuses any other, so that a claim
// may travel with COMMIT. What the function commits need not wait for the disk unless it is durable: the ledger plays a lost
// suffix of commits again.
func claim(f *Function, told ...Message) statement {
	return receipts(f, told, `
		WITH known AS (`+knownEvents+`
		), claimed AS (
			INSERT INTO bus.inbox (event_id, consumer)
			SELECT event_id, @consumer FROM known ORDER BY event_id
			ON CONFLICT DO NOTHING
			RETURNING 1
		)
		SELECT set_config('synchronous_commit', @commit, true),
			CASE WHEN (SELECT count(*) FROM claimed) < cardinality(@ids::uuid[])
				THEN bus.refuse_claim((SELECT count(*) FROM known) = cardinality(@ids::uuid[])) END`)
}

// peek refuses what claim would refuse, without taking the events.
func peek(f *Function, told ...Message) statement {
	return receipts(f, told, `
		WITH known AS (`+knownEvents+`
		)
		SELECT bus.refuse_claim(count(*) = cardinality(@ids::uuid[]))
		FROM known
		HAVING count(*) < cardinality(@ids::uuid[])
		OR bool_or(EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = known.event_id AND i.consumer = @consumer))`)
}

// knownEvents are those that are in the ledger as they are told.
const knownEvents = `
			SELECT told.event_id
			FROM unnest(@ids::uuid[], @types::text[], @sources::text[]) AS told (event_id, type, source)
			CROSS JOIN LATERAL (
				SELECT FROM bus.event e
				WHERE e.event_id = told.event_id AND e.type = told.type AND e.source = told.source
				LIMIT 1) e`

func receipts(f *Function, told []Message, sql string) statement {
	commit := "off"
	if f.Durable {
		commit = "on"
	}
	ids, types, sources := make([]string, len(told)), make([]string, len(told)), make([]string, len(told))
	for i, m := range told {
		ids[i], types[i], sources[i] = m.ID, m.Type, m.Source
	}
	return statement{sql: sql, args: []any{pgx.NamedArgs{"ids": ids, "types": types, "sources": sources, "consumer": f.Name, "commit": commit}}}
}

var (
	// The commit of a durable function that says nothing need not wait for the disk either, nor that of the clock.
	commitSoon = statement{sql: `SET LOCAL synchronous_commit = off`}
	// That of what is prepared for a call must.
	commitOnDisk = statement{sql: `SET LOCAL synchronous_commit = on`}
)

// say stores what is said. stored gets the ids of those that were not there before.
func say(said []Message, stored func(ids []string)) statement {
	var ids, causes, types, subjects, data, traces []string
	var orders []pgtype.UUID
	var ns []int16
	var versions []int64
	var delayed []bool
	for _, m := range said {
		ids, causes = append(ids, m.ID), append(causes, m.CausationID)
		types, subjects = append(types, m.Type), append(subjects, m.Subject)
		data, traces = append(data, string(m.Data)), append(traces, m.TraceParent)
		ns, versions, delayed = append(ns, int16(m.N)), append(versions, m.Version), append(delayed, m.Delayed)
		order, err := uuid.Parse(m.OrderID)
		orders = append(orders, pgtype.UUID{Bytes: order, Valid: err == nil})
	}
	return statement{
		sql: `
		WITH stored AS (
			INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, version, delayed, traceparent, data)
			SELECT id, type, $1, subject, order_id, cause, n, version, delayed, trace, data
			FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::smallint[], $8::bigint[], $9::boolean[], $10::text[], $11::json[])
				AS said (id, cause, type, subject, order_id, n, version, delayed, trace, data)
			ON CONFLICT DO NOTHING
			RETURNING event_id
		)
		SELECT coalesce(array_agg(event_id::text), '{}') FROM stored`,
		args: []any{said[0].Source, ids, causes, types, subjects, orders, ns, versions, delayed, traces, data},
		row: func(row pgx.Row) error {
			var fresh []string
			if err := row.Scan(&fresh); err != nil {
				return err
			}
			stored(fresh)
			return nil
		},
	}
}

// park keeps an event for a person. Parked again for the same function, it counts.
func park(consumer, revision, kind, reason string, m Message) statement {
	structured, err := json.Marshal(m.CloudEvent())
	if err != nil { // not an event that can be written down as one: keep its data
		structured = m.Data
	}
	return statement{
		sql: `
		INSERT INTO bus.parked (event_id, type, source, consumer, revision, kind, reason, event)
		VALUES (@event_id, @type, @source, @consumer, @revision, @kind, @reason, @event)
		ON CONFLICT (event_id, consumer) WHERE resolved_at IS NULL
		DO UPDATE SET attempts = parked.attempts + 1, reason = excluded.reason, revision = excluded.revision, parked_at = now()`,
		args: []any{pgx.NamedArgs{
			"event_id": keepable(m.ID), "type": keepable(m.Type), "source": keepable(m.Source), "consumer": consumer,
			"revision": revision, "kind": kind, "reason": keepable(reason), "event": []byte(keepable(string(structured))),
		}},
	}
}

// maxSaid is how many events one cause may have.
const maxSaid = 16

// unheard reads those events of a cause that some subscriber has no receipt for yet, and that nobody published again in the
// last seconds: however often a cause comes, what it led to is published ever more slowly.
func (rt *Runtime) unheard(ctx context.Context, speaker, cause string) ([]Message, error) {
	var ids []string
	for n := range maxSaid {
		eventID, err := id.Derive(speaker, cause, strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		ids = append(ids, eventID)
	}
	rows, err := rt.Pool.Query(ctx, `
		WITH late AS (
			INSERT INTO bus.unheard AS u (event_id, consumer, created_at, attempts, next_at)
			SELECT e.event_id, s.consumer, e.created_at, 1, now() + interval '10 s'
			FROM bus.event e
			JOIN bus.subscription s ON s.type = e.type AND s.since <= e.created_at
			WHERE e.event_id = ANY ($1::uuid[])
			AND NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)
			ORDER BY e.event_id, s.consumer
			ON CONFLICT (event_id, consumer) DO UPDATE SET attempts = u.attempts + 1, next_at = `+NextTry+`
			WHERE u.next_at <= now()
			RETURNING event_id
		)`+SelectMessages+`
		WHERE e.event_id IN (SELECT event_id FROM late)
		ORDER BY e.n`, ids)
	if err != nil {
		return nil, err
	}
	return CollectMessages(rows)
}

// NextTry is when an event in bus.unheard, called u, is published again: in 10 s, 20 s, … 50 s for an hour, so that a
// function that is back hears it within a minute, and then every hour.
const NextTry = `now() + LEAST(
	CASE WHEN u.created_at > now() - interval '1 hour' THEN interval '50 s' ELSE interval '1 hour' END,
	interval '10 s' * 2 ^ LEAST(u.attempts, 10))`

// SelectMessages begins a query over the ledger, which is called e in it; CollectMessages reads its rows.
const SelectMessages = `
	SELECT e.event_id::text, e.type, e.source, e.subject, coalesce(e.order_id::text, ''), e.causation_id::text, e.n,
		e.version, e.delayed, e.traceparent, e.created_at, e.data::text
	FROM bus.event e`

// CollectMessages reads the rows of a query that begins with SelectMessages.
func CollectMessages(rows pgx.Rows) ([]Message, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Message, error) {
		var m Message
		var data string
		var at time.Time
		err := row.Scan(&m.ID, &m.Type, &m.Source, &m.Subject, &m.OrderID, &m.CausationID, &m.N,
			&m.Version, &m.Delayed, &m.TraceParent, &at, &data)
		m.Time, m.Data = at.UTC(), []byte(data)
		return m, err
	})
}
