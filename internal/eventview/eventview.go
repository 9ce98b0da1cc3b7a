// Package eventview is events as callers of the HTTP API see them, in lists and in streams.
package eventview

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

// Event is an event in the log, and what became of it.
type Event struct {
	ID          string          `json:"id" format:"uuid"`
	Sequence    string          `json:"sequence" doc:"Its place in the log: sequences as texts have the order of their events. Lists and streams go on after one."`
	Type        string          `json:"type" example:"order.placed"`
	Alias       string          `json:"alias,omitempty" example:"ORDER_REQUESTED"`
	Subject     string          `json:"subject" doc:"The id of what it is about."`
	OrderID     string          `json:"order_id,omitempty" format:"uuid"`
	Emitter     string          `json:"emitter" example:"place-order" doc:"The function that emitted it."`
	CausationID string          `json:"causation_id" doc:"The event or request that caused it."`
	Version     int64           `json:"version,omitempty" doc:"The version of its subject after it."`
	Time        time.Time       `json:"time"`
	Consumers   []Consumer      `json:"consumers" nullable:"false" doc:"What became of it at each function that consumes it."`
	Data        json.RawMessage `json:"data"`
}

// Consumer is what became of an event at a function that consumes it.
type Consumer struct {
	Function string     `json:"function" example:"reserve-stock"`
	State    string     `json:"state" enum:"waiting,handled,dead_letter"`
	At       *time.Time `json:"at,omitempty" doc:"When it was handled."`
	AfterMS  *int64     `json:"after_ms,omitempty" doc:"How long after the event that was, in milliseconds."`
	Attempts int        `json:"attempts,omitempty" doc:"Rounds of attempts so far, if the first one failed."`
	Reason   string     `json:"reason,omitempty" doc:"Why it is a dead letter."`
}

// Of returns the view of an event.
func Of(e eventstore.LogEntry) Event {
	view := Event{
		ID: e.ID, Sequence: e.Position.String(), Type: e.Type, Alias: events.Alias(e.Type), Subject: e.Subject, OrderID: e.OrderID,
		Emitter: e.Emitter(), CausationID: e.CausationID, Version: e.Version, Time: e.Time, Consumers: []Consumer{}, Data: e.Data,
	}
	for _, c := range e.Consumers {
		view.Consumers = append(view.Consumers, consumerOf(c, e.Time))
	}
	return view
}

func consumerOf(c eventstore.Consumption, emitted time.Time) Consumer {
	view := Consumer{Function: c.Function, State: c.State, Attempts: c.Attempts, Reason: c.Reason}
	if c.At != nil {
		at := c.At.UTC()
		after := at.Sub(emitted).Milliseconds()
		view.At, view.AfterMS = &at, &after
	}
	return view
}

// Filter selects events, by the parameters of a request. An empty field selects all.
type Filter struct {
	Type     string `query:"type" maxLength:"60" example:"order.placed"`
	Alias    string `query:"alias" maxLength:"60" example:"ORDER_CANCELLED" doc:"An older name, which may be that of several types."`
	OrderID  string `query:"order_id" format:"uuid"`
	Consumer string `query:"consumer" maxLength:"60" example:"send-email" doc:"A function that consumes them."`
	Emitter  string `query:"emitter" maxLength:"60" example:"place-order" doc:"The function that emitted them."`
}

// Query returns the query of the log for a filter, and a problem for a type, an alias or an order that cannot be.
func (f Filter) Query() (q eventstore.LogQuery, p *problem.Problem) {
	var wrong []problem.FieldError
	q = eventstore.LogQuery{OrderID: strings.ToLower(f.OrderID), Consumer: f.Consumer, Emitter: f.Emitter}
	if f.OrderID != "" && !id.Valid(f.OrderID) {
		wrong = append(wrong, problem.FieldError{Field: "order_id", Message: "is not a UUID"})
	}
	if _, ok := events.ByType(f.Type); f.Type != "" && !ok {
		wrong = append(wrong, problem.FieldError{Field: "type", Message: "is not a type of event"})
	}
	aliased := events.TypesOf(f.Alias)
	if f.Alias != "" && aliased == nil {
		wrong = append(wrong, problem.FieldError{Field: "alias", Message: "is not an older name of an event"})
	}
	if wrong != nil {
		return q, problem.Invalid(wrong...)
	}
	switch {
	case f.Type != "" && f.Alias != "" && !slices.Contains(aliased, f.Type):
		q.Types = []string{}
	case f.Type != "":
		q.Types = []string{f.Type}
	case f.Alias != "":
		q.Types = aliased
	}
	return q, nil
}
