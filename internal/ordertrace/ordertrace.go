// Package ordertrace makes the trace of an order from the event store: each request, schedule and handling of an event is a step,
// caused by the step that emitted the event. It needs no collector, and works for orders of long ago.
package ordertrace

import (
	"context"
	"slices"
	"time"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

// Step is what a function did for an order.
type Step struct {
	TraceID  string     `json:"trace_id"`
	SpanID   string     `json:"span_id"`
	ParentID string     `json:"parent_span_id,omitempty"`
	Function string     `json:"function"`
	Event    string     `json:"event,omitempty"` // the handled event's type; empty: a request or a schedule
	EventID  string     `json:"event_id,omitempty"`
	Emits    []string   `json:"emits"`
	Start    time.Time  `json:"start"`         // of its transaction; of one that is still to come, when its event was emitted
	End      *time.Time `json:"end,omitempty"` // when the first emitted event was handled; absent if none was
	Depth    int        `json:"depth"`         // how many steps led to it
	State    string     `json:"state" enum:"waiting,handled,dead_letter"`
	Attempts int        `json:"attempts,omitempty"` // rounds of attempts so far, if the first one failed
	Reason   string     `json:"reason,omitempty"`   // of a dead letter
}

// key identifies a step: the function and the event that it handled, or the cause of what it emitted.
type key struct{ function, cause string }

// trace is a trace in the making.
type trace struct {
	id      string
	events  []eventstore.LogEntry
	byID    map[string]bool
	emitted map[key][]eventstore.LogEntry
	steps   []Step
}

// Read returns the steps of an order; there are none for an order without events.
func Read(ctx context.Context, db eventstore.Querier, orderID string) ([]Step, error) {
	events, err := eventstore.LogOfOrder(ctx, db, orderID)
	if err != nil {
		return nil, err
	}
	return Of(events), nil
}

// Of returns the steps that the events of an order led to, each after the step that caused it, and steps with one cause by time. What
// waits for a function, or is a dead letter, is a step too.
func Of(events []eventstore.LogEntry) []Step {
	t := &trace{events: events, byID: map[string]bool{}, emitted: map[key][]eventstore.LogEntry{}}
	for _, e := range events {
		t.byID[e.ID] = true
		by := key{e.Emitter(), e.CausationID}
		t.emitted[by] = append(t.emitted[by], e)
		if t.id == "" {
			t.id, _, _ = cloudevent.SplitTrace(e.TraceParent)
		}
	}
	if t.id == "" {
		t.id, _, _ = cloudevent.SplitTrace(cloudevent.NewTrace())
	}
	t.addRoots()
	return t.steps
}

// addRoots adds what no event of the order caused, with all that followed.
func (t *trace) addRoots() {
	done := map[key]bool{}
	for _, e := range t.events {
		by := key{e.Emitter(), e.CausationID}
		if t.byID[e.CausationID] || done[by] {
			continue
		}
		done[by] = true
		_, span, ok := cloudevent.SplitTrace(e.TraceParent)
		if !ok {
			span = cloudevent.ChildSpan(by.function, by.cause)
		}
		t.add(Step{SpanID: span, Function: by.function, Start: e.Time, State: eventstore.Handled}, by)
	}
}

// consumption is what became of an event at a function.
type consumption struct {
	eventstore.Consumption
	event eventstore.LogEntry
}

// start returns when it was handled, or since when it waits.
func (c consumption) start() time.Time {
	if c.At == nil {
		return c.event.Time
	}
	return *c.At
}

// add adds a step and all that followed from what it emitted.
func (t *trace) add(s Step, by key) {
	s.TraceID = t.id
	s.Emits = []string{}
	var next []consumption
	for _, e := range t.emitted[by] {
		s.Emits = append(s.Emits, e.Type)
		for _, c := range e.Consumers {
			next = append(next, consumption{c, e})
		}
	}
	slices.SortStableFunc(next, func(a, b consumption) int { return a.start().Compare(b.start()) })
	for _, c := range next {
		if c.At != nil {
			s.End = c.At
			break
		}
	}
	t.steps = append(t.steps, s)
	for _, c := range next {
		t.add(t.step(c, s), key{c.Function, c.event.ID})
	}
}

// step returns the step of a consumption. Its span is that of the events that were emitted in it, if there are any.
func (t *trace) step(c consumption, cause Step) Step {
	span := cloudevent.ChildSpan(c.Function, c.event.ID)
	if emitted := t.emitted[key{c.Function, c.event.ID}]; len(emitted) > 0 {
		if _, own, ok := cloudevent.SplitTrace(emitted[0].TraceParent); ok {
			span = own
		}
	}
	return Step{
		SpanID: span, ParentID: cause.SpanID, Function: c.Function, Event: c.event.Type, EventID: c.event.ID, Start: c.start(),
		Depth: cause.Depth + 1, State: c.State, Attempts: c.Attempts, Reason: c.Reason,
	}
}
