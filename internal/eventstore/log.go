package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// Position is the place of an event in the log. Events are in the order in which their transactions began; those of one transaction
// are in the order of their numbers and ids. Its zero value is before all events.
type Position struct {
	Xid     uint64
	N       int16
	EventID string
}

const (
	firstID = "00000000-0000-0000-0000-000000000000"
	lastID  = "ffffffff-ffff-ffff-ffff-ffffffffffff"
)

// ErrPosition reports a text that is no position.
var ErrPosition = errors.New("is not a sequence of an event")

// ParsePosition returns the position that String wrote. That of "" is the zero value.
func ParsePosition(text string) (p Position, err error) {
	if text == "" {
		return p, nil
	}
	parts := strings.SplitN(text, "-", 3)
	if len(parts) != 3 {
		return p, ErrPosition
	}
	n, wrongN := strconv.ParseInt(parts[1], 16, 16)
	id, wrongID := uuid.Parse(parts[2])
	p.Xid, err = strconv.ParseUint(parts[0], 16, 64)
	p.N, p.EventID = int16(n), id.String()
	if err != nil || wrongN != nil || wrongID != nil || p.String() != text {
		return Position{}, ErrPosition
	}
	return p, nil
}

// String returns the position as a text. Texts have the order of their positions.
func (p Position) String() string {
	if p.EventID == "" {
		return ""
	}
	return fmt.Sprintf("%016x-%04x-%s", p.Xid, p.N, p.EventID)
}

// Before reports whether a position is before another one.
func (p Position) Before(other Position) bool {
	if p.Xid != other.Xid {
		return p.Xid < other.Xid
	}
	if p.N != other.N {
		return p.N < other.N
	}
	return p.EventID < other.EventID
}

// LogEnd returns the position after all events so far. No event can appear before it later.
func LogEnd(ctx context.Context, db Querier) (Position, error) {
	end, _, err := readBounds(ctx, db)
	return end, err
}

// Resume returns a position that a reader got earlier, or the end of the log for one that no event has had yet: it is from before an
// older state of the database was restored.
func Resume(ctx context.Context, db Querier, p Position) (Position, error) {
	end, next, err := readBounds(ctx, db)
	if err == nil && p.Xid > next {
		return end, nil
	}
	return p, err
}

// readBounds returns the position after all events so far, and the next transaction.
func readBounds(ctx context.Context, db Querier) (end Position, next uint64, err error) {
	rows, err := db.Query(ctx, `SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() s`)
	if err != nil {
		return end, 0, fmt.Errorf("read the end of the log: %w", err)
	}
	var oldest, following string
	_, err = pgx.ForEachRow(rows, []any{&oldest, &following}, func() (err error) {
		if end.Xid, err = strconv.ParseUint(oldest, 10, 64); err != nil {
			return err
		}
		next, err = strconv.ParseUint(following, 10, 64)
		return err
	})
	if err != nil {
		return end, 0, fmt.Errorf("read the end of the log: %w", err)
	}
	return Position{Xid: end.Xid, EventID: firstID}, next, nil
}

// The states of a consumption.
const (
	Waiting      = "waiting"     // it is not delivered yet, or will be again
	Handled      = "handled"     // its effect is committed
	DeadLettered = "dead_letter" // a person has to look at it
)

// Consumption is what became of an event at one of its consumers.
type Consumption struct {
	Function string     `json:"function"`
	State    string     `json:"state"`
	At       *time.Time `json:"at"`       // when its transaction began, if it is handled
	Attempts int        `json:"attempts"` // rounds of attempts that failed or got no response so far
	Reason   string     `json:"reason"`   // of a dead letter
}

// LogEntry is an event in the log, and what became of it.
type LogEntry struct {
	cloudevent.Message
	Position  Position
	Consumers []Consumption
}

// LogQuery selects events of the log. An empty field selects all.
type LogQuery struct {
	After    Position // where the page begins, exclusively
	Backward bool     // newest first; then the zero After is the end of the log
	OrderID  string
	Types    []string
	Consumer string // a function that consumes them
	Emitter  string // the function that emitted them
	Limit    int
}

// LogPage is a page of the log. Next is where the one after it begins; backward, it is zero at the beginning of the log. A page may have
// fewer events than the limit, or none, although there are more: reading looks at a limited number of events.
type LogPage struct {
	Entries []LogEntry
	Next    Position
	More    bool
}

// Matches reports whether an event is one of those that the query selects, whatever its position.
func (q LogQuery) Matches(e LogEntry) bool {
	consumes := func(c Consumption) bool { return c.Function == q.Consumer }
	return (q.OrderID == "" || e.OrderID == q.OrderID) &&
		(q.Types == nil || slices.Contains(q.Types, e.Type)) &&
		(q.Emitter == "" || e.Emitter() == q.Emitter) &&
		(q.Consumer == "" || slices.ContainsFunc(e.Consumers, consumes))
}

// logWindow is how many events one page looks at to find those of a filter.
const logWindow = 10_000

// ReadLog returns a page of the events of ended transactions, so that none can appear later in what was read. Consumers receive them
// all the same.
func ReadLog(ctx context.Context, db Querier, q LogQuery) (page LogPage, err error) {
	end, next, err := readBounds(ctx, db)
	if err != nil {
		return page, err
	}
	if !q.Backward && q.After.Xid > next { // as in Resume
		q.After = end
	}
	args := q.args(end)
	rows, err := db.Query(ctx, q.statement(), args)
	if err != nil {
		return page, fmt.Errorf("read the log: %w", err)
	}
	page.Entries, err = collectLog(rows)
	if err != nil {
		return page, fmt.Errorf("read the log: %w", err)
	}
	if n := len(page.Entries); n == q.Limit {
		page.Next, page.More = page.Entries[n-1].Position, true
		return page, nil
	}
	looked, last, err := readWindow(ctx, db, q, args)
	if err != nil || looked == logWindow {
		page.Next, page.More = last, true
		return page, err
	}
	if !q.Backward {
		page.Next = later(q.After, end)
	}
	return page, nil
}

func later(a, b Position) Position {
	if a.Before(b) {
		return b
	}
	return a
}

// isSelective reports whether a page may pass over events.
func (q LogQuery) isSelective() bool {
	return q.OrderID == "" && (q.Types != nil || q.Consumer != "" || q.Emitter != "")
}

// statement returns the one for the plan of a query: all events of an order are few, those of the log are read along an index.
func (q LogQuery) statement() string {
	switch {
	case q.OrderID != "" && q.Backward:
		return orderBackward
	case q.OrderID != "":
		return orderForward
	case q.Backward:
		return logBackward
	}
	return logForward
}

func (q LogQuery) args(end Position) pgx.NamedArgs {
	after := q.After
	if after.EventID == "" {
		after.EventID = firstID
		if q.Backward {
			after = end
		}
	}
	source := ""
	if q.Emitter != "" {
		source = cloudevent.SourceOf(q.Emitter)
	}
	return pgx.NamedArgs{
		"xid": decimal(after.Xid), "n": after.N, "id": after.EventID, "end": decimal(end.Xid), "order_id": q.OrderID, "types": q.Types,
		"consumer": q.Consumer, "source": source, "limit": q.Limit, "looks": logWindow,
	}
}

func decimal(xid uint64) string { return strconv.FormatUint(xid, 10) }

// readWindow returns how many events a page looked at, and the position of the last of them. A page that passes over none has looked at
// all.
func readWindow(ctx context.Context, db Querier, q LogQuery, args pgx.NamedArgs) (looked int, last Position, err error) {
	if !q.isSelective() {
		return 0, last, nil
	}
	sql := windowForward
	if q.Backward {
		sql = windowBackward
	}
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return 0, last, fmt.Errorf("read the log: %w", err)
	}
	var xid string
	_, err = pgx.ForEachRow(rows, []any{&looked, &xid, &last.N, &last.EventID}, func() (err error) {
		last.Xid, err = strconv.ParseUint(xid, 10, 64)
		return err
	})
	if err != nil {
		return 0, last, fmt.Errorf("read the log: %w", err)
	}
	return looked, last, nil
}

// LogOfOrder returns all events of an order, in the order in which they were emitted, and what became of them.
func LogOfOrder(ctx context.Context, db Querier, orderID string) ([]LogEntry, error) {
	rows, err := db.Query(ctx, wholeOrder, pgx.NamedArgs{"order_id": orderID})
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", orderID, err)
	}
	entries, err := collectLog(rows)
	if err != nil {
		return nil, fmt.Errorf("read events of order %s: %w", orderID, err)
	}
	return entries, nil
}

// collectLog reads rows of logColumns.
func collectLog(rows pgx.Rows) ([]LogEntry, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e LogEntry, err error) {
		var xid, data string
		var at time.Time
		err = row.Scan(&xid, &e.ID, &e.Type, &e.Source, &e.Subject, &e.OrderID, &e.CausationID, &e.N,
			&e.Version, &e.Delayed, &e.TraceParent, &at, &data, &e.Consumers)
		if err != nil {
			return e, err
		}
		e.Position = Position{N: int16(e.N), EventID: e.ID}
		e.Time, e.Data = at.UTC(), []byte(data)
		for i, c := range e.Consumers {
			if c.At != nil {
				handled := c.At.UTC()
				e.Consumers[i].At = &handled
			}
		}
		e.Position.Xid, err = strconv.ParseUint(xid, 10, 64)
		return e, err
	})
}
