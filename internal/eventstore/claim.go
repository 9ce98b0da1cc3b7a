// Package eventstore is all SQL of the schema bus: what was emitted (outbox), which function has handled what (inbox), what
// was not delivered yet, dead letters, the tail of the log and its partitions. It knows no domain.
package eventstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// State is what the event store knows about a received event.
type State int

// The three states.
const (
	Unknown   State = iota // no such event of this type was emitted
	Duplicate              // the consumer has handled it
	Fresh                  // it is to be handled now
)

// Received is a received event as it is stored. What came over the wire is only a wake-up.
type Received struct {
	State   State
	Message cloudevent.Message // zero if unknown
}

// Options are how a consumer's transaction runs.
type Options struct {
	AsyncCommit bool   // COMMIT does not wait for the disk: the event store replays what a crash loses
	LockTimeout string // of the statements that follow; "" for that of the session
}

// Claim returns a statement that takes events for a consumer, each at most once ever. then gets what is stored of them, in their
// order. A claim waits for another one of the same event until that is committed or rolled back.
func Claim(consumer string, o Options, messages []cloudevent.Message, then func([]Received) error) pgbatch.Statement {
	return receive(consumer, o, messages, then, `
		WITH received AS (`+receivedEvents+`
		), claimed AS (
			INSERT INTO bus.inbox (event_id, consumer)
			SELECT event_id, $3 FROM received ORDER BY event_id
			ON CONFLICT DO NOTHING
			RETURNING event_id
		)
		SELECT r.*, c.event_id IS NOT NULL, `+setOptions+`
		FROM received r LEFT JOIN claimed c USING (event_id)`)
}

// CheckUnclaimed returns a statement that reads what Claim would, without claiming anything.
func CheckUnclaimed(consumer string, o Options, messages []cloudevent.Message, then func([]Received) error) pgbatch.Statement {
	return receive(consumer, o, messages, then, `
		WITH received AS (`+receivedEvents+`
		)
		SELECT r.*, NOT EXISTS (SELECT FROM bus.inbox i WHERE i.event_id = r.event_id AND i.consumer = $3), `+setOptions+`
		FROM received r`)
}

// receivedEvents are those of the events with the ids $1 and types $2 that the event store has.
const receivedEvents = `
			SELECT r.n, e.*
			FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS r (event_id, type, n)
			CROSS JOIN LATERAL (
				SELECT e.event_id, e.subject, coalesce(e.order_id::text, '') AS order_id, e.version, e.traceparent, e.data::text
				FROM bus.event e
				WHERE e.event_id = r.event_id AND e.type = r.type
				LIMIT 1) e`

const setOptions = `set_config('synchronous_commit', $4, true), set_config('lock_timeout', coalesce(nullif($5, ''), current_setting('lock_timeout')), true)`

func receive(consumer string, o Options, messages []cloudevent.Message, then func([]Received) error, sql string) pgbatch.Statement {
	ids, types := make([]string, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		ids[i], types[i] = m.ID, m.Type
	}
	commit := "on"
	if o.AsyncCommit {
		commit = "off"
	}
	return pgbatch.Statement{SQL: sql, Args: []any{ids, types, consumer, commit, o.LockTimeout}, Rows: func(rows pgx.Rows) error {
		received := make([]Received, len(messages))
		var n int
		var m cloudevent.Message
		var data, set string
		var fresh bool
		into := []any{&n, &m.ID, &m.Subject, &m.OrderID, &m.Version, &m.TraceParent, &data, &fresh, &set, &set}
		_, err := pgx.ForEachRow(rows, into, func() error {
			m.Type, m.Data = types[n-1], []byte(data)
			received[n-1] = Received{Duplicate, m}
			if fresh {
				received[n-1].State = Fresh
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("claim %d events for %s: %w", len(messages), consumer, err)
		}
		return then(received)
	}}
}

// ClaimChecked returns a statement that claims events which CheckUnclaimed found unclaimed. The transaction fails when another one
// was first; IsClaimed reports whether that is why.
func ClaimChecked(consumer string, messages []cloudevent.Message) pgbatch.Statement {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return pgbatch.Statement{
		SQL:  `INSERT INTO bus.inbox (event_id, consumer) SELECT event_id, $2 FROM unnest($1::uuid[]) AS done (event_id) ORDER BY event_id`,
		Args: []any{ids, consumer},
	}
}

// IsClaimed reports whether a transaction failed because another one had claimed an event before.
func IsClaimed(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pgbatch.IsDuplicate(err) && pg.SchemaName == "bus" && strings.HasPrefix(pg.TableName, "inbox")
}

var (
	// CommitAsync makes COMMIT return before the disk has the transaction.
	CommitAsync = pgbatch.Statement{SQL: `SET LOCAL synchronous_commit = off`}
	// CommitSync makes COMMIT wait for the disk.
	CommitSync = pgbatch.Statement{SQL: `SET LOCAL synchronous_commit = on`}
)
