package servegateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
)

// orderHub reads the versions of all orders that have a stream with one query. It reads while there are streams.
type orderHub struct {
	pool *pgxpool.Pool
	log  *slog.Logger

	mu      sync.Mutex
	poller  poller
	watched map[string]*watchedOrder
}

// watchedOrder is an order with the newest version that is known of it.
type watchedOrder struct {
	streams int
	version int64
	more    chan struct{} // closed when there is a newer one
}

func newOrderHub(pool *pgxpool.Pool, log *slog.Logger) *orderHub {
	h := &orderHub{pool: pool, log: log, watched: map[string]*watchedOrder{}}
	h.poller.poll = h.poll
	return h
}

// join begins to watch an order. leave has to be called at the end.
func (h *orderHub) join(orderID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watched[orderID] == nil {
		h.watched[orderID] = &watchedOrder{more: make(chan struct{})}
	}
	h.watched[orderID].streams++
	h.poller.add()
}

func (h *orderHub) leave(orderID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watched[orderID].streams--; h.watched[orderID].streams == 0 {
		delete(h.watched, orderID)
	}
	h.poller.remove()
}

// after returns a channel that is closed once the order has a later version than one that was read.
func (h *orderHub) after(orderID string, version int64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[orderID]
	if w.version > version {
		return closed
	}
	w.version = version
	return w.more
}

// poll reads the versions of the orders, and returns how long to wait before it is called again.
func (h *orderHub) poll(ctx context.Context) time.Duration {
	reading, cancel := context.WithTimeout(ctx, streamRead)
	defer cancel()
	versions, err := readVersions(reading, h.pool, h.ids())
	if err != nil {
		if ctx.Err() == nil {
			h.log.WarnContext(ctx, "orders for streams could not be read", "function", name, "error", err)
		}
		return retryAfter
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for orderID, version := range versions {
		if w := h.watched[orderID]; w != nil && version > w.version {
			w.version = version
			close(w.more)
			w.more = make(chan struct{})
		}
	}
	return streamPoll
}

func (h *orderHub) ids() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]string, 0, len(h.watched))
	for orderID := range h.watched {
		ids = append(ids, orderID)
	}
	return ids
}

// readVersions returns the versions of orders by their ids.
func readVersions(ctx context.Context, pool *pgxpool.Pool, ids []string) (map[string]int64, error) {
	rows, err := pool.Query(ctx, `
		SELECT order_id::text, version FROM orders.versions(@ids::uuid[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read versions of %d orders: %w", len(ids), err)
	}
	versions := make(map[string]int64, len(ids))
	var orderID string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&orderID, &version}, func() error {
		versions[orderID] = version
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read versions of %d orders: %w", len(ids), err)
	}
	return versions, nil
}

// orderStream shows the changes of an order to a caller who may see it.
type orderStream struct {
	rt      *function.Runtime
	request auth.Request
	hub     *orderHub
	orderID string
	at      int64  // the version that was sent last
	first   []byte // what was read when the stream was opened
}

// openOrder opens a stream of the versions after the one that Last-Event-ID names, or from the current one on.
func (s *streams) openOrder(r *http.Request, request auth.Request) (feeder, error) {
	if r.URL.RawQuery != "" {
		return nil, problem.Invalid(problem.FieldError{Field: "query", Message: "has no parameters here"})
	}
	at := orderview.Latest
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		version, err := strconv.ParseInt(last, 10, 64)
		if err != nil || version < 0 {
			return nil, problem.Invalid(problem.FieldError{Field: "Last-Event-ID", Message: "is not a version of an order"})
		}
		at = version
	}
	orderID, err := orderview.IDOf(r.Context(), scoped(s.rt, request), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	stream := &orderStream{rt: s.rt, request: request, hub: s.orders, orderID: orderID, at: at}
	if stream.first, err = stream.read(r.Context()); err != nil {
		return nil, err
	}
	stream.hub.join(orderID)
	return stream, nil
}

// read returns the changes since the version that was sent last.
func (s *orderStream) read(ctx context.Context) ([]byte, error) {
	changes, err := orderview.Changes(ctx, scoped(s.rt, s.request), s.orderID, s.at)
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, c := range changes {
		data, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "id: %d\ndata: %s\n\n", c.Version, data)
		s.at = c.Version
	}
	return text, nil
}

func (s *orderStream) authorize(ctx context.Context) error {
	_, err := orderview.IDOf(ctx, scoped(s.rt, s.request), s.orderID)
	return err
}

// position is empty: each version is sent.
func (s *orderStream) position() string { return "" }

func (s *orderStream) close() { s.hub.leave(s.orderID) }

// next returns the changes since the last call.
func (s *orderStream) next(ctx context.Context) (text []byte, more <-chan struct{}, err error) {
	if text, s.first = s.first, nil; text == nil {
		if text, err = s.read(ctx); err != nil {
			return nil, nil, err
		}
	}
	return text, s.hub.after(s.orderID, s.at), nil
}
