// Package ordertrace makes the trace of an order from the event store: each request, schedule and handling of an event is a step,
// caused by the step that emitted the event. It needs no collector, and works for orders of long ago.
package ordertrace

import (
	"slices"
	"strings"
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
	Start    time.Time  `json:"start"`
	End      *time.Time `json:"end,omitempty"` // when the first emitted event was handled; absent if none was
	Depth    int        `json:"depth"`         // how many steps led to it
}

// key identifies a step: the function and the event that it handled, or the cause of what it emitted.
type key struct{ function, cause string }

// trace is a trace in the making.
type trace struct {
	id        string
	events    []cloudevent.Message
	byID      map[string]cloudevent.Message
	emitted   map[key][]cloudevent.Message
	handlings map[string][]eventstore.Handling // by event
	steps     []Step
}

// Of returns the steps of an order, each after the step that caused it, and steps with one cause by time.
func Of(events []cloudevent.Message, handlings []eventstore.Handling) []Step {
	t := &trace{
		events: events, byID: map[string]cloudevent.Message{}, emitted: map[key][]cloudevent.Message{},
		handlings: map[string][]eventstore.Handling{},
	}
	for _, e := range events {
		t.byID[e.ID] = e
		by := key{functionOf(e), e.CausationID}
		t.emitted[by] = append(t.emitted[by], e)
		if t.id == "" {
			t.id, _, _ = cloudevent.SplitTrace(e.TraceParent)
		}
	}
	for _, h := range handlings {
		t.handlings[h.EventID] = append(t.handlings[h.EventID], h)
	}
	if t.id == "" {
		t.id, _, _ = cloudevent.SplitTrace(cloudevent.NewTrace())
	}
	t.addRoots()
	return t.steps
}

// functionOf returns the function that emitted an event.
func functionOf(e cloudevent.Message) string { return e.Source[strings.LastIndex(e.Source, "/")+1:] }

// addRoots adds what no event of the order caused, with all that followed.
func (t *trace) addRoots() {
	done := map[key]bool{}
	for _, e := range t.events {
		by := key{functionOf(e), e.CausationID}
		if _, caused := t.byID[e.CausationID]; caused || done[by] {
			continue
		}
		done[by] = true
		_, span, ok := cloudevent.SplitTrace(e.TraceParent)
		if !ok {
			span = cloudevent.ChildSpan(by.function, by.cause)
		}
		t.add(Step{SpanID: span, Function: by.function, Start: e.Time}, by)
	}
}

// add adds a step and all that followed from what it emitted.
func (t *trace) add(s Step, by key) {
	s.TraceID = t.id
	s.Emits = []string{}
	var next []eventstore.Handling
	for _, e := range t.emitted[by] {
		s.Emits = append(s.Emits, e.Type)
		next = append(next, t.handlings[e.ID]...)
	}
	slices.SortStableFunc(next, func(a, b eventstore.Handling) int { return a.At.Compare(b.At) })
	if len(next) > 0 {
		s.End = &next[0].At
	}
	t.steps = append(t.steps, s)
	for _, h := range next {
		t.add(t.step(h, s), key{h.Consumer, h.EventID})
	}
}

// step returns the step of a handling. Its span is that of the events that were emitted in it, if there are any.
func (t *trace) step(h eventstore.Handling, cause Step) Step {
	event := t.byID[h.EventID]
	span := cloudevent.ChildSpan(h.Consumer, h.EventID)
	if emitted := t.emitted[key{h.Consumer, h.EventID}]; len(emitted) > 0 {
		if _, own, ok := cloudevent.SplitTrace(emitted[0].TraceParent); ok {
			span = own
		}
	}
	return Step{
		SpanID: span, ParentID: cause.SpanID, Function: h.Consumer, Event: event.Type, EventID: h.EventID, Start: h.At,
		Depth: cause.Depth + 1,
	}
}
