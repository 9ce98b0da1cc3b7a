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
	lookEvery = 250 * time.Millisecond // at the ledger, while calls come
	lookIn    = 200 * time.Millisecond // it has to answer
	staleFrom = time.Second            // what was said longer ago may be unknown to us
)

// feed follows what is said in the shop while somebody calls. Nobody calls: nothing is asked.
type feed struct {
	read func(ctx context.Context, from string) (position, error)
	drop func(names map[string]bool)

	looked atomic.Int64 // when, in nanoseconds
	turns  atomic.Int64 // how often something was heard; none: we do not know where to go on from yet

	mu   sync.Mutex
	from string          // the oldest transaction that was still running when we looked
	seen map[string]bool // the events since then
}

// position is a place in the ledger, and what was said behind an earlier one.
type position struct {
	From string
	Said []heard
}

type heard struct {
	ID    string
	Event events.Event
}

// current hears what was said since the last look, unless that was just now. It says whether we know everything that was
// said more than a second ago. Whoever comes while another looks does not wait, if what we know is young enough.
func (f *feed) current(ctx context.Context) bool {
	age := f.age()
	if age < lookEvery {
		return true
	}
	if age >= staleFrom {
		f.mu.Lock()
	} else if !f.mu.TryLock() {
		return true
	}
	defer f.mu.Unlock()
	if f.age() >= lookEvery {
		f.look(ctx)
	}
	return f.age() < staleFrom
}

func (f *feed) age() time.Duration { return time.Duration(time.Now().UnixNano() - f.looked.Load()) }

// again makes the next call look.
func (f *feed) again() { f.looked.Store(0) }

func (f *feed) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookIn)
	defer cancel()
	began := time.Now()
	at, err := f.read(ctx, f.from)
	if err != nil {
		return
	}
	names, seen := map[string]bool{}, map[string]bool{}
	for _, s := range at.Said {
		seen[s.ID] = true
		if shown, is := s.Event.(events.Shown); is && !f.seen[s.ID] {
			for _, name := range shown.Touches() {
				names[name] = true
			}
		}
	}
	first := f.from == ""
	f.from, f.seen = at.From, seen
	if first || len(names) > 0 {
		f.turns.Add(1)
		f.drop(names)
	}
	f.looked.Store(began.UnixNano())
}

// readSaid reads what was said by transactions that had not ended at a position, and the position now, in one snapshot: what
// is not in it is behind the new position. From nowhere it reads nothing.
func readSaid(pool *pgxpool.Pool) func(ctx context.Context, from string) (position, error) {
	types := events.ShownTypes()
	return func(ctx context.Context, from string) (at position, err error) {
		rows, err := pool.Query(ctx, `
			SELECT pg_snapshot_xmin(pg_current_snapshot())::text, coalesce(e.event_id::text, ''), coalesce(e.type, ''), coalesce(e.data::text, '')
			FROM (VALUES (nullif(@from, '')::xid8)) AS since(xid)
			LEFT JOIN bus.event e ON e.xid >= since.xid AND e.type = ANY(@types)`, pgx.NamedArgs{"from": from, "types": types})
		if err != nil {
			return at, fmt.Errorf("read what was said: %w", err)
		}
		var eventID, eventType, data string
		_, err = pgx.ForEachRow(rows, []any{&at.From, &eventID, &eventType, &data}, func() error {
			if eventID == "" {
				return nil
			}
			e, err := events.Read(eventType, []byte(data))
			at.Said = append(at.Said, heard{eventID, e})
			return err
		})
		if err != nil {
			return at, fmt.Errorf("read what was said: %w", err)
		}
		return at, nil
	}
}
