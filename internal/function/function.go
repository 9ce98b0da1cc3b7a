// Package function is the runtime that every function of the shop runs on. A function consumes events in batches, changes rows in
// one transaction and emits the events that follow; the runtime claims the events, commits, publishes and acknowledges. It knows
// no domain.
package function

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
)

// Function declares a step: what it is told, what it says, which tables it writes.
type Function struct {
	Name   string         // verb-noun: folder, command, image, Service and Trigger bear it too
	On     []Handler      // the events it is told
	Clock  Clock          // or: what it does when the clock strikes
	Upkeep Upkeep         // or: care for the ledger itself
	Dead   DeadLetters    // or: takes what no other function could handle
	Door   Door           // or: the HTTP routes it serves
	Emits  []events.Event // all it may say
	Writes []string       // the tables it may write, beside those of the ledger
	Locks  []string       // the tables whose rows it locks and does not write

	// Durable makes commits that say something wait for the disk. Without it a commit may be lost in a crash of the database,
	// and is made again from the ledger. That is not enough where people act on what is said, nor where several facts meet and
	// the last one is the cause of what is said: made again, another may be the last.
	Durable bool
}

// Clock is called about once a minute. next is the time of the next thing that is due, or zero; within the next minute the
// shell waits for it and calls again. It only reads: what is due is stored afterwards, and what cannot be stored alone is a dead
// letter.
type Clock func(ctx context.Context, tx pgx.Tx, now time.Time) (said []events.Event, next time.Time, err error)

// Upkeep works on the ledger itself and publishes what it finds there. Only sweep-events has one.
type Upkeep func(ctx context.Context, pool *pgxpool.Pool, sink cloudevent.Publisher) error

// DeadLetters keeps an event that could not be delivered. Only park-event has one.
type DeadLetters func(ctx context.Context, tx pgx.Tx, dead cloudevent.DeadLetter) error

// Door is a set of HTTP routes.
type Door interface {
	Routes() []Route
	Open(mux *http.ServeMux, rt *Runtime)
}

// Route is one declared way in: its method, its path with {wildcards}, and who may take it.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Who    string `json:"who"`

	// CacheFor is how many seconds the gateway may keep an answer; it is the same for all who may have it.
	CacheFor int `json:"cache_for,omitempty"`

	// BodyMost is how many bytes a call may send, where that is more than the limit of all routes.
	BodyMost int64 `json:"body_most,omitempty"`
}
