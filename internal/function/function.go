// Package function is the runtime that every function of the shop runs on. A function consumes events in batches,
// changes rows in one transaction and emits the events that follow; the runtime claims the events, commits, publishes
// and acknowledges. It knows no domain.
package function

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/cloudevent"
)

// Function declares a function: what it consumes and emits, and which tables it writes.
//
// On, Schedule, Maintenance, DeadLetters and Endpoints exclude each other, which a test of all functions checks. They
// are fields and not one field of an interface type: what reads a declaration asks for one of them, most often in a
// loop over On, and would have to convert it first.
type Function struct {
	Name        string         // verb-noun: folder, command, image, Service and Trigger have the same name
	On          []Handler      // the events it consumes
	Schedule    Schedule       // or: what it does about once a minute
	Maintenance Maintenance    // or: care for the event store itself
	DeadLetters DeadLetters    // or: stores what no other function could handle
	Endpoints   Endpoints      // or: the HTTP routes it serves
	Emits       []events.Event // all it may emit
	Writes      []string       // the tables it may write, beside those of the event store
	Locks       []string       // the tables whose rows it locks and does not write

	// SyncCommit makes commits that emit something wait for the disk. Without it a commit may be lost in a crash of the
	// database, and is made again from the event store. That is not enough where people act on what is emitted, nor where
	// several facts meet and the last one is the cause of what is emitted: made again, another may be the last.
	SyncCommit bool
}

// ReadsOnly reports whether all that a function does is respond to GET requests: it neither writes a table nor emits an
// event.
func (f Function) ReadsOnly() bool {
	if f.Endpoints == nil || len(f.Writes)+len(f.Locks)+len(f.Emits) > 0 {
		return false
	}
	routes := f.Endpoints.Routes()
	return len(routes) > 0 && !slices.ContainsFunc(routes, func(r Route) bool { return r.Method != http.MethodGet })
}

// Noun returns what a function with HTTP routes serves: "catalogue" for serve-catalogue, which shows it, and
// edit-catalogue, which changes it. The name of another function is returned whole.
func Noun(name string) string {
	for _, verb := range []string{"serve-", "edit-"} {
		if noun, ok := strings.CutPrefix(name, verb); ok {
			return noun
		}
	}
	return name
}

// Schedule is called about once a minute and returns the events of what is due, and when the next thing is, or zero;
// within the next minute the runtime waits for that time and calls again. It only reads: what is due is stored
// afterwards, and what cannot be stored alone is a dead letter.
type Schedule func(ctx context.Context, tx pgx.Tx, now time.Time) (due []events.Event, next time.Time, err error)

// Maintenance works on the event store itself and publishes what it finds there. Only sweep-events has one.
type Maintenance func(ctx context.Context, pool *pgxpool.Pool, sink cloudevent.Publisher) error

// DeadLetters stores an event that could not be delivered. Only store-dead-letter has one.
type DeadLetters func(ctx context.Context, tx pgx.Tx, dead cloudevent.DeadLetter) error

// Endpoints is a set of HTTP routes.
type Endpoints interface {
	Routes() []Route
	Open(mux *http.ServeMux, rt *Runtime)
}

// Route is one declared HTTP route: its method, its path with {wildcards}, and its access rules.
type Route struct {
	Method string        `json:"method"`
	Path   string        `json:"path"`
	Access access.Access `json:"who"`

	// CacheFor is how many seconds the gateway may cache a response, which is the same for every caller.
	CacheFor int `json:"cache_for,omitempty"`

	// Stream is whether the response is a stream of server-sent events. The gateway sends it itself: no function stays up for an open
	// page.
	Stream bool `json:"stream,omitempty"`

	// MaxBody is how many bytes a request may have, where that is more than the limit of all routes.
	MaxBody int64 `json:"body_most,omitempty"`
}
