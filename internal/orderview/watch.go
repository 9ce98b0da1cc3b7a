package orderview

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/web"
)

// pollEvery is the pause between two queries for one waiting order. It grows with the number of orders.
const pollEvery = 4 * time.Millisecond

// Watcher lets any number of callers wait for their orders with one query at a time. Its zero value is ready.
type Watcher struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{}
}

// AwaitDecision waits until the shop has decided about a pending order, or it can be paid by its customer, or until the
// time is up.
func (w *Watcher) AwaitDecision(ctx context.Context, db web.Reader, orderID string, atMost time.Duration) {
	if atMost <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	select {
	case <-w.join(web.Unscoped(db), orderID):
	case <-ctx.Done():
	}
}

// join adds a caller to those who wait, and starts the query loop if it does not run.
func (w *Watcher) join(db web.Reader, orderID string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	decided := make(chan struct{})
	if w.waiting == nil {
		w.waiting = map[string][]chan struct{}{}
		go w.look(db)
	}
	w.waiting[orderID] = append(w.waiting[orderID], decided)
	return decided
}

// look queries all orders that callers wait for, again and again, until there are none. A caller who has given up stays
// on the list for the longest time that a request may wait.
func (w *Watcher) look(db web.Reader) {
	began := map[string]time.Time{}
	for {
		time.Sleep(pollEvery * time.Duration(1+len(began)/4))
		w.mu.Lock()
		ids := make([]string, 0, len(w.waiting))
		for id := range w.waiting {
			if began[id].IsZero() {
				began[id] = time.Now()
			}
			ids = append(ids, id)
		}
		w.mu.Unlock()
		decided := readDecided(db, ids)
		for id, since := range began {
			if time.Since(since) > maxWait {
				decided = append(decided, id)
			}
		}
		w.mu.Lock()
		for _, id := range decided {
			for _, caller := range w.waiting[id] {
				close(caller)
			}
			delete(w.waiting, id)
			delete(began, id)
		}
		if len(w.waiting) == 0 {
			w.waiting = nil
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

// readDecided returns nothing when the database does not respond; the next query follows soon.
func readDecided(db web.Reader, ids []string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), maxWait)
	defer cancel()
	rows, err := db.Query(ctx, `
		SELECT decided::text FROM orders.decided(@ids::uuid[]) AS decided`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil
	}
	decided, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil
	}
	return decided
}
