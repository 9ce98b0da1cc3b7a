package servegateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/eventview"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
)

const (
	streamPoll  = 250 * time.Millisecond // between two reads, while there are streams
	streamRead  = 2 * time.Second        // for one read
	ringEvents  = 2000                   // the newest events, which streams share
	ringBytes   = 4 << 20                // of these
	logPage     = 500                    // events of a read
	backlogPage = 100                    // events of a read for a stream that resumes further back
)

// eventHub reads the log of events once for all streams of events, and keeps the newest ones. It reads while there are streams.
type eventHub struct {
	pool *pgxpool.Pool
	log  *slog.Logger

	mu     sync.Mutex
	poller poller
	ring   []ringEvent
	bytes  int
	start  eventstore.Position // before the ring
	end    eventstore.Position // of the ring
	more   chan struct{}       // closed when the ring grows
}

// ringEvent is an event with its text in a stream.
type ringEvent struct {
	entry eventstore.LogEntry // without its data
	text  []byte
}

func newEventHub(pool *pgxpool.Pool, log *slog.Logger) *eventHub {
	h := &eventHub{pool: pool, log: log, more: make(chan struct{})}
	h.poller.poll = h.poll
	return h
}

// join returns the end of the log, for a new stream. leave has to be called at its end.
func (h *eventHub) join(ctx context.Context) (end eventstore.Position, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.poller.users == 0 {
		end, err = eventstore.LogEnd(ctx, h.pool)
		if err != nil {
			return end, err
		}
		h.ring, h.bytes, h.start, h.end = nil, 0, end, end
	}
	h.poller.add()
	return h.end, nil
}

func (h *eventHub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.poller.remove()
	if h.poller.users == 0 {
		h.ring, h.bytes = nil, 0
	}
}

// poll reads new events, and returns how long to wait before it is called again.
func (h *eventHub) poll(ctx context.Context) time.Duration {
	reading, cancel := context.WithTimeout(ctx, streamRead)
	defer cancel()
	h.mu.Lock()
	from := h.end
	h.mu.Unlock()
	page, err := eventstore.ReadLog(reading, h.pool, eventstore.LogQuery{After: from, Limit: logPage})
	if err != nil {
		if ctx.Err() == nil {
			h.log.WarnContext(ctx, "events for streams could not be read", "function", name, "error", err)
		}
		return retryAfter
	}
	h.add(ctx, page)
	if page.More {
		return 0
	}
	return streamPoll
}

// add appends a page to the ring, unless the hub has begun anew since.
func (h *eventHub) add(ctx context.Context, page eventstore.LogPage) {
	added := make([]ringEvent, len(page.Entries))
	for i, e := range page.Entries {
		added[i] = ringEvent{e, eventText(e)}
		added[i].entry.Data = nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	h.end = page.Next
	if len(added) == 0 {
		return
	}
	h.ring = append(h.ring, added...)
	for _, e := range added {
		h.bytes += len(e.text)
	}
	drop := 0
	for ; len(h.ring)-drop > ringEvents || h.bytes > ringBytes; drop++ {
		h.bytes -= len(h.ring[drop].text)
		h.start = h.ring[drop].entry.Position
	}
	h.ring = append([]ringEvent(nil), h.ring[drop:]...)
	close(h.more)
	h.more = make(chan struct{})
}

// since returns the events after a position, the position after them, and a channel that is closed when there are more; ok is false when
// the hub does not have all of them.
func (h *eventHub) since(at eventstore.Position) (found []ringEvent, end eventstore.Position, more <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at.Before(h.start) {
		return nil, at, closed, false
	}
	from := len(h.ring)
	for from > 0 && at.Before(h.ring[from-1].entry.Position) {
		from--
	}
	if h.end.Before(at) { // a position of another instance, which has read further
		return nil, at, h.more, true
	}
	return h.ring[from:], h.end, h.more, true
}

// eventText returns an event as it is sent.
func eventText(e eventstore.LogEntry) []byte {
	data, err := json.Marshal(eventview.Of(e))
	if err != nil { // data in the log is JSON
		data = []byte("{}")
	}
	return fmt.Appendf(nil, "id: %s\ndata: %s\n\n", e.Position, data)
}

// eventStream shows the events that a filter selects.
type eventStream struct {
	rt      *function.Runtime
	request auth.Request
	hub     *eventHub
	query   eventstore.LogQuery
	at      eventstore.Position
}

// openEvents opens a stream of events after the one that Last-Event-ID or the parameter after names, or of new ones.
func (s *streams) openEvents(r *http.Request, request auth.Request) (feeder, error) {
	query, from, err := eventParameters(r)
	if err != nil {
		return nil, err
	}
	stream := &eventStream{rt: s.rt, request: request, hub: s.events, query: query, at: from}
	if err := stream.authorize(r.Context()); err != nil {
		return nil, err
	}
	if from.EventID != "" {
		if stream.at, err = eventstore.Resume(r.Context(), s.rt.Pool, from); err != nil {
			return nil, err
		}
	}
	end, err := s.events.join(r.Context())
	if err != nil {
		return nil, err
	}
	if from.EventID == "" {
		stream.at = end
	}
	return stream, nil
}

// eventParameters returns the filter of a request, and where it begins.
func eventParameters(r *http.Request) (q eventstore.LogQuery, from eventstore.Position, err error) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, from, problem.Invalid(problem.FieldError{Field: "query", Message: "is malformed"})
	}
	get := func(name string) string {
		value := parameters.Get(name)
		parameters.Del(name)
		return value
	}
	filter := eventview.Filter{
		Type: get("type"), Alias: get("alias"), OrderID: get("order_id"), Consumer: get("consumer"), Emitter: get("emitter"),
	}
	field, after := "after", get("after")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		field, after = "Last-Event-ID", last
	}
	for unknown := range parameters {
		return q, from, problem.Invalid(problem.FieldError{Field: unknown, Message: "is unknown"})
	}
	if from, err = eventstore.ParsePosition(after); err != nil {
		return q, from, problem.Invalid(problem.FieldError{Field: field, Message: err.Error()})
	}
	q, p := filter.Query()
	if p != nil {
		return q, from, p
	}
	return q, from, nil
}

func (s *eventStream) authorize(ctx context.Context) error { return checkAccount(ctx, s.rt, s.request) }

func (s *eventStream) position() string { return "id: " + s.at.String() + "\n" }

func (s *eventStream) close() { s.hub.leave() }

// next returns the events since the last call: those that the hub has, or a page of those before.
func (s *eventStream) next(ctx context.Context) ([]byte, <-chan struct{}, error) {
	found, end, more, ok := s.hub.since(s.at)
	if !ok {
		return s.backlog(ctx)
	}
	var text bytes.Buffer
	for _, e := range found {
		if s.query.Matches(e.entry) {
			text.Write(e.text)
		}
	}
	s.at = end
	return text.Bytes(), more, nil
}

// backlog returns a page of events that the hub does not have.
func (s *eventStream) backlog(ctx context.Context) ([]byte, <-chan struct{}, error) {
	query := s.query
	query.After, query.Limit = s.at, backlogPage
	page, err := eventstore.ReadLog(ctx, s.rt.Pool, query)
	if err != nil {
		return nil, nil, err
	}
	var text bytes.Buffer
	for _, e := range page.Entries {
		text.Write(eventText(e))
	}
	if s.at = page.Next; !page.More {
		return text.Bytes(), after(streamPoll), nil
	}
	return text.Bytes(), closed, nil
}
