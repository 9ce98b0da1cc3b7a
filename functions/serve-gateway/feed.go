package servegateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
)

const (
	pollInterval = 250 * time.Millisecond // between two reads, while there are requests
	pollTimeout  = 200 * time.Millisecond // for one read
	staleAfter   = time.Second            // without a read for so long, cached responses may be out of date
)

// feed reads new events from the event store and invalidates cached responses. It reads when a request comes, at most
// four times a second: an idle gateway does not query the database.
//
// Transactions commit in another order than they get their ids. So each read starts at the oldest transaction that was
// running at the time of the read before, and skips the events that it has seen already.
type feed struct {
	read func(ctx context.Context, from string) (position, error)
	drop func(names map[string]bool)

	polledAt   atomic.Int64 // time of the last read, in nanoseconds
	generation atomic.Int64 // invalidations so far; 0 before the first read, which only finds the position

	mu   sync.Mutex
	from string          // the oldest transaction that was running at the last read
	seen map[string]bool // the events since then
}

// position is a position in the event store, and the events between an earlier position and this one.
type position struct {
	From   string
	Events []feedEvent
}

type feedEvent struct {
	ID    string
	Event events.Event
}

// refresh reads new events, unless the last read was just now. It reports whether all events that are older than a
// second have been read. A request that comes during another one's read waits for it only if the last read is too old.
func (f *feed) refresh(ctx context.Context) bool {
	age := f.age()
	if age < pollInterval {
		return true
	}
	if age >= staleAfter {
		f.mu.Lock()
	} else if !f.mu.TryLock() {
		return true
	}
	defer f.mu.Unlock()
	if f.age() >= pollInterval {
		f.poll(ctx)
	}
	return f.age() < staleAfter
}

func (f *feed) age() time.Duration { return time.Duration(time.Now().UnixNano() - f.polledAt.Load()) }

// expire makes the next request read new events.
func (f *feed) expire() { f.polledAt.Store(0) }

func (f *feed) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollTimeout)
	defer cancel()
	began := time.Now()
	at, err := f.read(ctx, f.from)
	if err != nil {
		return
	}
	names, seen := map[string]bool{}, map[string]bool{}
	for _, s := range at.Events {
		seen[s.ID] = true
		shown, ok := s.Event.(events.Shown)
		if ok && !f.seen[s.ID] {
			for _, name := range shown.Touches() {
				names[name] = true
			}
		}
	}
	first := f.from == ""
	f.from, f.seen = at.From, seen
	if first || len(names) > 0 {
		f.generation.Add(1)
		f.drop(names)
	}
	f.polledAt.Store(began.UnixNano())
}

// feedReader returns a function that reads, in one snapshot, the events of transactions that had not ended at a
// position, and the new position. Events outside of the snapshot come after the new position. From an empty position it
// reads no events.
func feedReader(pool *pgxpool.Pool) func(ctx context.Context, from string) (position, error) {
	types := events.ShownTypes()
	return func(ctx context.Context, from string) (at position, err error) {
		rows, err := pool.Query(ctx, `
			SELECT pg_snapshot_xmin(pg_current_snapshot())::text,
				coalesce(e.event_id::text, ''), coalesce(e.type, ''), coalesce(e.data::text, '')
			FROM (VALUES (nullif(@from, '')::xid8)) AS since(xid)
			LEFT JOIN bus.event e ON e.xid >= since.xid AND e.type = ANY(@types)`, pgx.NamedArgs{"from": from, "types": types})
		if err != nil {
			return at, fmt.Errorf("read new events: %w", err)
		}
		var eventID, eventType, data string
		_, err = pgx.ForEachRow(rows, []any{&at.From, &eventID, &eventType, &data}, func() error {
			if eventID == "" {
				return nil
			}
			e, err := events.Read(eventType, []byte(data))
			at.Events = append(at.Events, feedEvent{eventID, e})
			return err
		})
		if err != nil {
			return at, fmt.Errorf("read new events: %w", err)
		}
		return at, nil
	}
}
