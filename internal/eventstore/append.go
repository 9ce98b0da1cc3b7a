package eventstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// MaxEventBytes is how many bytes of data an event may have; the database rejects more.
const MaxEventBytes = 64 << 10

// Emitted returns the messages of the events that a function emits for a cause. Their ids are derived from function, cause and
// number, so that a repeated handling emits the same ones.
func Emitted(function, cause, traceparent string, emitted []events.Event) ([]cloudevent.Message, error) {
	messages := make([]cloudevent.Message, 0, len(emitted))
	for n, e := range emitted {
		eventID, err := id.Derive(function, cause, strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		m, err := NewMessage(eventID, function, cause, traceparent, e)
		if err != nil {
			return nil, err
		}
		m.N = n
		messages = append(messages, m)
	}
	return messages, nil
}

// NewMessage returns the message of an event. One that is larger than an event may be is summarized, if it can be.
func NewMessage(eventID, function, cause, traceparent string, e events.Event) (cloudevent.Message, error) {
	data, err := json.Marshal(e)
	if long, ok := e.(events.Summarizer); ok && len(data) > MaxEventBytes {
		data, err = json.Marshal(long.Summary())
	}
	if err != nil {
		return cloudevent.Message{}, fmt.Errorf("write %s: %w", e.EventType(), err)
	}
	about := e.About()
	return cloudevent.Message{
		ID: eventID, Type: e.EventType(), Source: cloudevent.SourceOf(function), Subject: about.Subject, OrderID: about.OrderID,
		CausationID: cause, Version: about.Version, Delayed: about.Delayed, TraceParent: traceparent,
		Time: time.Now().UTC(), Data: data,
	}, nil
}

// Append returns a statement that stores emitted events. stored gets the ids of those that were not stored before.
func Append(messages []cloudevent.Message, stored func(ids []string)) pgbatch.Statement {
	n := len(messages)
	ids, causes, types, sources := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	subjects, data, traces := make([]string, n), make([]string, n), make([]string, n)
	orders, ns := make([]pgtype.UUID, n), make([]int16, n)
	versions, delayed := make([]int64, n), make([]bool, n)
	for i, m := range messages {
		ids[i], causes[i], types[i], sources[i] = m.ID, m.CausationID, m.Type, m.Source
		subjects[i], data[i], traces[i] = m.Subject, string(m.Data), m.TraceParent
		ns[i], versions[i], delayed[i] = int16(m.N), m.Version, m.Delayed
		order, err := uuid.Parse(m.OrderID)
		orders[i] = pgtype.UUID{Bytes: order, Valid: err == nil}
	}
	return pgbatch.Statement{
		SQL: `
		WITH stored AS (
			INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, version, delayed, traceparent, data)
			SELECT id, type, source, subject, order_id, cause, n, version, delayed, trace, data
			FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::smallint[], $8::bigint[],
				$9::boolean[], $10::text[], $11::json[])
				AS emitted (id, cause, type, source, subject, order_id, n, version, delayed, trace, data)
			ON CONFLICT DO NOTHING
			RETURNING event_id
		)
		SELECT coalesce(array_agg(event_id::text), '{}') FROM stored`,
		Args: []any{ids, causes, types, sources, subjects, orders, ns, versions, delayed, traces, data},
		Row: func(row pgx.Row) error {
			var fresh []string
			if err := row.Scan(&fresh); err != nil {
				return err
			}
			stored(fresh)
			return nil
		},
	}
}

// maxEmitted is how many events one cause may have.
const maxEmitted = 16

// Undelivered returns those events that a function emitted for a cause and that some subscriber has not handled yet, unless
// they were published again in the last seconds: however often a cause is redelivered, what it led to is published ever more
// slowly.
func Undelivered(ctx context.Context, pool *pgxpool.Pool, function, cause string) ([]cloudevent.Message, error) {
	var ids []string
	for n := range maxEmitted {
		eventID, err := id.Derive(function, cause, strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		ids = append(ids, eventID)
	}
	rows, err := pool.Query(ctx, `
		WITH late AS (
			INSERT INTO bus.undelivered AS u (event_id, consumer, created_at, attempts, next_at)
			SELECT e.event_id, s.consumer, e.created_at, 1, now() + interval '10 s'
			FROM bus.event e
			JOIN bus.subscription s ON s.type = e.type AND s.since <= e.created_at
			WHERE e.event_id = ANY ($1::uuid[])
			AND NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = e.event_id AND i.consumer = s.consumer)
			ORDER BY e.event_id, s.consumer
			ON CONFLICT (event_id, consumer) DO UPDATE SET attempts = u.attempts + 1, next_at = `+nextAttempt+`
			WHERE u.next_at <= now()
			RETURNING event_id
		)`+SelectMessages+`
		WHERE e.event_id IN (SELECT event_id FROM late)
		ORDER BY e.n`, ids)
	if err != nil {
		return nil, fmt.Errorf("read undelivered events of %s: %w", cause, err)
	}
	return CollectMessages(rows)
}

// nextAttempt is when an event in bus.undelivered, called u, is published again: in 10 s, 20 s, … 50 s for an hour, so that a
// function that is back receives it within a minute, and then every hour.
const nextAttempt = `now() + LEAST(
	CASE WHEN u.created_at > now() - interval '1 hour' THEN interval '50 s' ELSE interval '1 hour' END,
	interval '10 s' * 2 ^ LEAST(u.attempts, 10))`

// SelectMessages begins a query over the event store, whose events are called e in it; CollectMessages reads its rows.
const SelectMessages = `
	SELECT e.event_id::text, e.type, e.source, e.subject, coalesce(e.order_id::text, ''), e.causation_id::text, e.n,
		e.version, e.delayed, e.traceparent, e.created_at, e.data::text
	FROM bus.event e`

// CollectMessages reads the rows of a query that begins with SelectMessages.
func CollectMessages(rows pgx.Rows) ([]cloudevent.Message, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (cloudevent.Message, error) {
		var m cloudevent.Message
		var data string
		var at time.Time
		err := row.Scan(&m.ID, &m.Type, &m.Source, &m.Subject, &m.OrderID, &m.CausationID, &m.N,
			&m.Version, &m.Delayed, &m.TraceParent, &at, &data)
		m.Time, m.Data = at.UTC(), []byte(data)
		return m, err
	})
}

// Send stores events that no function emitted and has the sweeper publish them at its next run. It returns how many deliveries
// there will be: none for an event that was stored before.
func Send(ctx context.Context, tx pgx.Tx, messages []cloudevent.Message) (deliveries int64, err error) {
	var stored []string
	statement := Append(messages, func(ids []string) { stored = ids })
	if err := statement.Row(tx.QueryRow(ctx, statement.SQL, statement.Args...)); err != nil {
		return 0, fmt.Errorf("store events: %w", err)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO bus.undelivered (event_id, consumer, created_at)
		SELECT e.event_id, s.consumer, e.created_at
		FROM bus.event e
		JOIN bus.subscription s ON s.type = e.type
		WHERE e.event_id = ANY (@ids::uuid[])
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"ids": stored})
	if err != nil {
		return 0, fmt.Errorf("publish events: %w", err)
	}
	return tag.RowsAffected(), nil
}
