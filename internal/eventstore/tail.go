package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
)

// Cursor is a position in the log. No event can appear before it later.
type Cursor struct {
	Xid string `json:"xid"`
}

// Filter selects events; an empty field selects all.
type Filter struct {
	OrderID string
	Type    string
	Since   time.Time
}

// Entry is an event as popup events prints it.
type Entry struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Alias   string    `json:"alias,omitempty"`
	Source  string    `json:"source"`
	Subject string    `json:"subject"`
	OrderID string    `json:"order_id,omitempty"`
	Cause   string    `json:"causation_id"`
	Version int64     `json:"version,omitempty"`
	Time    time.Time `json:"time"`
	Data    any       `json:"data"`
}

// EntryOf returns the entry of a message.
func EntryOf(m cloudevent.Message) Entry {
	return Entry{
		ID: m.ID, Type: m.Type, Alias: events.Alias(m.Type), Source: m.Source, Subject: m.Subject, OrderID: m.OrderID,
		Cause: m.CausationID, Version: m.Version, Time: m.Time, Data: rawJSON(m.Data),
	}
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// End returns the position after all events so far.
func End(ctx context.Context, pool *pgxpool.Pool) (c Cursor, err error) {
	err = pool.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot())::text`).Scan(&c.Xid)
	return c, err
}

// Read returns the events from a position on, in the order in which their transactions began, and the position after them.
// Consumers receive them all the same.
func Read(ctx context.Context, pool *pgxpool.Pool, from Cursor, f Filter) ([]cloudevent.Message, Cursor, error) {
	next, err := End(ctx, pool)
	if err != nil {
		return nil, from, fmt.Errorf("read events: %w", err)
	}
	if from.Xid == "" {
		from.Xid = "0"
	}
	var since *time.Time
	if !f.Since.IsZero() {
		since = &f.Since
	}
	rows, err := pool.Query(ctx, SelectMessages+`
		WHERE e.xid >= @from::xid8 AND e.xid < @next::xid8
		AND (@order_id = '' OR e.order_id = nullif(@order_id, '')::uuid) AND @type IN ('', e.type)
		AND (@since::timestamptz IS NULL OR e.created_at >= @since)
		ORDER BY e.xid, e.n`,
		pgx.NamedArgs{"from": from.Xid, "next": next.Xid, "order_id": f.OrderID, "type": f.Type, "since": since})
	if err != nil {
		return nil, from, fmt.Errorf("read events: %w", err)
	}
	found, err := CollectMessages(rows)
	return found, next, err
}

// OfOrder returns all events of an order.
func OfOrder(ctx context.Context, db Querier, orderID string) ([]cloudevent.Message, error) {
	rows, err := db.Query(ctx, SelectMessages+`
		WHERE e.order_id = @order_id
		ORDER BY e.xid, e.n`, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", orderID, err)
	}
	return CollectMessages(rows)
}

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// FirstTraces returns the traceparent of the first event of each order, by order.
func FirstTraces(ctx context.Context, db Querier, orderIDs []string) (map[string]string, error) {
	rows, err := db.Query(ctx, `
		SELECT DISTINCT ON (order_id) order_id::text, traceparent
		FROM bus.event
		WHERE order_id = ANY (@orders::uuid[]) AND traceparent <> ''
		ORDER BY order_id, xid, n`, pgx.NamedArgs{"orders": orderIDs})
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	traces := map[string]string{}
	var order, trace string
	_, err = pgx.ForEachRow(rows, []any{&order, &trace}, func() error {
		traces[order] = trace
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	return traces, nil
}
