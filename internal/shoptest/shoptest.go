// Package shoptest gives a test a shop of its own: a seeded Postgres, and functions that receive one event at a time,
// each with its own database role, through the runtime that also runs them in production. Only the broker is left out:
// emitted events stay in the event store, where the test reads them.
package shoptest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/logging"
	"github.com/popup-shop/popup/internal/provision"
	"github.com/popup-shop/popup/internal/seed"
)

// Shop is a shop in which nothing happens by itself.
type Shop struct {
	URL    string        // of the database, as the owner of all tables
	Pool   *pgxpool.Pool // on it, to arrange things and to look
	Broker *Recorder

	functions []function.Function
	mu        sync.Mutex
	runtimes  map[string]*function.Runtime
	hire      sync.Once
	staff     Person
	log       lines
	front     http.Handler // the gateway, once the shop is served
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Log is what the functions have logged.
func (s *Shop) Log() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.text.String()
}

// Open opens a seeded shop with all functions and their subscriptions. Their settings are the defaults with the test's
// changes.
func Open[S any](t testing.TB, all func(S) []function.Function, change ...func(*S)) *Shop {
	t.Helper()
	settings, err := config.Read[S]()
	require.NoError(t, err)
	if known, is := any(&settings).(interface{ UseKey(ed25519.PrivateKey) }); is {
		known.UseKey(key)
	}
	for _, c := range change {
		c(&settings)
	}
	s := &Shop{Broker: &Recorder{}, URL: dbtest.URL(t), functions: all(settings), runtimes: map[string]*function.Runtime{}}
	s.Pool = s.pool(t, "")
	require.NoError(t, seed.Demo(t.Context(), s.Pool))
	require.NoError(t, provision.Subscribe(t.Context(), s.Pool, s.functions))
	return s
}

// Replace puts another function into the place of the one that bears its name.
func (s *Shop) Replace(t testing.TB, f function.Function) {
	t.Helper()
	*s.Function(t, f.Name) = f
}

// pool opens the database as a role, with the settings that functions have.
func (s *Shop) pool(t testing.TB, role string) *pgxpool.Pool {
	t.Helper()
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	if role != "" {
		u.User = url.User(role)
	}
	pool, err := config.Database{URL: u.String(), Pool: 8}.Open(context.Background())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// rolesMu is held while roles are created: they belong to the whole server, which the tests share.
var rolesMu sync.Mutex

// Runtime is what a function runs on: its own role, with no more rights than it declares.
func (s *Shop) Runtime(t testing.TB, name string) *function.Runtime {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt, open := s.runtimes[name]; open {
		return rt
	}
	rolesMu.Lock()
	err := provision.GrantRoles(t.Context(), s.Pool, []function.Function{*s.Function(t, name)}, "")
	rolesMu.Unlock()
	require.NoError(t, err)
	rt := &function.Runtime{
		Pool: s.pool(t, name), Sink: s.Broker, Log: logging.NewText(&s.log, slog.LevelInfo), Revision: "test",
		Gateway: func() http.Handler { return s.front },
	}
	s.runtimes[name] = rt
	return rt
}

// Function finds one of the shop's functions.
func (s *Shop) Function(t testing.TB, name string) *function.Function {
	t.Helper()
	i := slices.IndexFunc(s.functions, func(f function.Function) bool { return f.Name == name })
	require.GreaterOrEqual(t, i, 0, "there is no function %s", name)
	return &s.functions[i]
}

// Send stores an event, delivers it to a function, and returns the events that the function emits.
func (s *Shop) Send(t testing.TB, name string, e events.Event) []events.Event {
	t.Helper()
	return s.Deliver(t, name, s.Store(t, e))
}

// Store puts an event into the event store, as emitted by its function.
func (s *Shop) Store(t testing.TB, e events.Event) cloudevent.Message {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	about := e.About()
	m := cloudevent.Message{
		ID: newID(t), Type: e.EventType(), Source: "/functions/" +
			s.source(e), Subject: about.Subject, OrderID: about.OrderID,
		CausationID: newID(t), Version: about.Version, Delayed: about.Delayed, Data: data,
	}
	_, err = s.Pool.Exec(t.Context(), `
		INSERT INTO bus.event (event_id, type, source, subject, order_id, causation_id, n, version, data)
		VALUES ($1, $2, $3, $4, nullif($5, '')::uuid, $6, 0, $7, $8)`,
		m.ID, m.Type, m.Source, m.Subject, m.OrderID, m.CausationID, m.Version, string(data))
	require.NoError(t, err)
	return m
}

func newID(t testing.TB) string {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return id.String()
}

func (s *Shop) source(e events.Event) string {
	for _, f := range s.functions {
		if slices.ContainsFunc(f.Emits, func(said events.Event) bool { return said.EventType() == e.EventType() }) {
			return f.Name
		}
	}
	return "test"
}

// Deliver delivers a stored event to a function, and returns the events that the function emits.
func (s *Shop) Deliver(t testing.TB, name string, m cloudevent.Message) []events.Event {
	t.Helper()
	require.NoError(t, s.TryDeliver(t, name, m))
	return s.EmittedFor(t, name, m)
}

// TryDeliver delivers a stored event to a function, and returns the error with which the function asks for a retry.
func (s *Shop) TryDeliver(t testing.TB, name string, m cloudevent.Message) error {
	t.Helper()
	return s.Runtime(t, name).Deliver(t.Context(), s.Function(t, name), m)
}

// EmittedFor returns the events that a function emitted for a cause.
func (s *Shop) EmittedFor(t testing.TB, name string, cause cloudevent.Message) []events.Event {
	t.Helper()
	rows, err := s.Pool.Query(t.Context(), eventstore.SelectMessages+`
		WHERE e.causation_id = $1 AND e.source = $2 ORDER BY e.n`, cause.ID, "/functions/"+name)
	require.NoError(t, err)
	messages, err := eventstore.CollectMessages(rows)
	require.NoError(t, err)
	var said []events.Event
	for _, m := range messages {
		said = append(said, EventOf(t, m))
	}
	return said
}

// Emitted returns the events of one type about an order.
func (s *Shop) Emitted(t testing.TB, orderID, eventType string) []cloudevent.Message {
	t.Helper()
	rows, err := s.Pool.Query(t.Context(), eventstore.SelectMessages+`
		WHERE e.order_id = $1 AND e.type = $2 ORDER BY e.xid, e.n`, orderID, eventType)
	require.NoError(t, err)
	said, err := eventstore.CollectMessages(rows)
	require.NoError(t, err)
	return said
}

// EventOf reads a message as the event it is.
func EventOf(t testing.TB, m cloudevent.Message) events.Event {
	t.Helper()
	e, err := events.Read(m.Type, m.Data)
	require.NoError(t, err)
	return e
}

// Recorder is a broker that records what is published, and fails on request.
type Recorder struct {
	mu   sync.Mutex
	got  []cloudevent.Message
	fail error
}

// Publish keeps the messages.
func (r *Recorder) Publish(_ context.Context, messages []cloudevent.Message) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := make([]error, len(messages))
	for i := range errs {
		errs[i] = r.fail
	}
	if r.fail == nil {
		r.got = append(r.got, messages...)
	}
	return errs
}

// Fail makes every Publish return err, until it is nil.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// Published are the messages so far.
func (r *Recorder) Published() []cloudevent.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// Serve serves the shop through a gateway that reaches all functions, each under its own role, and returns its address.
func (s *Shop) Serve(t testing.TB, within func(reach func(name string) http.Handler) function.Function) string {
	t.Helper()
	gateway := within(func(name string) http.Handler { return s.Runtime(t, name).ServeMux(s.Function(t, name)) })
	s.front = s.Runtime(t, gateway.Name).ServeMux(&gateway)
	server := httptest.NewServer(s.front)
	t.Cleanup(server.Close)
	return server.URL
}
